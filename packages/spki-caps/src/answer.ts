import type { AbortOptions, ContentId } from '@vault/core'
import type { CertificateIndex } from './certificate-index.ts'
import type { Circumstances } from './circumstances.ts'
import { findChain } from './find-chain.ts'
import type { OpenProofCert } from './proof-cert.ts'
import type { Question } from './question.ts'
import { reduce } from './reduce.ts'
import { refuse } from './refusal.ts'
import type { Verdict } from './trace.ts'
import { unseenRequest } from './trace-step.ts'
import { createSignatureMemo } from './voices.ts'

/** A verdict, with the proof that it is about. */
export interface Answer {
  readonly verdict: Verdict
  readonly proof: readonly OpenProofCert[]
}

/** Each attempt leaves out one certificate that did not hold in the chain that the last one found. */
const MAX_ATTEMPTS = 16

/**
 * Looks for a proof and reduces it. A certificate that does not hold in the chain that was found, because someone above it
 * revoked it, is left out of the next search. Throws what {@link findChain} throws.
 */
export async function answer(
  question: Question,
  index: CertificateIndex,
  circumstances: Circumstances,
  options: AbortOptions = {},
): Promise<Answer> {
  const remembering = { ...circumstances, memo: circumstances.memo ?? createSignatureMemo() }
  const without = new Set<ContentId>()
  let last: Answer | undefined
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    // The first shows what is wrong; then nothing is tried that whoever is above all of it has taken back.
    const proof = await findChain(question, index, remembering, { ...options, without, unrevoked: attempt > 0 })
    if (proof === undefined) break
    const verdict = reduce(question, proof, remembering)
    last ??= { verdict, proof }
    if (verdict.ok) return { verdict, proof }
    const failed = verdict.trace.find(({ refusal }) => refusal !== undefined)
    if ((failed?.kind !== 'certificate' && failed?.kind !== 'name') || failed.id === undefined) break
    without.add(failed.id)
  }
  return last ?? { verdict: nothingFound(question), proof: [] }
}

/** The verdict where there is nothing to reduce. */
export function nothingFound(question: Question): Verdict {
  const refusal = refuse('CAPS_NO_CHAIN', 'no certificates were found that would grant it')
  const step = { ...unseenRequest(question), refusal }
  return { ok: false, code: refusal.code, trace: [step] }
}
