import type { Envelope, Finding, Inception, KeyId, KeyState, Threshold, VaultId } from '@vault/core'
import { countSigners, decodeEnvelope, VaultError } from '@vault/core'
import type { Certificate } from './certificate.ts'
import { CERTIFICATE, certificateFormat, MAX_CERTIFICATE_LENGTH } from './certificate.ts'
import { checkDocuments } from './check-documents.ts'
import { checkLog } from './check-log.ts'
import { checkNumbers } from './check-numbers.ts'
import type { CertificateFindingCode } from './error.ts'
import { Examination } from './examination.ts'

/** Whom a reader believes, from elsewhere than the certificate. */
export interface CertificateTrust {
  /** Vaults whose id the reader has from their owner: it commits to the first keys. */
  readonly vaults?: readonly VaultId[]
  /** Identity keys whose owners the reader knows. */
  readonly keys?: readonly KeyId[]
}

/** What a certificate shows. */
export interface CertificateVerdict {
  /** Everything in it is signed by whom it should be, and agrees. A stranger can make one of a vault of their own. */
  readonly consistent: boolean
  /** Consistent, and of a vault that the reader trusts. */
  readonly trusted: boolean
  /** Every fault; without trust also what one must trust, which is no fault. */
  readonly findings: readonly Finding[]
  /** Absent where the bytes are no certificate. */
  readonly certificate?: Certificate
}

/**
 * Verifies a migration certificate by itself, offline. Never throws for what is in it, whoever made it: each fault is a
 * finding that names its field.
 */
export function verifyCertificate(
  bytes: Uint8Array,
  { trust = {} }: { readonly trust?: CertificateTrust } = {},
): CertificateVerdict {
  const examination = new Examination()
  const opened = examination.attempt('MIGRATION_CERTIFICATE_INVALID', 'certificate', () => open(bytes))
  if (opened === undefined) return { consistent: false, trusted: false, findings: examination.faults }
  const { envelope, certificate } = opened
  const documents = checkDocuments(certificate, examination)
  if (documents !== undefined) {
    checkSignatures(envelope, documents.after.roles.log, examination)
    checkLog(certificate, documents, examination)
    checkNumbers(certificate, documents, examination)
  }
  const consistent = documents !== undefined && examination.faults.length === 0
  const vouched = documents !== undefined && isTrusted(documents.after, trust)
  const notes = documents === undefined || vouched ? [] : [untrusted(documents.after)]
  const findings = [...examination.faults, ...notes]
  return { consistent, trusted: consistent && vouched, findings, certificate }
}

function open(bytes: Uint8Array): { readonly envelope: Envelope; readonly certificate: Certificate } {
  if (bytes.length > MAX_CERTIFICATE_LENGTH) {
    throw new VaultError<CertificateFindingCode>({
      code: 'MIGRATION_CERTIFICATE_INVALID',
      message: `A certificate has at most ${MAX_CERTIFICATE_LENGTH} bytes.`,
    })
  }
  const envelope = decodeEnvelope(bytes)
  return { envelope, certificate: certificateFormat.parse(envelope.payload) }
}

/** Exactly good signatures of log keys, in one order: so nobody else can give the file other bytes, not even harmless ones. */
function checkSignatures(envelope: Envelope, log: Threshold, examination: Examination): void {
  const code = 'MIGRATION_CERTIFICATE_UNSIGNED'
  const { signatures } = envelope
  const known = signatures.every(({ key }, i) => {
    const before = signatures[i - 1]?.key
    return log.keys.includes(key) && (before === undefined || before < key)
  })
  const message = 'It has signatures other than one of each log key in ascending order.'
  examination.require(known, code, 'signatures', message)
  if (!known) return
  const threshold = Math.max(log.threshold, signatures.length)
  examination.attempt(code, 'signatures', () => countSigners(envelope, CERTIFICATE, { keys: log.keys, threshold }))
}

function isTrusted({ vault, events }: KeyState, { vaults = [], keys = [] }: CertificateTrust): boolean {
  if (vaults.includes(vault)) return true
  const { identity } = (events[0] as Inception).roles
  return identity.keys.filter((key) => keys.includes(key)).length >= identity.threshold
}

function untrusted({ vault, events }: KeyState): Finding {
  const { identity } = (events[0] as Inception).roles
  const code: CertificateFindingCode = 'MIGRATION_CERTIFICATE_UNTRUSTED'
  return {
    code,
    subject: vault,
    message: `Anyone can make a consistent certificate of a vault of their own. Whose this is, only its owner can tell you: trust the vault ${vault}, or ${identity.threshold} of the keys that founded it: ${identity.keys.join(', ')}.`,
  }
}
