import { VaultError } from './error.ts'

/** The `code` of the errors about key events. */
export type KeyEventErrorCode =
  /** Not a key event, or not one that may follow those before it. `details.index` in a history: 0 is the inception. */
  'KEY_EVENT_INVALID'

export function invalidEvent(reason: string, cause?: unknown): VaultError<KeyEventErrorCode> {
  return new VaultError({ code: 'KEY_EVENT_INVALID', message: `Not a key event: ${reason}.`, cause })
}

/** Throws `KEY_EVENT_INVALID` unless the condition holds. */
export function checkEvent(condition: boolean, reason: string): asserts condition {
  if (!condition) throw invalidEvent(reason)
}
