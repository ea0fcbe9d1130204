import type { AbortOptions, Bytes, ContentId, Envelope, Link, Signer } from '@vault/core'
import { codecOf, hashOf, isLink, link } from '@vault/core'
import type { Principal } from './principal.ts'
import type { Issuer, Opened, RecordHead } from './record.ts'
import { checkRecord, natural, parseIssuer, recordFormat, secondsOf } from './record.ts'

/**
 * Says that a certificate is still good, for a while, or for one request: what a certificate that asks for validations
 * holds by. It only lets others go on; what is to end at once is revoked.
 */
export interface Validation extends RecordHead<'cap-validation'>, Issuer {
  readonly certificate: Link
  /** The one request for which it is; `null`: for all in its time. */
  readonly request: Link | null
  /** Seconds since 1970: from this one on. Its age counts from here. */
  readonly from: number
  /** Seconds since 1970: up to this one, not including it. */
  readonly until: number
}

export type OpenValidation = Opened<Validation>

/** What a new validation is to say. */
export interface ValidationDraft {
  /** Counts where the certificate names it in its checks, in the same form. */
  readonly issuer: Principal
  /** The number of the last key event of the vault that issues it. */
  readonly epoch?: number
  readonly certificate: ContentId
  readonly request?: ContentId
  readonly from: Date
  readonly until: Date
}

/** The type under which validations are signed. */
export const VALIDATION = 'cap-validation'

const format = recordFormat<typeof VALIDATION, Validation>(
  VALIDATION,
  ['issuer', 'epoch', 'certificate', 'request', 'from', 'until'],
  ({ issuer, epoch, certificate, request, from, until }) => {
    const [begin, end] = [natural(VALIDATION, 'from', from), natural(VALIDATION, 'until', until)]
    checkRecord(begin < end, VALIDATION, 'it ends before it begins')
    return {
      ...parseIssuer(VALIDATION, issuer, epoch),
      certificate: recordLink('certificate', certificate),
      request: request === null ? null : recordLink('request', request),
      from: begin,
      until: end,
    }
  },
)

/** What is signed in a validation, for signers that are not in one place. Throws for contents that no reader takes. */
export const validationPayload: (draft: ValidationDraft) => Bytes = (draft) => format.payload(recordOf(draft))

/** Signs a validation. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID` before anything is signed. */
export async function createValidation(
  draft: ValidationDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign(recordOf(draft), signers, options)
}

/** Reads a validation. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`. Verifies no signature. */
export const openValidation: (envelope: Envelope) => OpenValidation = format.open

function recordOf(draft: ValidationDraft): Validation {
  const { issuer, epoch = null, certificate, request, from, until } = draft
  return {
    type: VALIDATION,
    v: 1,
    issuer,
    epoch,
    certificate: link(certificate),
    request: request === undefined ? null : link(request),
    from: secondsOf(from),
    until: secondsOf(until),
  }
}

/** A link to the payload of a record. */
function recordLink(name: string, value: unknown): Link {
  checkRecord(
    isLink(value) && codecOf(value.id) === 'dag-cbor' && hashOf(value.id) === 'sha2-256',
    VALIDATION,
    `"${name}" is no link to a record`,
  )
  return link(value.id)
}
