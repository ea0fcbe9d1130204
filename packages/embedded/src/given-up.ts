import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions, ContentId } from '@vault/core'
import { declinedHere } from '@vault/migration'
import { keysIn } from './keystore.ts'
import type { Place } from './place.ts'
import { LOG_FOLDER } from './vault-log.ts'

/**
 * The vaults that migrations had brought into a place which holds none, and gave up: whatever lies in its packs is of these. None where the
 * place has not said so itself, or has a log of another vault, or a log key that it did not make for one of these: then its `soup.sqlite` may
 * be an old one, and a vault may have come, or come again, since.
 */
export async function givenUpIn({ dir, soups }: Place, options: AbortOptions): Promise<readonly ContentId[]> {
  const { vaults, logKeys } = await declinedHere(soups.records, options)
  const logs = await readdir(join(dir, LOG_FOLDER)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const explained =
    logs.every((name) => vaults.has(name as ContentId)) &&
    (await keysIn({ dir, role: 'log' })).every((key) => logKeys.has(key))
  return explained ? [...vaults] : []
}
