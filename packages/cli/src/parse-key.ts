import { isVaultError, type KeyId, parseKeyId } from '@vault/core'
import { UsageError } from './exit-code.ts'

/** A key from the command line. */
export function parseKey(option: string, text: string): KeyId {
  try {
    return parseKeyId(text)
  } catch (error) {
    if (!isVaultError(error, 'KEY_ID_INVALID')) throw error
    throw new UsageError(`${option}: ${error.message}`)
  }
}
