import type { Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import { checkRecord, natural } from './record.ts'

/** What all certificates have in common: for how long they hold, and what tells them apart. */
export interface CertTerms {
  /** Seconds since 1970: from this one on. `null`: from ever. */
  readonly notBefore: number | null
  /** Seconds since 1970: up to this one, not including it. `null`, which must be written, is for ever. */
  readonly expires: number | null
  /** 16 unpredictable bytes: two certificates that say the same are revoked apart. */
  readonly nonce: Bytes
  /** For people; decides nothing. */
  readonly comment: string | null
}

const NONCE_LENGTH = 16
const MAX_COMMENT = 256

/** Decoded values as the terms of a certificate. Throws `CAPS_RECORD_INVALID`. */
export function parseTerms(
  type: string,
  { notBefore, expires, nonce, comment }: Readonly<Record<keyof CertTerms, unknown>>,
): CertTerms {
  const from = notBefore === null ? null : natural(type, 'notBefore', notBefore)
  const until = expires === null ? null : natural(type, 'expires', expires)
  checkRecord(from === null || until === null || from < until, type, 'it expires before it begins')
  checkRecord(
    nonce instanceof Uint8Array && nonce.length === NONCE_LENGTH,
    type,
    `"nonce" is not ${NONCE_LENGTH} bytes`,
  )
  checkRecord(
    comment === null || (typeof comment === 'string' && comment.length > 0 && comment.length <= MAX_COMMENT),
    type,
    `"comment" is not a text of 1 to ${MAX_COMMENT} characters`,
  )
  return { notBefore: from, expires: until, nonce: copyBytes(nonce), comment }
}
