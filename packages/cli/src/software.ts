import type { Software } from '@vault/spki-caps/ceremony'
import { packageVersion } from './version.ts'

/** This program, as the documents of ceremonies name it. */
export function thisSoftware(digest: string | null = null): Software {
  return { name: 'vaultctl', version: packageVersion(), digest }
}
