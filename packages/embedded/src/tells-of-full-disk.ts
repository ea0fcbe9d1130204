import { isFullDisk, isVaultError, type VaultError } from '@vault/core'

/** Whether a store, or a log, says that there was no room: that is no damage, and passes with it. */
export function tellsOfFullDisk(error: unknown): error is VaultError {
  return isVaultError(error) && isFullDisk(error.details.errno)
}
