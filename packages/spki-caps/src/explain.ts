import { timeText } from './check-cert.ts'
import { tagText } from './tag-text.ts'
import type { CheckState, TraceStep, Verdict } from './trace.ts'

const MARKS: Readonly<Record<CheckState, string>> = { passed: '✓', failed: '✗', unchecked: '–' }

/** A verdict as lines for people: each link with what was seen of it, and where the chain stops. */
export function explain({ trace, ...verdict }: Verdict): readonly string[] {
  const lines = trace.flatMap((step, i) => [`${headOf(step, i, trace)}`, ...detailsOf(step)])
  if ('effective' in verdict) {
    const { root, tag, expires } = verdict.effective
    return [...lines, `GRANTED from root ${root}: ${tagText(tag)} ${untilText(expires ?? undefined)}`]
  }
  const at = trace.findIndex(({ refusal }) => refusal !== undefined)
  return [...lines, `DENIED at ${nameOf(trace[at] as TraceStep, at, trace)} (${verdict.code})`]
}

function headOf(step: TraceStep, i: number, trace: readonly TraceStep[]): string {
  const { from, to, tag, kind, delegate, expires } = step
  const state = step.refusal !== undefined ? MARKS.failed : step.checks.length === 0 ? MARKS.unchecked : MARKS.passed
  const what = tag === undefined ? '' : `  ${kind === 'request' ? 'asks' : 'grants'} ${tagText(tag)}`
  const further = delegate === undefined ? '' : `  redelegate ${delegate ? 'yes' : 'no'}`
  const until = delegate === undefined && kind !== 'name' ? '' : `  ${untilText(expires)}`
  const who = to === '' ? from : `${from} → ${to}`
  return `${state} ${nameOf(step, i, trace)}  ${who}${what}${further}${until}`
}

/** Hops are counted from the root, so the first certificate is hop 1. */
function nameOf({ kind, id }: TraceStep, i: number, trace: readonly TraceStep[]): string {
  if (kind === 'name') return `name, certificate ${id}`
  if (kind !== 'certificate') return kind
  const hop = trace.slice(0, i + 1).filter((step) => step.kind === 'certificate').length
  return `hop ${hop}, certificate ${id}`
}

function detailsOf({ checks, refusal }: TraceStep): readonly string[] {
  const seen = checks.map(
    ({ name, state, note }) => `    ${MARKS[state]} ${name}: ${state === 'unchecked' ? 'not checked, ' : ''}${note}`,
  )
  if (refusal === undefined) return checks.length === 0 ? ['    – not checked'] : seen
  const { have, asked, message } = refusal
  const sides = [have === undefined ? '' : `  have ${have}`, asked === undefined ? '' : `  asked ${asked}`].join('')
  return [...seen, `    STOP: ${message}${sides}`]
}

function untilText(expires: number | undefined): string {
  return expires === undefined ? 'for ever' : `until ${timeText(expires)}`
}
