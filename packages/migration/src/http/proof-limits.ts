import type { Bytes } from '@vault/core'

// What a server reads before anything is known of whoever sends it: enough for a chain of thresholds, and little to look through.

/** Certificates that are shown to a server at most. */
export const MAX_PROOFS = 32
/** Bytes of all of them together: the frame around them is short. */
export const MAX_PROOF_BYTES: number = 62 * 1024

/** The first of them that a server takes together. */
export function fittingProofs(proofs: readonly Bytes[]): readonly Bytes[] {
  let bytes = 0
  const tooMany = proofs.findIndex(({ length }, i) => {
    bytes += length
    return i === MAX_PROOFS || bytes > MAX_PROOF_BYTES
  })
  return tooMany < 0 ? proofs : proofs.slice(0, tooMany)
}
