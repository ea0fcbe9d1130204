import type { Bytes } from '@vault/core'
import { concatBytes, toHex, utf8 } from '@vault/core'
import type { Octets, Sexp } from './sexp.ts'
import { isOctets } from './sexp.ts'

/** The canonical form of RFC 9804. */
export function encodeSexp(value: Sexp): Bytes {
  if (!isOctets(value)) return concatBytes(utf8('('), ...value.map(encodeSexp), utf8(')'))
  const { hint, bytes } = value
  return hint === undefined ? verbatim(bytes) : concatBytes(utf8('['), verbatim(hint), utf8(']'), verbatim(bytes))
}

/** The advanced form of RFC 9804, for people: tokens and quoted text where there are such, hexadecimal digits elsewhere. */
export function formatSexp(value: Sexp): string {
  if (!isOctets(value)) return `(${value.map(formatSexp).join(' ')})`
  const { hint, bytes } = value
  return `${hint === undefined ? '' : `[${octetsText(hint)}]`}${octetsText(bytes)}`
}

function verbatim(bytes: Uint8Array): Bytes {
  return concatBytes(utf8(`${bytes.length}:`), bytes)
}

function octetsText(bytes: Octets['bytes']): string {
  const text = bytes.length <= 1024 ? String.fromCharCode(...bytes) : ''
  if (/^[A-Za-z\-./_:*+=][A-Za-z0-9\-./_:*+=]*$/.test(text)) return text
  if (text !== '' && /^[\x20-\x7e]*$/.test(text)) return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
  return bytes.length === 0 ? '""' : `#${toHex(bytes)}#`
}
