import type { AbortOptions, Bytes, Envelope, Signer } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { CertTerms } from './cert-terms.ts'
import { parseTerms } from './cert-terms.ts'
import type { OnlineTest } from './online-test.ts'
import { parseOnlineTests } from './online-test.ts'
import { parseTag } from './parse-tag.ts'
import type { Principal } from './principal.ts'
import { parsePrincipal } from './principal.ts'
import type { Issuer, Opened, RecordFormat, RecordHead } from './record.ts'
import { checkRecord, natural, parseIssuer, recordFormat, secondsOf } from './record.ts'
import type { Tag } from './tag.ts'

/** The issuer grants the tag to the subject, as far as the issuer holds it. */
export interface CapCert extends RecordHead<'cap'>, Issuer, CertTerms {
  readonly subject: Principal
  readonly tag: Tag
  /** Whether the subject may grant it on. */
  readonly delegate: boolean
  /** How many certificates may follow in a chain, at least 1; `null` for any number. `null` where it may not be granted on. */
  readonly depth: number | null
  /** Sets of revocations, and validations, without which it does not hold. */
  readonly checks: readonly OnlineTest[]
}

/** A certificate that was read. Nothing is verified yet: that is for `authorize`. */
export type OpenCapCert = Opened<CapCert>

/** What a new certificate is to say. */
export interface CapCertDraft {
  readonly issuer: Principal
  readonly subject: Principal
  readonly tag: Tag
  /** Default: it may not be granted on. */
  readonly delegate?: boolean
  readonly depth?: number
  readonly notBefore?: Date
  /** `null`: for ever. There is no default. */
  readonly expires: Date | null
  /** The number of the last key event of the vault that issues it. */
  readonly epoch?: number
  readonly checks?: readonly OnlineTest[]
  readonly comment?: string
  /** 16 bytes, drawn at random. */
  readonly nonce: Uint8Array
}

/** The type under which certificates are signed. */
export const CAP_CERT = 'cap'

/** How they are read and written. */
export const capCertFormat: RecordFormat<CapCert> = recordFormat<typeof CAP_CERT, CapCert>(
  CAP_CERT,
  ['issuer', 'epoch', 'subject', 'tag', 'delegate', 'depth', 'notBefore', 'expires', 'checks', 'nonce', 'comment'],
  ({ issuer, epoch, subject, tag, delegate, depth, notBefore, expires, checks, nonce, comment }) => {
    checkRecord(typeof delegate === 'boolean', CAP_CERT, '"delegate" is not true or false')
    const furthest = depth === null ? null : natural(CAP_CERT, 'depth', depth)
    checkRecord(
      furthest === null || (delegate && furthest > 0),
      CAP_CERT,
      '"depth" is 0, or what it bounds is not allowed',
    )
    const terms = parseTerms(CAP_CERT, { notBefore, expires, nonce, comment })
    return {
      ...parseIssuer(CAP_CERT, issuer, epoch),
      subject: parsePrincipal(subject),
      tag: parseTag(tag),
      delegate,
      depth: furthest,
      checks: parseOnlineTests(CAP_CERT, checks),
      ...terms,
    }
  },
)

/** What is signed in a certificate, for signers that are not in one place. Throws for contents that no reader takes. */
export const capCertPayload: (draft: CapCertDraft) => Bytes = (draft) => capCertFormat.payload(recordOf(draft))

/**
 * Signs a certificate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`, `CAPS_TAG_INVALID` before anything is
 * signed. Whether the issuer holds what it grants is seen when the certificate is used: what it does not hold, it does
 * not grant. `lintTag` tells beforehand.
 */
export async function createCapCert(
  draft: CapCertDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  return await capCertFormat.sign(recordOf(draft), signers, options)
}

/** Reads a certificate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`, `CAPS_TAG_INVALID`. Verifies no signature. */
export const openCapCert: (envelope: Envelope) => OpenCapCert = capCertFormat.open

function recordOf(draft: CapCertDraft): CapCert {
  const { issuer, subject, tag, delegate = false, notBefore, expires } = draft
  const { depth = null, epoch = null, checks = [], comment = null, nonce } = draft
  return {
    type: CAP_CERT,
    v: 1,
    issuer,
    epoch,
    subject,
    tag,
    delegate,
    depth,
    notBefore: notBefore === undefined ? null : secondsOf(notBefore),
    expires: expires === null ? null : secondsOf(expires),
    checks,
    nonce: copyBytes(nonce),
    comment,
  }
}
