import { fromUtf8, utf8, VaultError } from '@vault/core'
import type { CapsErrorCode } from '../error.ts'

/** An S-expression of RFC 9804: a list, or an octet string that may have a display hint. */
export type Sexp = Octets | readonly Sexp[]

/** An octet string. */
export interface Octets {
  readonly bytes: Uint8Array
  /** How to show it, as in `image/png`. */
  readonly hint?: Uint8Array
}

/** A list of words and of lists: how S-expressions are written in programs. */
export type SexpText = string | readonly SexpText[]

export function sexp(value: SexpText): Sexp {
  return typeof value === 'string' ? { bytes: utf8(value) } : value.map(sexp)
}

export function isOctets(value: Sexp): value is Octets {
  return !Array.isArray(value)
}

/** The text of an octet string without a hint; `undefined` for everything else, and for what is not UTF-8. */
export function textOf(value: Sexp | undefined): string | undefined {
  if (value === undefined || !isOctets(value) || value.hint !== undefined) return undefined
  try {
    return fromUtf8(value.bytes)
  } catch {
    return undefined
  }
}

export function invalidSexp(reason: string): VaultError<CapsErrorCode> {
  return new VaultError({ code: 'CAPS_SEXP_INVALID', message: `Not the S-expression that is wanted: ${reason}.` })
}
