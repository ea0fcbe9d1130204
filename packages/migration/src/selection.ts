import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { compareBytes, isContentId, toHex } from '@vault/core'
import type { Entry, KeyedEntry, Query, SoupReader } from '@vault/soup'
import { decodeEntry, entryKey } from '@vault/soup'

/** What a partial migration moves: entries, ascending by table key, and objects with all that they link to. */
export interface SelectedPage {
  readonly entries: readonly KeyedEntry[]
  readonly objects: readonly ContentId[]
}

/** Reads the selection from its beginning; it is walked once for every phase. */
export type Selection = (options: AbortOptions) => AsyncIterable<SelectedPage>

const DESCRIPTION = 'obj:'

/** The entries that a query finds, the objects that they and their earlier versions name, and the entries that describe these. */
export function selectEntries(soup: SoupReader, query: Query): Selection {
  return async function* (options) {
    for await (const page of soup.query(query, options)) {
      const keys = page.map(({ key }) => entryKey(key)).sort(compareBytes)
      yield await pageOf(soup, await soup.entriesByKey(keys, options), [], options)
    }
  }
}

/** One object and the entry that describes it, where there is one (M044). */
export function selectObject(soup: SoupReader, id: ContentId): Selection {
  return async function* (options) {
    yield await pageOf(soup, [], [id], options)
  }
}

async function pageOf(
  soup: SoupReader,
  selected: readonly KeyedEntry[],
  ids: readonly ContentId[],
  options: AbortOptions,
): Promise<SelectedPage> {
  const named = new Set(ids)
  for (const entry of selected) await nameObjects(soup, entry, named, options)
  const keys = [...named].map((id) => entryKey(DESCRIPTION + id)).sort(compareBytes)
  const describing = await soup.entriesByKey(keys, options)
  for (const entry of describing) await nameObjects(soup, entry, named, options)
  const entries = new Map([...selected, ...describing].map((entry) => [toHex(entry.key), entry]))
  const objects = [...named]
  const charged = await soup.charged(objects, options)
  return {
    entries: [...entries.values()].sort((a, b) => compareBytes(a.key, b.key)),
    objects: objects.filter((_, i) => charged[i]),
  }
}

/** Adds what an entry and its earlier versions name: a target takes none of them without the object. */
async function nameObjects(
  soup: SoupReader,
  { bytes }: KeyedEntry,
  named: Set<ContentId>,
  options: AbortOptions,
): Promise<void> {
  for (let version: Bytes | undefined = bytes; version !== undefined; ) {
    const { key, object, previous }: Entry = decodeEntry(version)
    const id = object ?? describedBy(key)
    if (id !== undefined) named.add(id)
    version = previous === undefined ? undefined : await soup.version(previous, options)
  }
}

function describedBy(key: string): ContentId | undefined {
  const described = key.startsWith(DESCRIPTION) ? key.slice(DESCRIPTION.length) : undefined
  return isContentId(described) ? described : undefined
}

/** The name of an entry, for messages. */
export function nameOf(entry: KeyedEntry): string {
  return decodeEntry(entry.bytes).key
}
