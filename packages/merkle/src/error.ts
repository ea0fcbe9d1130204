import { VaultError } from '@vault/core'

/** The `code` of the errors of this package. */
export type MerkleErrorCode =
  /** A proof is malformed, or does not prove what it is said to prove. Treat the statement as unproven. */
  | 'MERKLE_PROOF_INVALID'
  /** A key table returned rows that break its contract: its store is damaged, or its implementation is wrong. */
  | 'MERKLE_TABLE_INVALID'

export function invalidProof(reason: string): VaultError<MerkleErrorCode> {
  return new VaultError({
    code: 'MERKLE_PROOF_INVALID',
    message: `The set proof does not hold: ${reason}. Ask for a new proof, and check that the root is the one it was made for.`,
  })
}

export function invalidTable(reason: string): VaultError<MerkleErrorCode> {
  return new VaultError({
    code: 'MERKLE_TABLE_INVALID',
    message: `A key table broke its contract: ${reason}. No root can be computed over it; verify the store that it reads from.`,
  })
}
