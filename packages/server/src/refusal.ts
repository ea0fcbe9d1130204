import { VaultError } from '@vault/core'
import type { HttpErrorCode } from '@vault/migration/http'

/** Says no to a request. */
export function refusal(
  code: HttpErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): VaultError<HttpErrorCode> {
  return new VaultError({ code, message, details })
}
