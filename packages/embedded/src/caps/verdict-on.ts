import type { AbortOptions } from '@vault/core'
import {
  answer,
  type CertificateIndex,
  type Circumstances,
  nearestMiss,
  type OpenProofCert,
  type Question,
  type Verdict,
} from '@vault/spki-caps'

/** What comes of a question. */
export interface Judged {
  readonly verdict: Verdict
  /** The chain; empty where it needs none, or none was found. */
  readonly proof: readonly OpenProofCert[]
}

/** The verdict with its chain; where there is none that holds, the one that comes nearest, because that is what whoever asks wants to know. */
export async function verdictOn(
  question: Question,
  index: CertificateIndex,
  circumstances: Circumstances,
  options: AbortOptions,
): Promise<Judged> {
  const found = await answer(question, index, circumstances, options)
  if (found.verdict.ok || found.proof.length > 0) return found
  return { verdict: await nearestMiss(question, index, circumstances, options), proof: [] }
}
