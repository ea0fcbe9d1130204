import type { Bytes } from '@vault/core'
import { PIECE_LENGTH } from './read-plan.ts'

/** Pieces that a copy has on its way at once: those being read, waiting, and being written. */
const MAX_FREE = 8

/** Buffers for the pieces of answers that are lent, used again when they are given back. */
export class PiecePool {
  readonly #free: Bytes[] = []

  /** A buffer of this length, with anything in it. */
  take(length: number): Bytes {
    if (length > PIECE_LENGTH) return new Uint8Array(length)
    return (this.#free.pop() ?? new Uint8Array(PIECE_LENGTH)).subarray(0, length)
  }

  /** Takes a buffer back, once: nobody reads it any more. */
  give(bytes: Bytes): void {
    if (bytes.buffer.byteLength === PIECE_LENGTH && this.#free.length < MAX_FREE) {
      this.#free.push(new Uint8Array(bytes.buffer))
    }
  }
}
