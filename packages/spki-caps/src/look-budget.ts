import { limitReached } from './error.ts'
import type { SearchBudget } from './find-chain.ts'
import { FollowedNames } from './followed-names.ts'
import type { CapsLimits } from './limits.ts'
import type { Principal } from './principal.ts'
import { namesIn } from './principal.ts'

/** For each certificate that may be looked at, so many times it is as one of several that count only together. */
const JOINED_FOR_ONE = 16

/** How much is looked at where everything that was granted is. */
export class LookBudget {
  /** Certificates in a row. */
  readonly longest: number
  readonly #most: number
  #left: number
  #joinsLeft: number
  readonly #followed = new FollowedNames()

  constructor({ certificates, search }: Required<CapsLimits>) {
    this.longest = certificates
    this.#most = search
    this.#left = search
    this.#joinsLeft = search * JOINED_FOR_ONE
  }

  /** Called for each certificate. Throws `CAPS_LIMIT` after so many as a search may open. */
  spend(): void {
    if (--this.#left < 0) throw limitReached('certificates to look through', this.#most)
  }

  /** Of searches for what several ways are together. */
  get joining(): Pick<SearchBudget, 'see' | 'open'> {
    return { see: () => this.spendJoining(1), open: () => {} }
  }

  /** Called for so many certificates, tags or keys of several ways that are looked at together. Throws `CAPS_LIMIT`. */
  spendJoining(many: number): void {
    this.#joinsLeft -= many
    if (this.#joinsLeft < 0) throw limitReached('certificates to look at together', this.#most * JOINED_FOR_ONE)
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
