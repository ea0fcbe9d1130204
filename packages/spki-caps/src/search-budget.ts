import { limitReached } from './error.ts'
import type { CapsLimits } from './limits.ts'

// Reading a certificate takes a small part of the time that verifying one takes.
const SEEN_FOR_ONE = 16

/** How much one search may look at, or several together. */
export class SearchBudget {
  readonly #most: number
  /** Verified, and read at all. */
  #opened = 0
  #seen = 0

  constructor({ search }: Required<CapsLimits>) {
    this.#most = search
  }

  /** So many are read of one principal at most. */
  get mostSeen(): number {
    return this.#most * SEEN_FOR_ONE
  }

  /** Throws `CAPS_LIMIT`. */
  see(): void {
    if (++this.#seen > this.mostSeen) throw limitReached('certificates to pass over', this.mostSeen)
  }

  /** Throws `CAPS_LIMIT`. */
  open(): void {
    if (++this.#opened > this.#most) throw limitReached('certificates to look through', this.#most)
  }
}
