import { VaultError } from '@vault/core'

/** The `code` of the errors of this package. */
export type CapsErrorCode =
  /** A value that is no tag in its one form, or one that is too large. */
  | 'CAPS_TAG_INVALID'
  /** A value that is no principal in its one form. */
  | 'CAPS_PRINCIPAL_INVALID'
  /** Bytes or values that are not the record that they should be: a certificate, a request, a revocation, a set of them. */
  | 'CAPS_RECORD_INVALID'
  /** Bytes or a value that are not the S-expression that is wanted. */
  | 'CAPS_SEXP_INVALID'
  /** There is more to look through than the limit allows: certificates in a search, chains in a list. `details.limit`. */
  | 'CAPS_LIMIT'
  /** What was asked is not granted. `details.findings` has the reason, `details.trace` the lines of `explain`. */
  | 'CAPS_DENIED'

export function invalidTag(reason: string): VaultError<CapsErrorCode> {
  return new VaultError({ code: 'CAPS_TAG_INVALID', message: `Not a tag: ${reason}.` })
}

export function invalidPrincipal(reason: string, cause?: unknown): VaultError<CapsErrorCode> {
  return new VaultError({ code: 'CAPS_PRINCIPAL_INVALID', message: `Not a principal: ${reason}.`, cause })
}

export function invalidRecord(type: string, reason: string, cause?: unknown): VaultError<CapsErrorCode> {
  return new VaultError({ code: 'CAPS_RECORD_INVALID', message: `Not a ${type} record: ${reason}.`, cause })
}

export function limitReached(what: string, limit: number): VaultError<CapsErrorCode> {
  return new VaultError({
    code: 'CAPS_LIMIT',
    message: `There are more than ${limit} ${what}. Ask a narrower question, or allow more.`,
    details: { limit },
  })
}
