import type { AbortOptions, ContentId } from '@vault/core'
import { isNameCert, isValidationCheck, openProofCert, principalText, standingOfTests } from '@vault/spki-caps'
import type { VaultCaps } from './vault-caps.ts'

/** A certificate that holds only with something that is said anew again and again, and how that stands now. */
export interface TestedCap {
  readonly certificate: ContentId
  /** The text of whom it grants to. */
  readonly subject: string
  readonly tests: readonly {
    readonly kind: 'revocations' | 'validation' | 'once'
    /** The text of who has to say it. */
    readonly by: string
    /** At most so many seconds ago. */
    readonly maxAge: number
    readonly holds: boolean
    /** For people. */
    readonly note: string
  }[]
}

/** The certificates of a vault that have such tests. */
export async function testedCaps(caps: VaultCaps, options: AbortOptions = {}): Promise<readonly TestedCap[]> {
  const circumstances = await caps.circumstances(options)
  const found: TestedCap[] = []
  for await (const envelope of caps.certificates.all(options)) {
    const cert = openProofCert(envelope)
    if (isNameCert(cert) || cert.record.checks.length === 0) continue
    const tests = standingOfTests(cert, circumstances).map(({ test, holds, note }) => {
      const { by, maxAge } = test
      return {
        kind: isValidationCheck(test) ? test.kind : ('revocations' as const),
        by: principalText(by),
        maxAge,
        holds,
        note,
      }
    })
    found.push({ certificate: cert.id, subject: principalText(cert.record.subject), tests })
  }
  return found
}
