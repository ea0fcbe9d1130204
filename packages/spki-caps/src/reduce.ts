import type { Circumstances } from './circumstances.ts'
import type { Holding } from './holding.ts'
import { holdingOfRoot } from './holding.ts'
import { withDefaults } from './limits.ts'
import { isAbout } from './name-link.ts'
import type { Principal } from './principal.ts'
import { isByHash, issuingTexts, namesIn, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert } from './proof-cert.ts'
import type { Asked, Question } from './question.ts'
import type { Issued, Named } from './reduction.ts'
import { Reduction } from './reduction.ts'
import type { Root } from './root.ts'
import type { Verdict } from './trace.ts'
import { passedSteps, withoutRoot } from './trace-step.ts'

/**
 * Whether a proof answers a question, from the root to whoever asks. A proof holds what is needed and in order: each
 * certificate after those that grant to its issuer. One that does not hold refuses the whole.
 *
 * A certificate that grants more than its issuer holds is no error: only what both grant goes on. Members of a threshold
 * may each have certificates of their own; what they lead to then needs enough of them. After one that grants to a name come
 * those that say who is called so.
 */
export function reduce(question: Question, proof: readonly OpenProofCert[], circumstances: Circumstances): Verdict {
  const certs = linksOf(proof, circumstances.roots)
  const [first] = certs
  const roots = circumstances.roots.map((root) => ({ root, held: heldAt(root, circumstances) }))
  const candidates = roots.filter(({ held }) => first === undefined || beginsAt(first, held))
  let best: Verdict | undefined
  for (const { root, held } of candidates) {
    const verdict = new Reduction(question, circumstances, root, held).run(certs)
    if (verdict.ok) return verdict
    if (best === undefined || passedSteps(verdict) > passedSteps(best)) best = verdict
  }
  return best ?? withoutRoot(question, proof)
}

/** A verdict at one root. */
export interface Judged {
  readonly verdict: Verdict
  /** How many certificates may follow where it is granted. */
  readonly left: number
}

/** The same at one root, also of what is not asked. */
export function reduceAt(
  root: Root,
  asked: Asked,
  proof: readonly OpenProofCert[],
  circumstances: Omit<Circumstances, 'roots'>,
): Judged {
  const roots = [root]
  const reduction = new Reduction(asked, { ...circumstances, roots }, root, heldAt(root, circumstances))
  const verdict = reduction.run(linksOf(proof, roots))
  return { verdict, left: reduction.left }
}

function linksOf(proof: readonly OpenProofCert[], roots: readonly Root[]): readonly (Issued | Named)[] {
  // The hashes of a key cost as much as all else of a link: they are made where somebody is meant by one.
  const isMeant = roots.some(({ subject }) => isByHash(subject)) || proof.some(({ record }) => isByHash(record.subject))
  const textsOf = isMeant ? issuingTexts : (issuer: Principal) => [principalText(issuer)]
  return proof.map((cert) => (isNameCert(cert) ? { cert } : { cert, texts: textsOf(cert.record.issuer) }))
}

function beginsAt(first: Issued | Named, { subject, parts }: Holding): boolean {
  if ('texts' in first) return first.texts.some((text) => parts.has(text))
  return namesIn(subject).some((name) => isAbout(first.cert, name))
}

function heldAt(root: Root, { limits }: Pick<Circumstances, 'limits'>): Holding {
  return holdingOfRoot(root, withDefaults(limits).depth)
}
