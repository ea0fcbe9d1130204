import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import type { CopySource } from './copy-objects.ts'

// A window of objects is what a crash repeats, and its members are in memory.
const WINDOW_BYTES = 64 * 1024 * 1024
const WINDOW_LINKS = 262_144
const WINDOW_OBJECTS = 16_384
const PAGE = 16_384

/** The ids of the members with these keys, in windows that are bounded in memory. */
export async function* objectWindows(
  source: CopySource,
  keys: readonly Bytes[],
  { signal }: AbortOptions,
): AsyncGenerator<readonly ContentId[]> {
  let window: ContentId[] = []
  let bytes = 0
  let linked = 0
  for (let from = 0; from < keys.length; from += PAGE) {
    for (const { id, size, links } of await source.soup.membersByKey(keys.slice(from, from + PAGE), { signal })) {
      const isFull =
        bytes + size > WINDOW_BYTES || linked + links.length > WINDOW_LINKS || window.length === WINDOW_OBJECTS
      if (window.length > 0 && isFull) {
        yield window
        window = []
        bytes = 0
        linked = 0
      }
      window.push(id)
      bytes += size
      linked += links.length
    }
  }
  if (window.length > 0) yield window
}
