import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions, ContentId } from '@vault/core'
import { declinedHere } from '@vault/migration'
import type { Place } from './place.ts'
import { LOG_FOLDER } from './vault-log.ts'

/**
 * The vaults that migrations had brought into a place which holds none, and gave up: whatever lies in its packs is of these. None where the
 * place has not said so itself, or has a log of another one: then its `soup.sqlite` may be an old one.
 */
export async function givenUpIn({ dir, soups }: Place, options: AbortOptions): Promise<readonly ContentId[]> {
  const declined = await declinedHere(soups.records, options)
  const logs = await readdir(join(dir, LOG_FOLDER)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return logs.every((name) => declined.has(name as ContentId)) ? [...declined] : []
}
