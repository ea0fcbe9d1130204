import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { hasFields, isLink, link } from '@vault/core'
import type { Principal } from './principal.ts'
import type { Issuer, Opened, RecordHead } from './record.ts'
import { checkRecord, keyField, natural, parseIssuer, recordFormat, secondsOf } from './record.ts'

/** Says that a certificate, or all that a key signs, no longer counts. For ever: there is no way to take it back. */
export interface Revocation extends RecordHead<'cap-revocation'>, Issuer {
  readonly target: RevocationTarget
  readonly reason: RevocationReason
  /** Seconds since 1970; a claim of the issuer. */
  readonly at: number
}

export type RevocationTarget = { readonly certificate: Link } | { readonly key: KeyId }

export type RevocationReason = 'key-compromise' | 'superseded' | 'cessation' | 'issued-in-error' | 'migration'

export type OpenRevocation = Opened<Revocation>

/** What a new revocation is to say. */
export interface RevocationDraft {
  /**
   * Counts where it is the certificate's issuer, someone from whom the issuer has it, the principal that keeps the
   * revocations of the root, or one that the certificate names in its checks. A key may be revoked by itself besides.
   */
  readonly issuer: Principal
  readonly epoch?: number
  readonly target: { readonly certificate: ContentId } | { readonly key: KeyId }
  readonly reason: RevocationReason
  readonly at: Date
}

/** The type under which revocations are signed. */
export const REVOCATION = 'cap-revocation'

const REASONS: readonly unknown[] = [
  'key-compromise',
  'superseded',
  'cessation',
  'issued-in-error',
  'migration',
] satisfies RevocationReason[]

const format = recordFormat<typeof REVOCATION, Revocation>(
  REVOCATION,
  ['issuer', 'epoch', 'target', 'reason', 'at'],
  ({ issuer, epoch, target, reason, at }) => {
    checkRecord(isReason(reason), REVOCATION, '"reason" is none that is known')
    return {
      ...parseIssuer(REVOCATION, issuer, epoch),
      target: parseTarget(target),
      reason,
      at: natural(REVOCATION, 'at', at),
    }
  },
)

/** What is signed in a revocation, for signers that are not in one place. Throws for contents that no reader takes. */
export const revocationPayload: (draft: RevocationDraft) => Bytes = (draft) => format.payload(recordOf(draft))

/** Signs a revocation. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID` before anything is signed. */
export async function createRevocation(
  draft: RevocationDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign(recordOf(draft), signers, options)
}

/** Reads a revocation. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`. Verifies no signature. */
export const openRevocation: (envelope: Envelope) => OpenRevocation = format.open

function recordOf(draft: RevocationDraft): Revocation {
  const { issuer, epoch = null, target, reason, at } = draft
  const named = 'key' in target ? { key: target.key } : { certificate: link(target.certificate) }
  return { type: REVOCATION, v: 1, issuer, epoch, target: named, reason, at: secondsOf(at) }
}

function parseTarget(value: unknown): RevocationTarget {
  if (hasFields(value, 'certificate')) {
    checkRecord(isLink(value.certificate), REVOCATION, '"certificate" is no link')
    return { certificate: link(value.certificate.id) }
  }
  checkRecord(hasFields(value, 'key'), REVOCATION, '"target" is neither a certificate nor a key')
  return { key: keyField(REVOCATION, 'key', value.key) }
}

function isReason(value: unknown): value is RevocationReason {
  return REASONS.includes(value)
}
