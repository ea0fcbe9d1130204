import { originOf } from '@vault/audit-chain'
import type { AbortOptions, Bytes, Signer } from '@vault/core'
import { copyBytes, decodeEnvelope, encodeEnvelope, VaultError } from '@vault/core'
import { parseHandoff } from '../records/handoff.ts'
import type {
  Certificate,
  CertifiedAudit,
  CertifiedPossession,
  CertifiedTimes,
  CertifiedTransfer,
  CertifiedVerification,
} from './certificate.ts'
import { certificateFormat } from './certificate.ts'
import type { CertificateErrorCode } from './error.ts'
import { verifyCertificate } from './verify-certificate.ts'

/** What a certificate is made of, beside what the hand-off already says. */
export interface CertificateParts {
  /** The canonical bytes. */
  readonly plan: Uint8Array
  /** Envelopes, the inception first, the event of this move last. */
  readonly keyEvents: readonly Uint8Array[]
  readonly acceptance: Uint8Array
  readonly ready: Uint8Array
  readonly handoff: Uint8Array
  readonly verification: CertifiedVerification
  readonly transfer: CertifiedTransfer
  readonly possession: CertifiedPossession
  readonly audit: Omit<CertifiedAudit, 'origin' | 'source'>
  /**
   * By the clocks of source and target, which may differ: what is after the hand-off by one clock and before it by the other
   * is put at its time.
   */
  readonly times: Omit<CertifiedTimes, 'handed_off'>
}

/**
 * Makes a certificate, signed by the log keys that the vault has after the hand-off. Throws
 * `MIGRATION_CERTIFICATE_INCONSISTENT` where the parts do not agree, `MIGRATION_RECORD_INVALID` for a part that has not the
 * form of one, and what the signers throw.
 */
export async function buildCertificate(
  parts: CertificateParts,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Bytes> {
  const handoff = parseHandoff(decodeEnvelope(parts.handoff).payload)
  const { planned, completed } = parts.times
  const certificate: Certificate = {
    type: 'migration-certificate',
    v: 1,
    vault: handoff.vault,
    migration: handoff.migration,
    plan: copyBytes(parts.plan),
    key_events: parts.keyEvents.map(copyBytes),
    acceptance: copyBytes(parts.acceptance),
    ready: copyBytes(parts.ready),
    handoff: copyBytes(parts.handoff),
    verification: parts.verification,
    transfer: parts.transfer,
    possession: parts.possession,
    audit: { origin: originOf(handoff.vault.id), source: handoff.checkpoint, ...parts.audit },
    authority: { mode: 'not-checked' },
    witnesses: [],
    times: {
      planned: Math.min(planned, handoff.at),
      handed_off: handoff.at,
      completed: Math.max(completed, handoff.at),
    },
    statement: handoff.statement,
  }
  const ordered = signers.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const bytes = encodeEnvelope(await certificateFormat.sign(certificate, ordered, options))
  const { consistent, findings } = verifyCertificate(bytes, { trust: { vaults: [handoff.vault.id] } })
  if (consistent) return bytes
  throw new VaultError<CertificateErrorCode>({
    code: 'MIGRATION_CERTIFICATE_INCONSISTENT',
    message: `No certificate can be made of this: ${findings.map(({ message }) => message).join(' ')}`,
    details: { findings },
  })
}
