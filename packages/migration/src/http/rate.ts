import type { AbortOptions } from '@vault/core'
import { pause } from './pause.ts'

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
}
