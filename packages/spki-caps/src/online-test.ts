import { hasFields } from '@vault/core'
import type { Principal } from './principal.ts'
import { namesIn, parsePrincipal } from './principal.ts'
import { checkRecord, natural } from './record.ts'

/** What a certificate asks to be known each time, beside its own dates: the online tests of RFC 2693, section 5.2. */
export type OnlineTest = RevocationCheck | ValidationCheck

/** The certificate holds only while this principal has lately said what is revoked. */
export interface RevocationCheck {
  readonly by: Principal
  /** At most so many seconds ago. */
  readonly maxAge: number
}

/** The certificate holds only while this principal has lately said that it is still good. */
export interface ValidationCheck extends RevocationCheck {
  /** `once`: and only for a request of which it has said that this one may pass. */
  readonly kind: 'validation' | 'once'
}

const MAX_TESTS = 4

/** Whether it asks for a validation, and not for a set of revocations. */
export function isValidationCheck(test: OnlineTest): test is ValidationCheck {
  return 'kind' in test
}

/** Whether it lets each request pass by itself. */
export function isOnce(test: OnlineTest): boolean {
  return isValidationCheck(test) && test.kind === 'once'
}

/** A decoded value as the tests of a certificate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`. */
export function parseOnlineTests(type: string, value: unknown): readonly OnlineTest[] {
  checkRecord(Array.isArray(value) && value.length <= MAX_TESTS, type, `"checks" is no list of at most ${MAX_TESTS}`)
  return value.map((test: unknown) => {
    if (hasFields(test, 'by', 'maxAge')) return parseAge(type, test)
    checkRecord(
      hasFields(test, 'by', 'maxAge', 'kind'),
      type,
      'a check is not a map of "by" and "maxAge", and "kind" where it is another than a set of revocations',
    )
    const { kind } = test
    checkRecord(kind === 'validation' || kind === 'once', type, '"kind" is neither validation nor once')
    return { ...parseAge(type, test), kind }
  })
}

function parseAge(type: string, { by, maxAge }: Readonly<Record<'by' | 'maxAge', unknown>>): RevocationCheck {
  const principal = parsePrincipal(by)
  checkRecord(namesIn(principal).length === 0, type, 'a check is by a name, which signs nothing')
  return { by: principal, maxAge: natural(type, 'maxAge', maxAge) }
}
