import { VaultError } from '@vault/core'
import type { SoupErrorCode } from './soup.ts'

/** An error of the soup. `details` holds what a program needs, `message` what a person does next. */
export function soupError(
  code: SoupErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): VaultError<SoupErrorCode> {
  return new VaultError({ code, message, details, cause })
}

/** A text of unknown length and content, as it may stand in a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
