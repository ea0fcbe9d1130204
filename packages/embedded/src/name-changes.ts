import { type AbortOptions, type ContentId, compareBytes, utf8 } from '@vault/core'
import { type Change, decodeEntry, type Entry, entryKey, type SoupReader } from '@vault/soup'
import type { WholeFile } from './file-batches.ts'
import type { VaultChange } from './recorder.ts'

/** Commits a change with its entry in the audit log, and gives the number of objects that came under charge. */
export type Commit = (change: VaultChange) => Promise<number>

/** Names removed in one change. */
const REMOVALS = 4096
/** Names read at once. */
const WINDOW = 256

/** The files without those that a later one takes the name of, or takes as its folder, or has under it. */
export function lastOfEachName(files: readonly WholeFile[]): readonly WholeFile[] {
  const names = new Set<string>()
  const folders = new Set<string>()
  const kept = files.toReversed().filter(({ entry: { key } }) => {
    const above = foldersOf(key)
    if (names.has(key) || folders.has(key) || above.some((folder) => names.has(folder))) return false
    names.add(key)
    for (const folder of above) folders.add(folder)
    return true
  })
  return kept.reverse()
}

/**
 * The change that gives these names, which do not conflict among themselves: a file where there is a folder now goes,
 * and so does everything under a name that was a folder, in changes of its own as long as there is much of it.
 */
export async function namingChange(
  soup: SoupReader,
  put: readonly Entry[],
  commit: Commit,
  options: AbortOptions,
): Promise<Pick<Change, 'entries' | 'objects'>> {
  const next = new Map(put.map((entry) => [entry.key, entry.object]))
  const fresh = new Set(next.keys())
  const remove: string[] = []
  const release: ContentId[] = []
  const keys = new Set(put.flatMap(({ key }) => [key, ...foldersOf(key)]))
  for (const { bytes } of await soup.entriesByKey([...keys].map(entryKey), options)) {
    const { key, object } = decodeEntry(bytes)
    if (!fresh.delete(key)) remove.push(key)
    if (object !== undefined && object !== next.get(key)) release.push(object)
  }
  for (const folder of await withNamesUnder(soup, [...fresh], options)) {
    for await (const page of soup.query({ prefix: `${folder}/` }, options)) {
      for (const { key, object } of page) {
        remove.push(key)
        if (object !== undefined) release.push(object)
      }
      if (remove.length < REMOVALS) continue
      await commit({ entries: { remove: remove.splice(0) }, objects: { release: release.splice(0) } })
    }
  }
  return { entries: { put, remove }, objects: { release } }
}

/** The keys of the folders above a name. */
function foldersOf(key: string): readonly string[] {
  const folders: string[] = []
  for (let end = key.indexOf('/'); end !== -1; end = key.indexOf('/', end + 1)) folders.push(key.slice(0, end))
  return folders
}

/**
 * Those of the keys under which there are names. Asked in order, so that one page of what is stored answers for all keys
 * that lie in its stretch: for a new folder, however large, one page.
 */
async function withNamesUnder(
  soup: SoupReader,
  keys: readonly string[],
  options: AbortOptions,
): Promise<readonly string[]> {
  const starts = keys.map((key) => ({ key, start: utf8(`${key}/`) })).sort((a, b) => compareBytes(a.start, b.start))
  const found: string[] = []
  let stored: { readonly name: string; readonly bytes: Uint8Array }[] = []
  let reachesEnd = false
  for (const { key, start } of starts) {
    stored = stored.slice(firstAfter(stored, start))
    if (stored.length === 0 && !reachesEnd) {
      for await (const page of soup.query({ prefix: 'path:', after: { key: `${key}/` }, limit: WINDOW }, options)) {
        for (const entry of page) stored.push({ name: entry.key, bytes: utf8(entry.key) })
      }
      reachesEnd = stored.length < WINDOW
    }
    if (stored[0]?.name.startsWith(`${key}/`)) found.push(key)
  }
  return found
}

function firstAfter(stored: readonly { readonly bytes: Uint8Array }[], start: Uint8Array): number {
  const index = stored.findIndex(({ bytes }) => compareBytes(bytes, start) > 0)
  return index === -1 ? stored.length : index
}
