import type { AbortOptions } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { CertificateIndex } from './certificate-index.ts'
import type { Circumstances } from './circumstances.ts'
import { commonKeepers, searchChain } from './find-chain.ts'
import { withDefaults } from './limits.ts'
import type { OpenProofCert } from './proof-cert.ts'
import type { Question } from './question.ts'
import { proofOf } from './reach.ts'
import type { Reading } from './reading.ts'
import { IndexReader } from './reading.ts'
import { reduce } from './reduce.ts'
import { refuse } from './refusal.ts'
import { SearchBudget } from './search-budget.ts'
import { seekProof } from './seek-proof.ts'
import type { Verdict } from './trace.ts'
import { unseenRequest } from './trace-step.ts'
import { createSignatureMemo } from './voices.ts'

/** A verdict, with the proof that it is about. */
export interface Answer {
  readonly verdict: Verdict
  readonly proof: readonly OpenProofCert[]
}

/**
 * Looks for a proof and reduces it. Where the first one that is found does not hold, because somebody above in it has revoked what follows, it
 * looks for another one at each root, as {@link seekProof} does; where there is none, or no end to them, the verdict on the first one
 * is the answer. Throws what {@link findChain} throws.
 */
export async function answer(
  question: Question,
  index: CertificateIndex,
  circumstances: Circumstances,
  options: AbortOptions = {},
): Promise<Answer> {
  const remembering = { ...circumstances, memo: circumstances.memo ?? createSignatureMemo() }
  const limits = withDefaults(circumstances.limits)
  const { roots } = circumstances
  const reader = new IndexReader(index, options)
  const read = async <T>(search: (budget: SearchBudget) => Reading<T>) => {
    const budget = new SearchBudget(limits)
    return await reader.run(search(budget), budget.mostSeen)
  }
  // What is wrong with the first shows why, so nothing is left out of it that only some roots would not let through.
  const keepers = commonKeepers(roots)
  const first = await read((budget) =>
    searchChain(question, { ...remembering, keepers, without: new Set(), limits, budget }),
  )
  if (first === undefined) return { verdict: nothingFound(question), proof: [] }
  const proof = proofOf(first)
  const verdict = reduce(question, proof, remembering)
  if (verdict.ok) return { verdict, proof }
  for (const root of roots) {
    const other = await orNothing(read((budget) => seekProof(question, root, remembering, { budget })))
    if (other !== undefined) return { verdict: reduce(question, other.proof, remembering), proof: other.proof }
  }
  return { verdict, proof }
}

/** That one is refused is an answer, also where there are too many others. */
async function orNothing<T>(found: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (isVaultError(error, 'CAPS_LIMIT')) return undefined
    throw error
  }
}

/** The verdict where there is nothing to reduce. */
export function nothingFound(question: Question): Verdict {
  const refusal = refuse('CAPS_NO_CHAIN', 'no certificates were found that would grant it')
  const step = { ...unseenRequest(question), refusal }
  return { ok: false, code: refusal.code, trace: [step] }
}
