import type { Circumstances, OpenProofCert, Question } from '@vault/spki-caps'
import { createSignatureMemo, reduce } from '@vault/spki-caps'

/**
 * Whether any of these certificates, in any order, are a proof that the reduction grants: all are tried. `undefined` where there are more than
 * so many. A beginning that is refused at a certificate is refused with whatever follows.
 */
export function isProvable(
  certificates: readonly OpenProofCert[],
  question: Question,
  circumstances: Circumstances,
  most = 20_000,
): boolean | undefined {
  const remembering = { ...circumstances, memo: createSignatureMemo() }
  const waiting: (readonly OpenProofCert[])[] = [[]]
  let tried = 0
  for (let proof = waiting.pop(); proof !== undefined; proof = waiting.pop()) {
    if (++tried > most) return undefined
    const verdict = reduce(question, proof, remembering)
    if (verdict.ok) return true
    if (verdict.trace.find(({ refusal }) => refusal !== undefined)?.kind !== 'request') continue
    for (const cert of certificates) if (!proof.includes(cert)) waiting.push([...proof, cert])
  }
  return false
}
