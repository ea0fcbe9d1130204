import type { Envelope } from '@vault/core'
import { copyBytes, equalBytes, publicKeyOf } from '@vault/core'
import { timeText } from '../check-cert.ts'
import { openPrincipalObject } from '../principal-object.ts'
import type { Sexp } from './sexp.ts'
import { invalidSexp, isOctets, sexp, textOf } from './sexp.ts'
import { encodeSexp } from './write-sexp.ts'

/**
 * Writes a principal with its statistics as `(object (type principal) (name …) (key #…#) (stats …) (signature #…#))`, for people and other
 * software. The signature is that of the record, whose bytes lie beside it in `payload`. Throws `CAPS_RECORD_INVALID`.
 */
export function writePrincipal(envelope: Envelope): Sexp {
  const { name, key, created, seq, prev, stats } = openPrincipalObject(envelope).record
  const signature = envelope.signatures.find((each) => each.key === key)
  return [
    sexp('object'),
    sexp(['type', 'principal']),
    sexp(['name', name]),
    [sexp('key'), { bytes: publicKeyOf(key) }],
    sexp([
      'stats',
      ['signatures-issued', `${stats.signaturesIssued}`],
      ['delegations-granted', `${stats.delegationsGranted}`],
      ['last-active', timeText(stats.lastActive)],
      ['created', created],
    ]),
    sexp(['checkpoint', ['seq', `${seq}`], ...(prev === null ? [] : [['prev', prev.id]])]),
    [sexp('payload'), { bytes: envelope.payload }],
    ...(signature === undefined ? [] : [[sexp('signature'), { bytes: signature.signature }]]),
  ]
}

/**
 * The signed record in such an object, whose other fields must be those that it gives. Throws `CAPS_SEXP_INVALID` where they are not,
 * `CAPS_RECORD_INVALID`. Verifies no signature: see `verifyPrincipalObject`.
 */
export function readPrincipal(value: Sexp): Envelope {
  const octets = (name: string) => {
    const field = isOctets(value) ? undefined : value.find((each) => !isOctets(each) && textOf(each[0]) === name)
    const [, content, ...others] = field === undefined || isOctets(field) ? [] : field
    if (content === undefined || others.length > 0 || !isOctets(content))
      throw invalidSexp(`"${name}" is not one value`)
    return copyBytes(content.bytes)
  }
  const envelope = { payload: octets('payload'), signatures: [] }
  const { key } = openPrincipalObject(envelope).record
  const signed = { ...envelope, signatures: [{ key, signature: octets('signature') }] }
  if (!equalBytes(encodeSexp(writePrincipal(signed)), encodeSexp(value))) {
    throw invalidSexp('what it says is not what its payload says')
  }
  return signed
}
