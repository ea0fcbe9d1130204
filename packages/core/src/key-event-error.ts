import { VaultError } from './error.ts'

/** The `code` of the errors about key events. */
export type KeyEventErrorCode =
  /** Not a key event, or not one that may follow those before it. `details.index` in a history: 0 is the inception. */
  | 'KEY_EVENT_INVALID'
  /** The vault has ended: nothing follows its retirement. `details.index` in a history. */
  | 'KEY_EVENT_RETIRED'
  /** Too few witnesses have signed: of those before it, of its own, or one that is new. `details.index` in a history. */
  | 'KEY_EVENT_WITNESSES'
  /** The identity that follows is not the one that was committed to, or the one before it does what would keep that out. `details.index` in a history. */
  | 'KEY_EVENT_COMMITMENT'

export function invalidEvent(
  reason: string,
  cause?: unknown,
  code: KeyEventErrorCode = 'KEY_EVENT_INVALID',
): VaultError<KeyEventErrorCode> {
  return new VaultError({ code, message: `Not a key event: ${reason}.`, cause })
}

/** Throws `KEY_EVENT_INVALID`, or this code, unless the condition holds. */
export function checkEvent(condition: boolean, reason: string, code?: KeyEventErrorCode): asserts condition {
  if (!condition) throw invalidEvent(reason, undefined, code)
}
