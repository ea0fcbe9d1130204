import type { AbortOptions } from '@vault/core'
import { compileQuery } from '../compile-query.ts'
import type { Entry } from '../entry.ts'
import { decodeEntry } from '../entry.ts'
import type { Query } from '../query.ts'
import type { EntryRow } from './vault-state.ts'

const PAGE = 256

/** The entries that a query asks for, of the rows there are when the first page is asked for. */
export async function* answer(
  rows: () => Iterable<EntryRow>,
  query: Query,
  options?: AbortOptions,
): AsyncGenerator<readonly Entry[]> {
  options?.signal?.throwIfAborted()
  const { prefix, limit, place, compare } = compileQuery(query)
  const found = []
  for (const { name, bytes } of rows()) {
    if (!name.startsWith(prefix)) continue
    const entry = decodeEntry(bytes)
    const at = place(entry)
    if (at !== undefined) found.push({ at, entry })
  }
  found.sort((a, b) => compare(a.at, b.at))
  const end = Math.min(limit, found.length)
  for (let from = 0; from < end; from += PAGE) {
    options?.signal?.throwIfAborted()
    yield found.slice(from, Math.min(from + PAGE, end)).map(({ entry }) => entry)
  }
}
