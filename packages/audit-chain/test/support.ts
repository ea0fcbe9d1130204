import type { Bytes, Signer } from '@vault/core'
import { createSigner, isVaultError } from '@vault/core'

/** The code that a call is refused with. Any other error, which would be a defect, is thrown on. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (isVaultError(error)) return error.code
    throw error
  }
}

/** A signer with a key of its own for each number. */
export function signerOf(seed: number): Signer {
  return createSigner(new Uint8Array(32).fill(seed))
}

/** A copy with one byte changed. */
export function flip(bytes: Uint8Array, index: number, mask = 1): Bytes {
  const copy = new Uint8Array(bytes)
  copy[index] = (copy[index] as number) ^ mask
  return copy
}

/** Number of cases of the long property tests: quick by default, `VAULT_FUZZ_RUNS=1000000` for a campaign. */
export function fuzzRuns(quick: number): number {
  return Number(process.env.VAULT_FUZZ_RUNS ?? quick)
}
