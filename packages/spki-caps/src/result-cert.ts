import type { KeyId } from '@vault/core'
import type { CapCertDraft } from './cap-cert.ts'
import { thresholdPrincipal } from './principal.ts'
import { secondsOf } from './record.ts'
import type { Verdict } from './trace.ts'

/** What was revoked since is not seen by those who go by a result. */
const MAX_SECONDS = 60 * 60

/**
 * A certificate that stands for a whole chain: whoever reduced it grants, by a key of their own, what it grants, to those
 * who asked, for at most an hour. Sign it with `createCapCert`; it is good for those who have a root for the issuer
 * (RFC 2693, section 6.6). Throws a `RangeError` for another time, where nothing is left of the
 * chain's, and for what was granted for one request only.
 */
export function resultCert(
  { effective }: Extract<Verdict, { readonly ok: true }>,
  result: {
    readonly issuer: KeyId
    readonly now: Date
    /** For so long, at most 3,600. */
    readonly seconds: number
    /** 16 bytes, drawn at random. */
    readonly nonce: Uint8Array
  },
): CapCertDraft {
  const { issuer, now, seconds, nonce } = result
  if (effective.once) throw new RangeError('It was granted for one request only, so no certificate can stand for it.')
  if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
    throw new RangeError(`A result holds for 1 to ${MAX_SECONDS} seconds, not ${seconds}.`)
  }
  const from = secondsOf(now)
  const expires = Math.min(from + seconds, effective.expires ?? Number.POSITIVE_INFINITY)
  if (expires <= from) throw new RangeError('The chain has ended, so there is no result of it.')
  const { keys, tag } = effective
  return {
    issuer,
    // All who asked together: any of them alone may not have been enough.
    subject: keys.length === 1 ? (keys[0] as KeyId) : thresholdPrincipal(keys.length, keys),
    tag,
    notBefore: new Date(from * 1000),
    expires: new Date(expires * 1000),
    comment: `result of a chain from root ${effective.root}`.slice(0, 256).toWellFormed(),
    nonce,
  }
}
