import { definedName } from './name-link.ts'
import { principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert } from './proof-cert.ts'
import type { Question } from './question.ts'
import { refuse } from './refusal.ts'
import type { Check, TraceStep, Verdict } from './trace.ts'

/** A certificate of which nothing was seen yet. */
export function unseenCert(cert: OpenProofCert): TraceStep {
  const { subject, expires } = cert.record
  const common = {
    id: cert.id,
    to: principalText(subject),
    ...(expires === null ? {} : { expires }),
    checks: [],
  }
  if (isNameCert(cert)) return { kind: 'name', from: principalText(definedName(cert)), ...common }
  const { issuer, tag, delegate } = cert.record
  return { kind: 'certificate', from: principalText(issuer), tag, delegate, ...common }
}

/** A request of which nothing was seen yet. */
export function unseenRequest({ id, tag, voices }: Pick<Question, 'id' | 'tag' | 'voices'>): TraceStep {
  return {
    kind: 'request',
    ...(id === undefined ? {} : { id }),
    from: voices.claimed.join(', '),
    to: '',
    tag,
    checks: [],
  }
}

/** How far a verdict got. */
export function passedSteps({ trace }: Verdict): number {
  return trace.filter(({ checks, refusal }) => checks.length > 0 && refusal === undefined).length
}

/** The refusal of a proof that begins at no root. */
export function withoutRoot(question: Question, proof: readonly OpenProofCert[]): Verdict {
  const [first, ...rest] = proof
  const refusal = refuse('CAPS_NO_ROOT', 'no root begins with its issuer')
  const checks: readonly Check[] = [{ name: 'chain', state: 'failed', note: refusal.message }]
  const steps = first === undefined ? [] : [{ ...unseenCert(first), checks, refusal }, ...rest.map(unseenCert)]
  const last = unseenRequest(question)
  return {
    ok: false,
    code: refusal.code,
    trace: [...steps, first === undefined ? { ...last, checks, refusal } : last],
  }
}
