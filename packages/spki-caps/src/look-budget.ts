import { limitReached } from './error.ts'
import { MOST_NAMES_OF_ONE } from './name-link.ts'
import type { Principal } from './principal.ts'
import { namesIn, principalText } from './principal.ts'

/** How much is looked at where everything that was granted is. */
export class LookBudget {
  readonly #most: number
  #left: number
  /** The names that were gone on to, by whose names they are. */
  readonly #names = new Map<string, Set<string>>()

  constructor(most: number) {
    this.#most = most
    this.#left = most
  }

  /** Called for each certificate. Throws `CAPS_LIMIT` after so many as a search may open. */
  spend(): void {
    if (--this.#left < 0) throw limitReached('certificates to look through', this.#most)
  }

  /** Whether one more name, or what has names in it, is gone on to: of those of one key or vault only so many are. */
  admits(principal: Principal): boolean {
    return namesIn(principal).every(({ of, names }) => {
      const whose = principalText(of)
      const known = this.#names.get(whose) ?? new Set()
      const text = principalText({ of, names })
      if (!known.has(text) && known.size >= MOST_NAMES_OF_ONE) return false
      this.#names.set(whose, known.add(text))
      return true
    })
  }
}
