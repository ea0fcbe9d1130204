import { type AbortOptions, isVaultError } from '@vault/core'
import type { MendableRecords, SoupStore } from '@vault/soup'
import { isMendable, ROOT_PREFIX, rootCertificateKey } from './root-certificate.ts'

/**
 * Removes damaged records under names of root certificates that are no vault's of this place: what is left of one whose name was damaged, where
 * it has been made anew. None while a vault of the place lacks its own, because what is left may be that, and says that there was one.
 */
export async function dropStrayRoots({ records, tenures }: SoupStore, options: AbortOptions = {}): Promise<void> {
  if (!isMendable(records)) return
  const own = new Set((await tenures.list(options)).map(({ vault }) => rootCertificateKey(vault)))
  const dropped = new Set<string>()
  while (true) {
    const stray = await damagedName(records, options)
    if (stray === undefined || own.has(stray) || dropped.has(stray)) return
    for (const key of own) if ((await records.read(key, options)) === undefined) return
    dropped.add(stray)
    await records.mend(stray, undefined, options)
  }
}

/** The first damaged record under such names. */
async function damagedName(records: MendableRecords, options: AbortOptions): Promise<string | undefined> {
  try {
    await records.list(ROOT_PREFIX, options)
    return undefined
  } catch (error) {
    if (!isVaultError(error, 'SOUP_CORRUPT')) throw error
    const { key } = error.details
    return typeof key === 'string' && key.startsWith(ROOT_PREFIX) ? key : undefined
  }
}
