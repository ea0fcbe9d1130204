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

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** Number of cases of the long property tests: quick by default, `VAULT_FUZZ_RUNS=1000000` for a campaign. */
export function fuzzRuns(quick: number): number {
  return Number(process.env.VAULT_FUZZ_RUNS ?? quick)
}
