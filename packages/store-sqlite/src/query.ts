import type { AbortOptions, ContentId } from '@vault/core'
import { compareBytes, utf8 } from '@vault/core'
import type { CompiledQuery, Entry, Query } from '@vault/soup'
import { compileQuery, decodeEntry } from '@vault/soup'
import { entriesByName } from './entry-rows.ts'
import type { Place } from './place.ts'
import type { Sortable } from './sorter.ts'
import { Sorter } from './sorter.ts'
import { absentTenure, readTenure } from './tenure-row.ts'
import { nextTurn } from './turn.ts'

/** Entries read in one go: at their greatest length 16 MiB. */
const PAGE = 256

interface Selected extends Sortable {
  readonly entry: Entry
}

/**
 * Answers a query in pages. Each page of the scan is of one moment, all of them together are not: an entry that changes
 * meanwhile is found as it was or as it is, never twice. In the order of keys nothing is sorted; any other order is
 * made on disk.
 */
export async function* answer(
  place: Place,
  vault: ContentId,
  query: Query,
  options?: AbortOptions,
): AsyncGenerator<readonly Entry[]> {
  options?.signal?.throwIfAborted()
  const compiled = compileQuery(query)
  if (compiled.byKey && !compiled.descending) {
    yield* inKeyOrder(place, vault, compiled, query.after?.key ?? '', options)
    return
  }
  using sorter = new Sorter(compiled)
  for await (const page of selected(place, vault, compiled, '', options)) sorter.add(page)
  for (const page of sorter.pages(PAGE)) {
    options?.signal?.throwIfAborted()
    yield page.map(decodeEntry)
    await nextTurn()
  }
}

async function* inKeyOrder(
  place: Place,
  vault: ContentId,
  query: CompiledQuery,
  after: string,
  options: AbortOptions | undefined,
): AsyncGenerator<readonly Entry[]> {
  let left = query.limit
  if (left === 0) return
  for await (const page of selected(place, vault, query, after, options)) {
    if (page.length > 0) yield page.slice(0, left).map(({ entry }) => entry)
    left -= page.length
    if (left <= 0) return
  }
}

/** What the query selects of one page of keys after another, from `from` on. */
async function* selected(
  place: Place,
  vault: ContentId,
  query: CompiledQuery,
  from: string,
  options: AbortOptions | undefined,
): AsyncGenerator<readonly Selected[]> {
  const { prefix } = query
  let start = compareBytes(utf8(from), utf8(prefix)) < 0 ? prefix : from
  for (let first = true, more = true; more; first = false) {
    const rows = await place.read((db) => {
      const { vault: number } = readTenure(db, vault) ?? absentTenure(vault)
      return entriesByName(db, number, { start, included: first, limit: PAGE })
    }, options)
    more = rows.length === PAGE && (rows.at(-1)?.name.startsWith(prefix) ?? false)
    start = rows.at(-1)?.name ?? start
    // The rows behind a prefix of few entries are not decoded: that would be most of the cost of looking them up.
    yield rows.flatMap(({ name, bytes }) => {
      if (!name.startsWith(prefix)) return []
      const entry = decodeEntry(bytes)
      const at = query.place(entry)
      return at === undefined ? [] : [{ at, bytes, entry }]
    })
    await nextTurn()
  }
}
