import type { OpenCapCert } from './cap-cert.ts'
import { principalText } from './principal.ts'
import type { Question } from './question.ts'
import { refuse } from './refusal.ts'
import type { Check, TraceStep, Verdict } from './trace.ts'

/** A certificate of which nothing was seen yet. */
export function unseenCert({ id, record }: OpenCapCert): TraceStep {
  const { issuer, subject, tag, delegate, expires } = record
  return {
    kind: 'certificate',
    id,
    from: principalText(issuer),
    to: principalText(subject),
    tag,
    delegate,
    ...(expires === null ? {} : { expires }),
    checks: [],
  }
}

/** A request of which nothing was seen yet. */
export function unseenRequest({ id, tag, voices }: Question): TraceStep {
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
export function withoutRoot(question: Question, proof: readonly OpenCapCert[]): Verdict {
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
