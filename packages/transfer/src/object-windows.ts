import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import type { CopySource } from './copy-objects.ts'

// A window of objects is what a crash repeats, and its members are in memory.
const WINDOW_BYTES = 64 * 1024 * 1024
const WINDOW_LINKS = 262_144
const WINDOW_OBJECTS = 16_384
const PAGE = 16_384
// The first window is an eighth of the longest: nothing is known then of how fast it goes.
const FIRST_SHARE = 1 / 8
// Not shorter than what one flush is shared by.
const SMALLEST_SHARE = 1 / 64
/** What is repeated took no longer than some such time, in milliseconds, however slow the line is. */
const WINDOW_MS = 5_000

/** How much goes into a window, by how long the latest one took. */
export class WindowPace {
  readonly #elapsed: () => number
  #share = FIRST_SHARE

  /** `elapsed`: milliseconds of a clock that only goes on. Default: the process's. */
  constructor(elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed
  }

  get bytes(): number {
    return WINDOW_BYTES * this.#share
  }

  get links(): number {
    return WINDOW_LINKS * this.#share
  }

  get objects(): number {
    return WINDOW_OBJECTS * this.#share
  }

  /** Gives a window out, and sees how long it takes until the next one is asked for. A last one, which is not full, goes fast on any line. */
  *timed<T>(window: T, { isFull }: { readonly isFull: boolean }): Generator<T> {
    const began = this.#elapsed()
    yield window
    const ms = this.#elapsed() - began
    if (ms > WINDOW_MS) this.#share = Math.max(SMALLEST_SHARE, this.#share / 2)
    else if (isFull && ms < WINDOW_MS / 2) this.#share = Math.min(1, this.#share * 2)
  }
}

/** The ids of the members with these keys, in windows that are bounded in memory and in time. */
export async function* objectWindows(
  source: CopySource,
  keys: readonly Bytes[],
  pace: WindowPace,
  { signal }: AbortOptions,
): AsyncGenerator<readonly ContentId[]> {
  let window: ContentId[] = []
  let bytes = 0
  let linked = 0
  for (let from = 0; from < keys.length; from += PAGE) {
    for (const { id, size, links } of await source.soup.membersByKey(keys.slice(from, from + PAGE), { signal })) {
      const isFull = bytes + size > pace.bytes || linked + links.length > pace.links || window.length >= pace.objects
      if (window.length > 0 && isFull) {
        yield* pace.timed(window, { isFull })
        window = []
        bytes = 0
        linked = 0
      }
      window.push(id)
      bytes += size
      linked += links.length
    }
  }
  if (window.length > 0) yield* pace.timed(window, { isFull: false })
}
