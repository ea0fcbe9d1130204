import type { ContentId } from '@vault/core'
import { idBytes, objectKey } from '@vault/core'
import type { Reclaim } from '@vault/soup'
import { condemn, condemnedAmong } from './condemned.ts'
import type { Connection } from './connection.ts'
import { inParts } from './in-parts.ts'
import type { Place } from './place.ts'

/** What reclaim asks of the vaults of a database. */
export function sqliteReclaim(place: Place): Reclaim {
  return {
    condemn: (segments, options) => place.write((db) => condemn(db, segments), options),
    condemned: (segments, options) => place.read((db) => condemnedAmong(db, segments), options),
    needed: (ids, options) => inParts(ids, (part) => place.read((db) => neededAmong(db, part), options)),
  }
}

/** A row counts whether it is sound or not: what it stands for is not to be destroyed because it is damaged. */
function neededAmong(db: Connection, ids: readonly ContentId[]): readonly boolean[] {
  const vaults = db.all('SELECT vault FROM tenures').map(({ vault }) => vault as number)
  return ids.map((id) => {
    const [key, bytes] = [objectKey(id), idBytes(id)]
    return vaults.some(
      (vault) =>
        has(db, 'SELECT 1 FROM members WHERE vault = ? AND key = ?', vault, key) ||
        has(db, 'SELECT 1 FROM held WHERE vault = ? AND id = ?', vault, bytes) ||
        has(
          db,
          "SELECT 1 FROM displaced WHERE vault = ? AND kind = 'members' AND key = ? AND was IS NOT NULL",
          vault,
          key,
        ),
    )
  })
}

function has(db: Connection, sql: string, vault: number, key: Uint8Array): boolean {
  return db.get(sql, vault, key) !== undefined
}
