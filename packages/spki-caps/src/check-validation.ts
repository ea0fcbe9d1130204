import type { ContentId } from '@vault/core'
import type { Upstream } from './above.ts'
import type { OpenCapCert } from './cap-cert.ts'
import { timeText, unrevoked } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import type { OnlineTest, ValidationCheck } from './online-test.ts'
import { isValidationCheck } from './online-test.ts'
import { principalText } from './principal.ts'
import { secondsOf } from './record.ts'
import type { Outcome } from './refusal.ts'
import { refuse } from './refusal.ts'
import { hearingOf } from './signed-records.ts'
import { speak } from './speak.ts'
import type { SignedValidation } from './validation-view.ts'

/** What a certificate is asked for. */
interface Asking {
  /** Those from whom its issuer has what it grants, and the issuer. */
  readonly upstream: Upstream
  /** The id of the request, where there is a signed one. */
  readonly request: ContentId | undefined
}

/** How the validations stand that a certificate asks for. */
interface ValidationStanding {
  readonly outcome: Outcome
  /** Seconds since 1970 up to which they stand so; `Infinity` where it asks for none. */
  readonly until: number
}

/** Whether a certificate asks for any, by its tests. */
export function asksForValidation(tests: readonly OnlineTest[]): boolean {
  return tests.some(isValidationCheck)
}

/**
 * Whether all have validated a certificate by whom it wants to be validated. That is looked at also where nobody looks
 * at revocations: those take away, and this is a part of what is granted.
 */
export function checkValidation(cert: OpenCapCert, circumstances: Circumstances, asking: Asking): ValidationStanding {
  const notes: string[] = []
  let until = Number.POSITIVE_INFINITY
  for (const test of cert.record.checks.filter(isValidationCheck)) {
    const { outcome, until: end } = standingOfValidation(cert.id, test, circumstances, asking)
    if ('code' in outcome) return { outcome, until: end }
    notes.push(outcome.note)
    until = Math.min(until, end)
  }
  return { outcome: { note: notes.join('; ') }, until }
}

/** Of several that count the one that does so the longest; where none does, what is wrong with the latest. */
export function standingOfValidation(
  certificate: ContentId,
  test: ValidationCheck,
  circumstances: Circumstances,
  asking: Asking,
): ValidationStanding {
  const { by, maxAge, kind } = test
  const name = principalText(by)
  const asked = `at most ${maxAge} s old`
  const none = { until: 0 }
  if (kind === 'once' && asking.request === undefined) {
    const message = `it holds only for a request that ${name} has validated, and no signed request is asked about`
    return { outcome: refuse('CAPS_NOT_VALIDATED', message, { have: 'no request', asked }), ...none }
  }
  const given = circumstances.validations?.of(certificate) ?? []
  const own = given.filter(({ record }) => principalText(record.issuer) === name)
  const forThis = own.filter(({ record }) => record.request?.id === (kind === 'once' ? asking.request : undefined))
  const [latest] = forThis.toSorted((a, b) => b.record.from - a.record.from)
  const good = forThis
    .filter((each) => faultOf(each, test, circumstances, asking) === undefined)
    .map((each) => ({ each, until: endOf(each, test) }))
    .toSorted((a, b) => b.until - a.until)[0]
  if (good !== undefined) {
    const age = secondsOf(circumstances.now) - good.each.record.from
    const what = kind === 'once' ? 'this request validated' : 'validated'
    return {
      outcome: { note: `${what} by ${name}, ${age} s old, ${asked}, until ${timeText(good.until)}` },
      until: good.until,
    }
  }
  if (latest !== undefined) {
    return { outcome: faultOf(latest, test, circumstances, asking) as Outcome, ...none }
  }
  return { outcome: refuseWithout(test, own[0], asking.request), ...none }
}

/** Why a validation does not count now; `undefined` where it does. */
function faultOf(
  { id, record, voices }: SignedValidation,
  { by, maxAge }: ValidationCheck,
  circumstances: Circumstances,
  { upstream }: Asking,
): Outcome | undefined {
  const { revocations, keys, now } = circumstances
  const { from, until, issuer } = record
  const name = principalText(by)
  const seconds = secondsOf(now)
  const no = (message: string, sides: { have?: string; asked?: string } = {}) =>
    refuse('CAPS_NOT_VALIDATED', message, sides)
  if (seconds < from) {
    return no(`the validation by ${name} begins later`, { have: timeText(from), asked: timeText(seconds) })
  }
  if (seconds >= until) {
    return no(`the validation by ${name} has ended`, { have: timeText(until), asked: timeText(seconds) })
  }
  if (seconds - from > maxAge) {
    const sides = { have: `${seconds - from} s old`, asked: `at most ${maxAge} s old` }
    return no(`the validation by ${name} is too old`, sides)
  }
  if (revocations !== 'unchecked' && revocations.revokers(id).some((text) => text === name || upstream.has(text))) {
    return no(`the validation by ${name} was revoked`)
  }
  const may = { has: (text: string) => text === name || upstream.has(text) }
  if (!speak(issuer, hearingOf(record, unrevoked(voices, circumstances, may), keys)).ok) {
    return no(`the validation by ${name} is signed with a revoked key`)
  }
  return undefined
}

/** Up to which second a validation counts for a test, not including it. */
function endOf({ record }: SignedValidation, { maxAge }: ValidationCheck): number {
  return Math.min(record.until, record.from + maxAge + 1)
}

/** The refusal where there is none for what is asked. */
function refuseWithout(
  { by, maxAge, kind }: ValidationCheck,
  other: SignedValidation | undefined,
  request: ContentId | undefined,
): Outcome {
  const name = principalText(by)
  if (other === undefined) {
    const sides = { have: 'none', asked: `at most ${maxAge} s old` }
    return refuse('CAPS_NOT_VALIDATED', `no validation by ${name}`, sides)
  }
  const have = other.record.request?.id ?? 'for all requests'
  const asked = kind === 'once' ? `${request}` : 'for all requests'
  return refuse('CAPS_NOT_VALIDATED', `no validation by ${name} is for this`, { have, asked })
}
