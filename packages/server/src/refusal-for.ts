import { isVaultError, type VaultError } from '@vault/core'
import { FieldFault } from '@vault/migration/http'
import { refusal } from './refusal.ts'

/** What a client is told of that with which its request has failed. `failed` is told what it is not. */
export function refusalFor(
  error: unknown,
  { signal, failed }: { readonly signal: AbortSignal; readonly failed: (error: unknown) => void },
): VaultError {
  if (isVaultError(error, 'TRANSFER_FRAME_INVALID')) return refusal('HTTP_REQUEST_INVALID', error.message)
  if (isVaultError(error)) return error
  if (error instanceof FieldFault)
    return refusal('HTTP_REQUEST_INVALID', `The request cannot be read: ${error.message}.`)
  if (signal.aborted) return refusal('HTTP_LIMIT', 'The server ends. Ask again later.')
  failed(error)
  return refusal('HTTP_SERVER_FAILED', 'Something failed at the server; what it was stands in its own log.')
}
