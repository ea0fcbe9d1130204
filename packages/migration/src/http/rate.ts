import type { AbortOptions } from '@vault/core'
import { pause } from './pause.ts'
import { TokenBucket } from './token-bucket.ts'

// A record of TLS: from some 550 bytes in a second on, the next one comes before an end takes the other one for silent.
const PIECE = 16 * 1024

/** Keeps bytes, or requests, below a rate: whoever takes more than there is waits until it has come. */
export class Rate {
  readonly #bucket: TokenBucket

  /** `now`: milliseconds of a clock that only goes forward. What was not used is kept for a quarter of a second. */
  constructor(perSecond: number, now?: () => number) {
    if (!(perSecond > 0)) throw new RangeError(`A rate is a number above 0, not ${perSecond}.`)
    this.#bucket = new TokenBucket(perSecond, perSecond / 4, now)
  }

  /** Takes at once, and waits for what was taken beyond what there is. */
  async take(amount: number, { signal }: AbortOptions = {}): Promise<void> {
    const owed = this.#bucket.take(amount)
    if (owed > 0) await pause(owed, { signal })
  }

  /** Bytes in pieces, each when there is room for it: whoever waits for all of them hears that they come, and owes no more than one of them when it goes. */
  async *pieces(bytes: Uint8Array, options?: AbortOptions): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length; from += PIECE) {
      const piece = bytes.subarray(from, from + PIECE)
      await this.take(piece.length, options)
      yield piece
    }
  }
}
