import { VaultError } from '@vault/core'

/** The `code` of the errors of this package. */
export type AuditErrorCode =
  /** A verifier key (vkey) or the name of a key is malformed, or its id is not that of its key. */
  | 'AUDIT_KEY_INVALID'
  /** A signed note or cosignature is malformed, or a signature in it that names a known key is not that key's. */
  | 'AUDIT_NOTE_INVALID'
  /** The text of a note is not a checkpoint. */
  | 'AUDIT_CHECKPOINT_INVALID'
  /** A checkpoint is well-formed, but of another log than the expected one, or the log has not signed it. */
  | 'AUDIT_CHECKPOINT_UNTRUSTED'
  /** The path of a tile or the content of an entry bundle is malformed. */
  | 'AUDIT_TILE_INVALID'
  /** A proof of inclusion is malformed, or does not prove that the log holds the data. */
  | 'AUDIT_PROOF_INVALID'

export function invalidKey(reason: string): VaultError<AuditErrorCode> {
  return new VaultError({
    code: 'AUDIT_KEY_INVALID',
    message: `Not a key of notes: ${reason}. Compare it with what the owner of the key has published.`,
  })
}

export function invalidNote(reason: string, cause?: unknown): VaultError<AuditErrorCode> {
  return new VaultError({
    code: 'AUDIT_NOTE_INVALID',
    message: `The signed note is refused: ${reason}. Trust nothing in it, and fetch it again.`,
    cause,
  })
}

export function invalidCheckpoint(reason: string): VaultError<AuditErrorCode> {
  return new VaultError({
    code: 'AUDIT_CHECKPOINT_INVALID',
    message: `Not a checkpoint: ${reason}. Fetch it again, and check that the address is that of a log.`,
  })
}

export function untrustedCheckpoint(reason: string): VaultError<AuditErrorCode> {
  return new VaultError({
    code: 'AUDIT_CHECKPOINT_UNTRUSTED',
    message: `The checkpoint is not to be trusted: ${reason}. Check the origin and the keys that you expect.`,
  })
}

export function invalidTile(reason: string): VaultError<AuditErrorCode> {
  return new VaultError({
    code: 'AUDIT_TILE_INVALID',
    message: `The tile is refused: ${reason}. Fetch it again; if it stays so, the log or its store is damaged.`,
  })
}

export function invalidProof(reason: string, cause?: unknown): VaultError<AuditErrorCode> {
  return new VaultError({
    code: 'AUDIT_PROOF_INVALID',
    message: `The proof does not hold: ${reason}. Ask for a new one, for these very bytes.`,
    cause,
  })
}
