import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { compareBytes, concatBytes, copyBytes, hashBytes, KEY_LENGTH, utf8 } from '@vault/core'
import type { SoupReader } from '@vault/soup'
import type { VaultTable } from '@vault/transfer'
import type { Sample, Verification } from './plan.ts'

/** A row of a vault's table; `value` only where not all values of the table are zero. */
export interface TableRow {
  readonly key: Bytes
  readonly value?: Bytes
}

// Objects lie in the store in about the order of the windows in which they came, so windows of the same size read
// almost sequentially: with 200,000 objects, pages of 4,096 took several times as long.
const OBJECTS = 16_384
// Of members more than the id is read, so they come in smaller pages.
const MEMBERS = 8_192
// Entries are in memory page by page, and one may be 64 KiB long.
const ENTRIES = 1_024

/** The ids of the objects to check, in pages: of all that are under charge, `count` of them, or of the sample. */
export async function* objectsToCheck(
  soup: SoupReader,
  count: number,
  verification: Verification,
  { signal }: AbortOptions,
): AsyncGenerator<readonly ContentId[]> {
  const sample = sampleOf(verification, count)
  if (sample !== undefined) {
    for await (const rows of sampledRows(soup, 'objects', sample, { signal })) {
      const keys = rows.map(({ key }) => key)
      yield (await soup.membersByKey(keys, { signal })).map(({ id }) => id)
    }
    return
  }
  let ids: ContentId[] = []
  for (let after: Bytes | undefined; ; ) {
    const members = await soup.members({ limit: MEMBERS, ...(after === undefined ? {} : { after }) }, { signal })
    for (const { id } of members) ids.push(id)
    const last = members.length < MEMBERS
    if (ids.length >= OBJECTS || (last && ids.length > 0)) {
      yield ids
      ids = []
    }
    if (last) return
    after = members.at(-1)?.key
  }
}

/** The rows of the entry table to check, ascending, in pages: all of them, `count`, or the sample. */
export function entriesToCheck(
  soup: SoupReader,
  count: number,
  verification: Verification,
  options: AbortOptions,
): AsyncIterable<readonly TableRow[]> {
  const sample = sampleOf(verification, count)
  return sample === undefined ? allRows(soup, 'entries', options) : sampledRows(soup, 'entries', sample, options)
}

async function* allRows(
  soup: SoupReader,
  table: VaultTable,
  { signal }: AbortOptions,
): AsyncGenerator<readonly TableRow[]> {
  let after: Bytes | undefined
  while (true) {
    const range = { prefix: '', limit: ENTRIES, ...(after === undefined ? {} : { after }) }
    const page = await soup.view((view) => view[table].scan(range, { signal }), { signal })
    const rows = Array.from({ length: page.count }, (_, i) => ({
      key: rowOf(page.keys, i),
      ...(page.values === undefined ? {} : { value: rowOf(page.values, i) }),
    }))
    if (rows.length > 0) yield rows
    if (rows.length < ENTRIES) return
    after = rows.at(-1)?.key
  }
}

/**
 * The `size` rows with the least SHA-256 of seed and key. Every row has the same chance, whatever the order in which
 * rows were written, and whoever knows the seed finds the same sample.
 */
async function* sampledRows(
  soup: SoupReader,
  table: VaultTable,
  { size, seed }: Sample,
  options: AbortOptions,
): AsyncGenerator<readonly TableRow[]> {
  const salt = utf8(seed)
  let ranked: { row: TableRow; rank: Bytes }[] = []
  for await (const page of allRows(soup, table, options)) {
    for (const row of page) ranked.push({ row, rank: hashBytes('sha2-256', concatBytes(salt, row.key)) })
    if (ranked.length >= size + OBJECTS) ranked = leastOf(ranked, size)
  }
  const rows = leastOf(ranked, size)
    .map(({ row }) => row)
    .sort((a, b) => compareBytes(a.key, b.key))
  const page = table === 'objects' ? OBJECTS : ENTRIES
  for (let from = 0; from < rows.length; from += page) yield rows.slice(from, from + page)
}

function leastOf<Ranked extends { readonly rank: Bytes }>(ranked: Ranked[], size: number): Ranked[] {
  return ranked.sort((a, b) => compareBytes(a.rank, b.rank)).slice(0, size)
}

function rowOf(packed: Bytes, index: number): Bytes {
  return copyBytes(packed.subarray(index * KEY_LENGTH, (index + 1) * KEY_LENGTH))
}

/** The sample to read back of a table of so many rows; `undefined` where all of them are read. */
export function sampleOf(verification: Verification, count: number): Sample | undefined {
  return verification.mode === 'sample' && verification.size < count ? verification : undefined
}

/** How likely a sample of `size` out of `total` objects holds none of so many bad ones. */
export function missProbabilities(
  total: number,
  size: number,
): readonly { readonly bad: number; readonly probability: number }[] {
  return [1, 10, 100, 1_000].map((bad) => ({ bad, probability: missProbability(total, size, bad) }))
}

/** How likely a sample of `size` out of `total` holds none of `bad` bad ones. */
export function missProbability(total: number, size: number, bad: number): number {
  let probability = 1
  for (let i = 0; i < Math.min(bad, total); i++) probability *= Math.max(0, total - size - i) / (total - i)
  return probability
}
