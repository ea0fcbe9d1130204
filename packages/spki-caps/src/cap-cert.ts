import type { AbortOptions, Bytes, Envelope, Signer } from '@vault/core'
import { copyBytes, isVaultError } from '@vault/core'
import type { OnlineTest } from './online-test.ts'
import { parseOnlineTests } from './online-test.ts'
import { parseTag } from './parse-tag.ts'
import type { Principal } from './principal.ts'
import { parsePrincipal } from './principal.ts'
import type { Issuer, Opened, RecordHead } from './record.ts'
import { checkRecord, natural, parseIssuer, recordFormat, secondsOf } from './record.ts'
import type { Tag } from './tag.ts'

/** The issuer grants the tag to the subject, as far as the issuer holds it. */
export interface CapCert extends RecordHead<'cap'>, Issuer {
  readonly subject: Principal
  readonly tag: Tag
  /** Whether the subject may grant it on. */
  readonly delegate: boolean
  /** How many certificates may follow in a chain, at least 1; `null` for any number. `null` where it may not be granted on. */
  readonly depth: number | null
  /** Seconds since 1970: from this one on. `null`: from ever. */
  readonly notBefore: number | null
  /** Seconds since 1970: up to this one, not including it. `null`, which must be written, is for ever. */
  readonly expires: number | null
  /** Sets of revocations, and validations, without which it does not hold. */
  readonly checks: readonly OnlineTest[]
  /** 16 unpredictable bytes: two certificates that say the same are revoked apart. */
  readonly nonce: Bytes
  /** For people; decides nothing. */
  readonly comment: string | null
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
const NONCE_LENGTH = 16
const MAX_COMMENT = 256

const format = recordFormat<typeof CAP_CERT, CapCert>(
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
    const from = notBefore === null ? null : natural(CAP_CERT, 'notBefore', notBefore)
    const until = expires === null ? null : natural(CAP_CERT, 'expires', expires)
    checkRecord(from === null || until === null || from < until, CAP_CERT, 'it expires before it begins')
    checkRecord(
      nonce instanceof Uint8Array && nonce.length === NONCE_LENGTH,
      CAP_CERT,
      `"nonce" is not ${NONCE_LENGTH} bytes`,
    )
    checkRecord(
      comment === null || (typeof comment === 'string' && comment.length > 0 && comment.length <= MAX_COMMENT),
      CAP_CERT,
      `"comment" is not a text of 1 to ${MAX_COMMENT} characters`,
    )
    return {
      ...parseIssuer(CAP_CERT, issuer, epoch),
      subject: parsePrincipal(subject),
      tag: parseTag(tag),
      delegate,
      depth: furthest,
      notBefore: from,
      expires: until,
      checks: parseOnlineTests(CAP_CERT, checks),
      nonce: copyBytes(nonce),
      comment,
    }
  },
)

/** What is signed in a certificate, for signers that are not in one place. Throws for contents that no reader takes. */
export const capCertPayload: (draft: CapCertDraft) => Bytes = (draft) => format.payload(recordOf(draft))

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
  return await format.sign(recordOf(draft), signers, options)
}

/** Reads a certificate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`, `CAPS_TAG_INVALID`. Verifies no signature. */
export const openCapCert: (envelope: Envelope) => OpenCapCert = format.open

/** As {@link openCapCert}, for stores, which may hold what is no certificate: nobody is granted anything by it. */
export function tryOpenCapCert(envelope: Envelope): OpenCapCert | undefined {
  try {
    return openCapCert(envelope)
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}

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
