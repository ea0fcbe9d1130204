import { decodeEnvelope, type Envelope, unlessRefused, VaultError } from '@vault/core'
import { type CapsErrorCode, openProofCert, openRevocation, openRevocationSet, openValidation } from '@vault/spki-caps'

/** What somebody shows who wants to be let in, beside what is known where they ask. Nothing of it is verified. */
export interface ShownProofs {
  /** Those that grant, and those that say who is called by a name. */
  readonly certificates: readonly Envelope[]
  /** Only take away, and are needed for the sets. */
  readonly revocations: readonly Envelope[]
  /** Say that nothing else was revoked: for a place whose copy of the vault is older than its last set. */
  readonly sets: readonly Envelope[]
  /** Say that a certificate is still good: for a place whose copy of the vault has none that is new enough. */
  readonly validations: readonly Envelope[]
}

export const NOTHING_SHOWN: ShownProofs = { certificates: [], revocations: [], sets: [], validations: [] }

/** Tells the envelopes apart. Throws `CAPS_RECORD_INVALID` for one that is none of these. */
export function readProofs(proofs: readonly Uint8Array[]): ShownProofs {
  const certificates: Envelope[] = []
  const revocations: Envelope[] = []
  const sets: Envelope[] = []
  const validations: Envelope[] = []
  for (const [i, bytes] of proofs.entries()) {
    const envelope = unlessRefused(() => decodeEnvelope(bytes))
    if (envelope === undefined) throw unreadable(i)
    if (unlessRefused(() => openProofCert(envelope)) !== undefined) certificates.push(envelope)
    else if (unlessRefused(() => openRevocation(envelope)) !== undefined) revocations.push(envelope)
    else if (unlessRefused(() => openRevocationSet(envelope)) !== undefined) sets.push(envelope)
    else if (unlessRefused(() => openValidation(envelope)) !== undefined) validations.push(envelope)
    else throw unreadable(i)
  }
  return { certificates, revocations, sets, validations }
}

function unreadable(index: number): VaultError<CapsErrorCode> {
  return new VaultError({
    code: 'CAPS_RECORD_INVALID',
    message: `Proof ${index + 1} is neither a certificate nor a validation nor a revocation nor a set of them. Show what "vaultctl caps issue --out" or "vaultctl caps validate --out" wrote.`,
    details: { index },
  })
}
