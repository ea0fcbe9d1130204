// Enough for an end that is near to answer, where patience is at an end.
const LEAST_MS = 250

/**
 * For how long the other end has been away, for all requests of a client together: patience is not begun anew by each that finds nobody
 * there, nor by what is asked while the first one is given up.
 */
export class Absence {
  readonly #patience: number
  readonly #now: () => number
  #since: number | undefined
  #failedAt = 0

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(patience: number, now: () => number = () => performance.now()) {
    this.#patience = patience
    this.#now = now
  }

  /** The other end has answered. */
  heard(): void {
    this.#since = undefined
  }

  /** A request has failed, and so many milliseconds before that nothing had come any more. Gives since when the other end is away. */
  failed(silentMs: number): number {
    const now = this.#now()
    // Whoever asks again long after it has given up is as patient as before.
    if (now - this.#failedAt > this.#patience) this.#since = undefined
    this.#failedAt = now
    this.#since ??= now - silentMs
    return this.#since
  }

  /** So many milliseconds, or as many as are left of the patience. */
  within(ms: number): number {
    if (this.#since === undefined) return ms
    return Math.min(ms, Math.max(LEAST_MS, this.#since + this.#patience - this.#now()))
  }
}
