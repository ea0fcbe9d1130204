import type { AbortOptions } from '@vault/core'
import type { SoupReader } from '@vault/soup'
import { decodeEntry } from '@vault/soup'
import { diffVaults } from '@vault/transfer'

/** An object or an entry that two places do not have alike. */
export interface Difference {
  readonly type: 'object' | 'entry'
  /** The content id, or the entry's key. */
  readonly name: string
  /** `different`: both have an entry of this key, with other values. */
  readonly where: 'only-here' | 'only-there' | 'different'
}

/** How many objects and entries two places do not have alike. */
export interface DifferenceCounts {
  readonly objects: { readonly onlyHere: number; readonly onlyThere: number }
  readonly entries: { readonly onlyHere: number; readonly onlyThere: number; readonly different: number }
}

const PAGE = 1_024

/**
 * What is different between two vaults, in pages, found by a walk over their trees: it costs the differences and not the vaults. Changes
 * nothing. Gives the counts in the end.
 */
export async function* compareVaults(
  here: SoupReader,
  there: SoupReader,
  options: AbortOptions = {},
): AsyncGenerator<readonly Difference[], DifferenceCounts> {
  const objects = { onlyHere: 0, onlyThere: 0 }
  const entries = { onlyHere: 0, onlyThere: 0, different: 0 }
  for await (const { table, onlySource, onlyTarget, differing } of diffVaults(here, there, options)) {
    const counts = table === 'objects' ? objects : entries
    counts.onlyHere += onlySource.length
    counts.onlyThere += onlyTarget.length
    if (table === 'entries') entries.different += differing.length
    const parts = [
      { soup: here, keys: onlySource, where: 'only-here' },
      { soup: there, keys: onlyTarget, where: 'only-there' },
      { soup: here, keys: differing, where: 'different' },
    ] as const
    for (const { soup, keys, where } of parts) {
      for (let from = 0; from < keys.length; from += PAGE) {
        const page = keys.slice(from, from + PAGE)
        if (table === 'objects') {
          const members = await soup.membersByKey(page, options)
          yield members.map(({ id }) => ({ type: 'object', name: id, where }))
        } else {
          const rows = await soup.entriesByKey(page, options)
          yield rows.map(({ bytes }) => ({ type: 'entry', name: decodeEntry(bytes).key, where }))
        }
      }
    }
  }
  return { objects, entries }
}
