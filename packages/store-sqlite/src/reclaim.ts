import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { compareBytes, idBytes, objectKey } from '@vault/core'
import type { Reclaim } from '@vault/soup'
import { condemn, condemnedAmong } from './condemned.ts'
import type { Connection } from './connection.ts'
import { displacedMembersAfter } from './displaced-rows.ts'
import { heldAfter } from './held-rows.ts'
import { inParts } from './in-parts.ts'
import type { KeyRange } from './key-range.ts'
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

/** Pages of what each vault has under charge or goes back to, then of what it holds. */
async function* allNeeded(place: Place, options: AbortOptions | undefined): AsyncGenerator<readonly ContentId[]> {
  for (const vault of await place.read(vaults, options)) {
    let after: Bytes | undefined
    do {
      const range = keyRange('', after, IDS_PER_PAGE)
      const { ids, last } = await place.read((db) => chargedOrDisplaced(db, vault, range), options)
      yield ids
      after = last
    } while (after !== undefined)
    let held: ContentId | undefined
    do {
      const from = held
      const page = (await place.read((db) => heldAfter(db, vault, from, IDS_PER_PAGE), options)).map(({ id }) => id)
      yield page
      held = page.at(-1)
    } while (held !== undefined)
  }
}

/**
 * What is under charge and what is gone back to in a stretch of keys, which ends at `last` where there is more. Both of one moment: a
 * migration makes the latter of the former, and giving it up the former of the latter.
 */
function chargedOrDisplaced(
  db: Connection,
  vault: number,
  range: KeyRange,
): { readonly ids: readonly ContentId[]; readonly last: Bytes | undefined } {
  const pages = [membersInRange(db, vault, range), displacedMembersAfter(db, vault, range)]
  const ends = pages.flatMap((page) => (page.length < range.limit ? [] : (page.at(-1)?.key ?? [])))
  const [last] = ends.sort(compareBytes)
  const rows = pages.flat().filter(({ key }) => last === undefined || compareBytes(key, last) <= 0)
  return { ids: rows.map(({ id }) => id), last }
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
