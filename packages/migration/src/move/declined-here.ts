import type { AbortOptions, ContentId } from '@vault/core'
import { decodeEnvelope } from '@vault/core'
import type { Records } from '@vault/soup'
import { parseDecline } from '../records/decline.ts'

const FOLDER = 'migration/'
const NAME = '/decline'

/** The vaults of which this place has given up what a migration had brought, as it has said in its own records. */
export async function declinedHere(records: Records, options: AbortOptions = {}): Promise<ReadonlySet<ContentId>> {
  const vaults = new Set<ContentId>()
  for (const key of await records.list(FOLDER, options)) {
    if (!key.endsWith(NAME)) continue
    const found = await records.read(key, options)
    if (found !== undefined) vaults.add(parseDecline(decodeEnvelope(found.bytes).payload).vault.id)
  }
  return vaults
}
