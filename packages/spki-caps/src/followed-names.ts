import type { NamePrincipal } from './principal.ts'
import { principalText } from './principal.ts'

/**
 * Of the names of one key or vault so many are followed for one question. Four words of some thirty are a million names: nobody
 * makes them all for others to wait for.
 */
const MOST_OF_ONE = 256

/** The names that are followed, by whose names they are. */
export class FollowedNames {
  readonly #ofOne = new Map<string, Set<string>>()

  /** Whether it is followed already, or one more of its key or vault can be. */
  admits(name: NamePrincipal): boolean {
    const own = this.#ofOne.get(principalText(name.of))
    return own === undefined || own.size < MOST_OF_ONE || own.has(principalText(name))
  }

  add(name: NamePrincipal): void {
    const whose = principalText(name.of)
    this.#ofOne.set(whose, (this.#ofOne.get(whose) ?? new Set()).add(principalText(name)))
  }
}
