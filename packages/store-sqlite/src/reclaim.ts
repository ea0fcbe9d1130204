import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { idBytes, objectKey } from '@vault/core'
import type { Reclaim } from '@vault/soup'
import { condemn, condemnedAmong } from './condemned.ts'
import type { Connection } from './connection.ts'
import { displacedMembersAfter } from './displaced-rows.ts'
import { heldAfter } from './held-rows.ts'
import { inParts } from './in-parts.ts'
import { keyRange } from './key-range.ts'
import { membersInRange } from './member-rows.ts'
import type { Place } from './place.ts'

const IDS_PER_PAGE = 4096

/** What reclaim asks of the vaults of a database. */
export function sqliteReclaim(place: Place): Reclaim {
  return {
    condemn: (segments, options) => place.write((db) => condemn(db, segments), options),
    condemned: (segments, options) => place.read((db) => condemnedAmong(db, segments), options),
    needed: (ids, options) => inParts(ids, (part) => place.read((db) => neededAmong(db, part), options)),
    list: (options) => allNeeded(place, options),
  }
}

/** Pages of what each vault has under charge, then of what it goes back to, then of what it holds. */
async function* allNeeded(place: Place, options: AbortOptions | undefined): AsyncGenerator<readonly ContentId[]> {
  for (const vault of await place.read(vaults, options)) {
    for (const rows of [membersInRange, displacedMembersAfter]) {
      let after: Bytes | undefined
      do {
        const range = keyRange('', after, IDS_PER_PAGE)
        const page = await place.read((db) => rows(db, vault, range), options)
        yield page.map(({ id }) => id)
        after = page.at(-1)?.key
      } while (after !== undefined)
    }
    let last: ContentId | undefined
    do {
      const from = last
      const page = (await place.read((db) => heldAfter(db, vault, from, IDS_PER_PAGE), options)).map(({ id }) => id)
      yield page
      last = page.at(-1)
    } while (last !== undefined)
  }
}

const vaults = (db: Connection): readonly number[] =>
  db.all('SELECT vault FROM tenures').map(({ vault }) => vault as number)

/** A row counts whether it is sound or not: what it stands for is not to be destroyed because it is damaged. */
function neededAmong(db: Connection, ids: readonly ContentId[]): readonly boolean[] {
  const numbers = vaults(db)
  return ids.map((id) => {
    const [key, bytes] = [objectKey(id), idBytes(id)]
    return numbers.some(
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
