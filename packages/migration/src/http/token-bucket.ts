/** What may be used in a second, up to a bound that is kept of what was not. Whoever takes more than there is owes it. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #most: number
  readonly #now: () => number
  #left: number
  #at: number

  /** `now`: milliseconds of a clock that only goes forward. It begins with all that is kept. */
  constructor(perSecond: number, most: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#most = most
    this.#now = now
    this.#left = most
    this.#at = now()
  }

  /** What there is by now; below 0, what is owed. */
  get left(): number {
    const now = this.#now()
    this.#left = Math.min(this.#most, this.#left + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
    return this.#left
  }

  /** Gives the milliseconds until nothing is owed any more. */
  take(amount: number): number {
    this.#left = this.left - amount
    return Math.max(0, (-this.#left / this.#perSecond) * 1000)
  }
}
