import { isVaultError } from '@vault/core'
import { limitReached } from './error.ts'
import { FollowedNames } from './followed-names.ts'
import type { CapsLimits } from './limits.ts'
import type { Principal } from './principal.ts'
import { namesIn } from './principal.ts'
import type { SearchBudget } from './search-budget.ts'

/** For each certificate that may be looked at, so many times it is as one of several that count only together. */
const JOINED_FOR_ONE = 16

/**
 * How much is looked at where everything that was granted is. Whoever has a delegation can write certificates that go more ways than anybody
 * looks at; then everybody has his turn: what one has granted on takes away nothing from what others have.
 */
export class LookBudget {
  /** Certificates in a row. */
  readonly longest: number
  readonly #most: number
  readonly #roots: number
  #left: number
  #joinsLeft: number
  #isInTurns = false
  #followed = new FollowedNames()

  /** For what begins at so many roots. */
  constructor({ certificates, search }: Required<CapsLimits>, roots = 1) {
    this.longest = certificates
    this.#most = search
    this.#roots = roots
    this.#left = search
    this.#joinsLeft = search * JOINED_FOR_ONE
  }

  /** Looks without bounds, and where that is too much, again with so many certificates as there may be from one root. */
  orInTurns<T>(look: (steps: number) => T): T {
    try {
      if (!this.#isInTurns) return look(Number.POSITIVE_INFINITY)
    } catch (error) {
      if (!isVaultError(error, 'CAPS_LIMIT')) throw error
      this.#isInTurns = true
      this.#followed = new FollowedNames()
    }
    return look(Math.floor(this.#most / this.#roots))
  }

  /** Called for each certificate. Throws `CAPS_LIMIT` after so many as a search may open, where not everybody has his turn. */
  spend(): void {
    if (!this.#isInTurns && --this.#left < 0) throw limitReached('certificates to look through', this.#most)
  }

  /**
   * Looks for what several ways are together, for so many who have any. Each may use what is left by then in equal parts. `undefined` where
   * that is too little.
   */
  inPart<T>(others: number, look: (budget: JoinBudget) => T): T | undefined {
    const most = Math.floor(this.#joinsLeft / Math.max(1, others))
    let left = most
    const spend = (many: number): void => {
      left -= many
      this.#joinsLeft -= many
      if (left < 0) throw limitReached('certificates to look at together', most)
    }
    try {
      return look({ spend, see: () => spend(1), open: () => {} })
    } catch (error) {
      if (isVaultError(error, 'CAPS_LIMIT')) return undefined
      throw error
    }
  }

  /** Whether one more name, or what has names in it, is gone on to: of those of one key or vault only so many are. */
  admits(principal: Principal): boolean {
    return namesIn(principal).every((name) => {
      const isAdmitted = this.#followed.admits(name)
      if (isAdmitted) this.#followed.add(name)
      return isAdmitted
    })
  }
}

/** How much is looked at for one who holds something by several ways together. */
export interface JoinBudget extends Pick<SearchBudget, 'see' | 'open'> {
  /** Called for so many certificates or tags. Throws `CAPS_LIMIT`. */
  spend(many: number): void
}
