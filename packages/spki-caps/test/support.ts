import { isVaultError } from '@vault/core'

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

/** So many cases of a property: quick by default, `VAULT_FUZZ_RUNS=10000` for a campaign. */
export function runs(quick: number): { readonly numRuns: number } {
  return { numRuns: Number(process.env.VAULT_FUZZ_RUNS ?? quick) }
}

/** A campaign may take as long as it takes. */
export const PATIENCE: number = process.env.VAULT_FUZZ_RUNS === undefined ? 120_000 : 7_200_000
