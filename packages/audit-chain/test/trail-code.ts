import { isVaultError } from '@vault/core'

/** The code of the `VaultError` that a call throws; any other error as it is. */
export function code(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (isVaultError(error)) return error.code
    throw error
  }
}

/** The code of the `VaultError` with which a promise is rejected; any other error as it is. */
export async function rejectionCode(promise: Promise<unknown>): Promise<string | undefined> {
  return await promise.then(
    () => undefined,
    (error: unknown) => {
      if (isVaultError(error)) return error.code
      throw error
    },
  )
}
