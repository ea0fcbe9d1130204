import type { AbortOptions } from '@vault/core'
import type { Entry, SoupReader } from '@vault/soup'

/** What the entries of a vault hold whose keys begin so, by their keys; `undefined` is what cannot be read. */
export async function keptUnder<T>(
  soup: Pick<SoupReader, 'query'>,
  prefix: string,
  read: (entry: Entry) => T | undefined,
  options: AbortOptions,
): Promise<ReadonlyMap<string, T | undefined>> {
  const kept = new Map<string, T | undefined>()
  for await (const page of soup.query({ prefix }, options)) {
    for (const entry of page) kept.set(entry.key, read(entry))
  }
  return kept
}
