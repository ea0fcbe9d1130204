import type { ContentId, KeyId } from '@vault/core'
import type { Upstream } from './above.ts'
import type { Circumstances } from './circumstances.ts'
import type { SearchParts } from './find-chain.ts'
import { searchChain } from './find-chain.ts'
import { withDefaults } from './limits.ts'
import { isByHash, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { followTexts, leadTexts } from './proof-cert.ts'
import type { Asked } from './question.ts'
import type { Reach } from './reach.ts'
import { proofOf } from './reach.ts'
import type { Reading } from './reading.ts'
import type { Judged } from './reduce.ts'
import { reduceAt } from './reduce.ts'
import type { Root } from './root.ts'
import type { Said } from './speak.ts'

/** A proof, and what the reduction says of it. */
export interface Proved extends Judged {
  readonly proof: readonly OpenProofCert[]
  /** How the root comes to speak. */
  readonly said: Said<Reach>
}

/** Chains that are looked at for one question at one root, each without something that does not go together in one before it. */
const MAX_ATTEMPTS = 256
/** Whoever it is, he is taken to be above. */
const EVERYBODY: Upstream = { has: () => true }

/**
 * A proof that the reduction grants at this root, among all that there are, or `undefined`.
 *
 * A search leaves out only what is revoked by those who are above in every chain. Where the chain that it finds is refused, because somebody
 * who is above in that one has revoked what follows, no proof holds all of the certificate that is refused and those above it: so one of
 * them is left out, each in turn, and the search begins again. First all is left out at once that anybody has revoked, wherever he is, so
 * that chains which refuse themselves hide none of which nobody has revoked anything; then all that this one has, so whoever
 * revokes any number of certificates costs no more than one. To find a way that avoids pairs takes in the worst case a time that no limit
 * allows (Gabow, Maheshwari, Osterweil 1976, "On two problems in the generation of program test paths"): there is an end after 256 chains.
 * Throws `CAPS_LIMIT`.
 */
export function seekProof(
  asked: Asked,
  root: Root,
  circumstances: Omit<Circumstances, 'roots'>,
  { budget, without = new Set() }: Pick<SearchParts, 'budget'> & Partial<Pick<SearchParts, 'without'>>,
): Reading<Proved | undefined> {
  const { subject, revocations } = root
  const keepers = new Set([principalText(subject), ...(revocations === 'none' ? [] : [principalText(revocations)])])
  return new Seeking(asked, root, circumstances, budget).run({ without, keepers, kept: new Set() })
}

/** What a chain is to be made of. */
interface Choice {
  readonly without: ReadonlySet<ContentId>
  /** Those who are taken to be above in it: what they revoked is left out. */
  readonly keepers: ReadonlySet<string>
  /** All proofs without one of these were tried. */
  readonly kept: ReadonlySet<ContentId>
}

class Seeking {
  readonly #asked: Asked
  readonly #root: Root
  readonly #circumstances: Omit<Circumstances, 'roots'>
  readonly #budget: SearchParts['budget']
  #attempts = 0

  constructor(asked: Asked, root: Root, circumstances: Omit<Circumstances, 'roots'>, budget: SearchParts['budget']) {
    this.#asked = asked
    this.#root = root
    this.#circumstances = circumstances
    this.#budget = budget
  }

  *run({ without, keepers, kept }: Choice): Reading<Proved | undefined> {
    const first = yield* this.#attempt(without, keepers)
    if (first === undefined || first.verdict.ok) return first
    if (this.#attempts === 1) {
      const unrevoked = yield* this.#attempt(without, EVERYBODY)
      if (unrevoked?.verdict.ok === true) return unrevoked
    }
    const { together, revokers } = this.#conflictIn(first)
    for (const revoker of revokers) {
      if (keepers.has(revoker)) continue
      const found = yield* this.run({ without, keepers: new Set([...keepers, revoker]), kept })
      if (found !== undefined) return found
    }
    const tried = new Set(kept)
    for (const { id } of together) {
      if (tried.has(id)) continue
      const found = yield* this.run({ without: new Set([...without, id]), keepers, kept: new Set(tried) })
      if (found !== undefined) return found
      tried.add(id)
    }
    return undefined
  }

  /** The next chain and what is judged of it; `undefined` where there is none, or no end to them. */
  *#attempt(without: ReadonlySet<ContentId>, keepers: Upstream): Reading<Proved | undefined> {
    if (++this.#attempts > MAX_ATTEMPTS) return undefined
    const limits = withDefaults(this.#circumstances.limits)
    const parts = { ...this.#circumstances, roots: [this.#root], limits, budget: this.#budget, without, keepers }
    const said = yield* searchChain(this.#asked, parts)
    if (said === undefined) return undefined
    const proof = proofOf(said)
    return { ...reduceAt(this.#root, this.#asked, proof, this.#circumstances), proof, said }
  }

  /** Certificates that are not together in a proof that is granted, and who of them has revoked what. */
  #conflictIn({ proof, verdict: { trace } }: Proved): {
    readonly together: readonly OpenProofCert[]
    readonly revokers: readonly string[]
  } {
    // The root is the first step.
    const at = trace.findIndex(({ refusal }) => refusal !== undefined) - 1
    if (at < 0) return { together: [], revokers: [] }
    const refused = proof[at]
    if (refused === undefined) {
      const { claimed } = this.#asked.voices
      const revokers = this.#revokersOf(claimed, proof)
      const own = proof.filter(({ record }) => revokers.includes(principalText(record.issuer)))
      return { together: own.length > 0 ? own.slice(0, 1) : proof, revokers }
    }
    // Those furthest above first: somebody may have written any number of others like the one that is refused.
    const together = leadingTo(refused, proof.slice(0, at))
    const targets = [refused.id, ...refused.envelope.signatures.map(({ key }) => key)]
    return { together, revokers: this.#revokersOf(targets, together) }
  }

  #revokersOf(targets: readonly (ContentId | KeyId)[], among: readonly OpenProofCert[]): readonly string[] {
    const { revocations } = this.#circumstances
    if (revocations === 'unchecked') return []
    const issuers = new Set(among.map(({ record }) => principalText(record.issuer)))
    return [...new Set(targets.flatMap((target) => revocations.revokers(target)))].filter((text) => issuers.has(text))
  }
}

/** A certificate, and those before it by which it comes to count, in their order. */
function leadingTo(cert: OpenProofCert, before: readonly OpenProofCert[]): readonly OpenProofCert[] {
  const isMeant = before.some(({ record }) => isByHash(record.subject))
  const followed = new Set(followTexts(cert, isMeant))
  const together = [cert]
  for (const each of before.toReversed()) {
    if (!leadTexts(each).some((text) => followed.has(text))) continue
    together.push(each)
    for (const text of followTexts(each, isMeant)) followed.add(text)
  }
  return together.reverse()
}
