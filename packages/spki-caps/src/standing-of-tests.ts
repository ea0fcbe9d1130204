import type { OpenCapCert } from './cap-cert.ts'
import { standingOfValidation } from './check-validation.ts'
import type { Circumstances } from './circumstances.ts'
import { standingOfSet } from './freshness.ts'
import type { OnlineTest } from './online-test.ts'
import { isValidationCheck } from './online-test.ts'
import { principalText } from './principal.ts'
import { secondsOf } from './record.ts'

/** How one of the tests of a certificate stands now. */
export interface TestStanding {
  readonly test: OnlineTest
  readonly holds: boolean
  /** For people. */
  readonly note: string
}

/** How the tests of a certificate stand by themselves, for people: what they come to is seen in a chain. Of one for each request there is nothing to say before it is asked. */
export function standingOfTests(cert: OpenCapCert, circumstances: Circumstances): readonly TestStanding[] {
  const { issuer, checks } = cert.record
  const { revocations, now } = circumstances
  const asking = { upstream: new Set([principalText(issuer)]), request: undefined }
  return checks.map((test) => {
    if (isValidationCheck(test)) {
      const { outcome } = standingOfValidation(cert.id, test, circumstances, asking)
      return 'code' in outcome
        ? { test, holds: false, note: outcome.message }
        : { test, holds: true, note: outcome.note }
    }
    if (revocations === 'unchecked') return { test, holds: false, note: 'no set of revocations is looked at' }
    const { fresh, note } = standingOfSet(revocations, principalText(test.by), test.maxAge, secondsOf(now))
    return { test, holds: fresh, note: `${note}, at most ${test.maxAge} s old` }
  })
}
