import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { compareBytes, equalBytes, objectKey, toHex } from '@vault/core'
import type { FeedItem, SoupReader } from '@vault/soup'
import { entryKey } from '@vault/soup'
import type { DifferenceStep } from './copy-difference.ts'
import { copyEntries, removeEntries } from './copy-entries.ts'
import type { CopySource, CopyTarget } from './copy-objects.ts'
import { copyObjects } from './copy-objects.ts'
import { objectWindows, WindowPace } from './object-windows.ts'
import { removeObjects } from './remove-objects.ts'

// Rows of both sides that are compared at a time.
const PAGE = 1_024

export interface CopyChangesOptions extends AbortOptions {
  /** Stated with every change at the target. */
  readonly migration: string
  /** The change of the source up to which the target has everything. */
  readonly after: number
  /** Subjects that are dealt with at a time. Default 65,536. */
  readonly window?: number
}

/** How far the feed was followed. */
export interface FollowedChanges {
  /** The next call goes on after it. */
  readonly sequence: number
  /** Objects and entries that the feed named, each once in a window. */
  readonly subjects: number
}

/**
 * Brings to the target what changed at the source after a number, by its feed: what the feed names is given the state that it has at the
 * source by now, so a change that is read twice, or was overtaken by a later one, does no harm. Ends at the change that is the latest when it
 * begins, so it ends however fast others write. Throws `SOUP_FEED_EXPIRED` where the feed does not reach back so far: `copyDifference`
 * finds the same by comparing.
 */
export async function* copyChanges(
  source: CopySource,
  target: CopyTarget,
  options: CopyChangesOptions,
): AsyncGenerator<DifferenceStep, FollowedChanges> {
  const { after, window = 65_536, signal } = options
  const { latest } = await source.soup.feed({ signal })
  let reached = after
  let named = 0
  const pace = new WindowPace()
  let subjects = new Subjects()
  for await (const page of source.soup.changes(after, { signal })) {
    for (const item of page) subjects.add(item)
    reached = page.at(-1)?.sequence ?? reached
    if (subjects.count >= window) {
      named += subjects.count
      yield* copySubjects(source, target, subjects, { ...options, pace })
      subjects = new Subjects()
    }
    if (reached >= latest) break
  }
  named += subjects.count
  yield* copySubjects(source, target, subjects, { ...options, pace })
  return { sequence: reached, subjects: named }
}

/** How many objects and entries the feed names after a number, each counted once, up to `limit`. Throws `SOUP_FEED_EXPIRED`. */
export async function countChanges(
  soup: SoupReader,
  { after, limit }: { readonly after: number; readonly limit: number },
  options: AbortOptions = {},
): Promise<number> {
  const { latest } = await soup.feed(options)
  const subjects = new Subjects()
  for await (const page of soup.changes(after, options)) {
    for (const item of page) subjects.add(item)
    if (subjects.count >= limit || (page.at(-1)?.sequence ?? 0) >= latest) break
  }
  return Math.min(limit, subjects.count)
}

/** What the feed names, each once. */
class Subjects {
  readonly objects: Set<ContentId> = new Set()
  readonly entries: Set<string> = new Set()

  get count(): number {
    return this.objects.size + this.entries.size
  }

  add({ type, subject }: FeedItem): void {
    if (type === 'entry-put' || type === 'entry-removed') this.entries.add(subject)
    else this.objects.add(subject as ContentId)
  }
}

/** As `copyDifference` does: nothing is taken away before what replaces it is there. */
async function* copySubjects(
  source: CopySource,
  target: CopyTarget,
  subjects: Subjects,
  { migration, pace, signal }: CopyChangesOptions & { readonly pace: WindowPace },
): AsyncGenerator<DifferenceStep> {
  const writing = { migration, signal }
  const ids = [...subjects.objects]
  const [ours, theirs] = [await source.soup.charged(ids, { signal }), await target.soup.charged(ids, { signal })]
  const coming = inOrder(ids.filter((_, i) => ours[i] && !theirs[i]).map(objectKey))
  const windows = objectWindows(source, coming, pace, { signal })
  for await (const copied of copyObjects(source, target, windows, writing)) yield { type: 'objects', ...copied }
  const { differing, gone } = await compareEntries(source.soup, target.soup, subjects.entries, { signal })
  for await (const copied of copyEntries(source.soup, target, differing, writing)) yield { type: 'entries', ...copied }
  for await (const keys of removeEntries(target, gone, writing)) yield { type: 'entries-removed', keys }
  const leaving = inOrder(ids.filter((_, i) => theirs[i] && !ours[i]).map(objectKey))
  for await (const removed of removeObjects(target, leaving, writing)) yield { type: 'objects-removed', ids: removed }
}

async function compareEntries(
  source: SoupReader,
  target: SoupReader,
  names: ReadonlySet<string>,
  options: AbortOptions,
): Promise<{ readonly differing: readonly Bytes[]; readonly gone: readonly Bytes[] }> {
  const keys = inOrder([...names].map(entryKey))
  const differing: Bytes[] = []
  const gone: Bytes[] = []
  for (let from = 0; from < keys.length; from += PAGE) {
    const page = keys.slice(from, from + PAGE)
    const [ours, theirs] = [await rowsOf(source, page, options), await rowsOf(target, page, options)]
    for (const key of page) {
      const [our, their] = [ours.get(toHex(key)), theirs.get(toHex(key))]
      if (our === undefined) {
        if (their !== undefined) gone.push(key)
      } else if (their === undefined || !equalBytes(our, their)) differing.push(key)
    }
  }
  return { differing, gone }
}

async function rowsOf(
  soup: SoupReader,
  keys: readonly Bytes[],
  options: AbortOptions,
): Promise<ReadonlyMap<string, Bytes>> {
  return new Map((await soup.entriesByKey(keys, options)).map(({ key, bytes }) => [toHex(key), bytes]))
}

function inOrder(keys: readonly Bytes[]): readonly Bytes[] {
  return [...keys].sort(compareBytes)
}
