import type { Bytes } from '@vault/core'

// A batch of blocks with its ids has no more, and what is short is no burden.
const LONGEST = 10 * 1024 * 1024
const SHORTEST = 64 * 1024
// Frames that are on their way at a time.
const MAX_FREE = 4

/**
 * Memory for frames, used again and again: the pages of a fresh buffer have to be mapped and cleared first, and it counts as garbage, which
 * together cost more than what is done with the bytes.
 */
export class FrameMemory {
  readonly #free: Bytes[] = []

  /** So many bytes, with anything in them. Long ones take as much as the longest do until they are given back: only for those who give them back. */
  take(length: number): Bytes {
    if (length < SHORTEST || length > LONGEST) return new Uint8Array(length)
    return (this.#free.pop() ?? new Uint8Array(LONGEST)).subarray(0, length)
  }

  /** Takes bytes back, once: nobody reads them any more. */
  give(bytes: Bytes): void {
    if (bytes.buffer.byteLength === LONGEST && this.#free.length < MAX_FREE)
      this.#free.push(new Uint8Array(bytes.buffer))
  }
}
