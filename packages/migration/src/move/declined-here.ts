import type { AbortOptions, ContentId, KeyId } from '@vault/core'
import { decodeEnvelope } from '@vault/core'
import type { Records } from '@vault/soup'
import { parseAcceptance } from '../records/acceptance.ts'
import { parseDecline } from '../records/decline.ts'
import { TargetRecords } from './target-records.ts'

const FOLDER = 'migration/'
const NAME = '/decline'

/** What a place has given up of what migrations had brought. */
export interface Declined {
  readonly vaults: ReadonlySet<ContentId>
  /** Those that it had made for them. */
  readonly logKeys: ReadonlySet<KeyId>
}

/** What this place has given up, as it has said in its own records. */
export async function declinedHere(records: Records, options: AbortOptions = {}): Promise<Declined> {
  const vaults = new Set<ContentId>()
  const logKeys = new Set<KeyId>()
  const own = new TargetRecords(records)
  for (const key of await records.list(FOLDER, options)) {
    if (!key.endsWith(NAME)) continue
    const migration = key.slice(FOLDER.length, -NAME.length)
    const decline = await own.declined(migration, options)
    if (decline === undefined) continue
    const vault = parseDecline(decodeEnvelope(decline).payload).vault.id
    vaults.add(vault)
    const accepted = await own.accepted(vault, migration, options)
    if (accepted === undefined) continue
    for (const made of parseAcceptance(decodeEnvelope(accepted.acceptance).payload).roles.log.keys) logKeys.add(made)
  }
  return { vaults, logKeys }
}
