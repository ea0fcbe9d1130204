import type { Bytes } from '@vault/core'
import { utf8 } from '@vault/core'

/** How every cosigned message begins, and no note that is signed here. */
export const COSIGNATURE_HEADER = 'cosignature/v1\n'

/**
 * The bytes that a cosignature of a checkpoint signs. `text`: that of the note, with its last line feed; `time`: seconds
 * since 1970. Throws a `RangeError` for a time that is not a whole number from 0 to 2^53 - 1.
 */
export function cosignedMessage(text: string, time: number): Bytes {
  if (!Number.isSafeInteger(time) || time < 0) throw new RangeError(`Not a time in seconds: ${time}.`)
  return utf8(`${COSIGNATURE_HEADER}time ${time}\n${text}`)
}
