import { VaultError } from '@vault/core'

/** The `code` of the errors of this package. */
export type MerkleErrorCode =
  /** A proof is malformed, or does not prove what it is said to prove. Treat the statement as unproven. */
  | 'MERKLE_PROOF_INVALID'
  /** A key table returned rows that break its contract: its store is damaged, or its implementation is wrong. */
  | 'MERKLE_TABLE_INVALID'
  /** A reader of log nodes did not return one 32-byte hash for each node: its tiles are damaged, or its implementation is wrong. */
  | 'MERKLE_NODES_INVALID'

export function invalidProof(reason: string): VaultError<MerkleErrorCode> {
  return new VaultError({
    code: 'MERKLE_PROOF_INVALID',
    message: `The proof does not hold: ${reason}. Ask for a new proof, and check that it was made for this very statement.`,
  })
}

export function invalidTable(reason: string): VaultError<MerkleErrorCode> {
  return new VaultError({
    code: 'MERKLE_TABLE_INVALID',
    message: `A key table broke its contract: ${reason}. No root can be computed over it; verify the store that it reads from.`,
  })
}

export function invalidNodes(reason: string): VaultError<MerkleErrorCode> {
  return new VaultError({
    code: 'MERKLE_NODES_INVALID',
    message: `A reader of log nodes broke its contract: it returned ${reason}. Nothing can be computed from them; verify the log that it reads from.`,
  })
}
