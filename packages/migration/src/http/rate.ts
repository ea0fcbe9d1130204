import type { AbortOptions } from '@vault/core'
import { pause } from './pause.ts'

// A record of TLS: from some 550 bytes in a second on, the next one comes before an end takes the other one for silent.
const PIECE = 16 * 1024

/** Keeps bytes, or requests, below a rate: whoever takes more than there is waits until it has come. */
export class Rate {
  readonly #perSecond: number
  readonly #now: () => number
  #free: number
  #at: number

  /** `now`: milliseconds of a clock that only goes forward. What was not used is kept for a quarter of a second. */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    if (!(perSecond > 0)) throw new RangeError(`A rate is a number above 0, not ${perSecond}.`)
    this.#perSecond = perSecond
    this.#now = now
    this.#free = perSecond / 4
    this.#at = now()
  }

  /** Takes at once, and waits for what was taken beyond what there is. */
  async take(amount: number, { signal }: AbortOptions = {}): Promise<void> {
    const now = this.#now()
    this.#free = Math.min(this.#perSecond / 4, this.#free + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
    this.#free -= amount
    if (this.#free < 0) await pause((-this.#free / this.#perSecond) * 1000, { signal })
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
