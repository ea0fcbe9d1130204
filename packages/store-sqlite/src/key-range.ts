import type { Prefix } from '@vault/core'
import { compareBytes, KEY_LENGTH } from '@vault/core'

/** Rows of a table of 32-byte keys, ascending: from `after`, which is left out, to `last`, which is included. */
export interface KeyRange {
  readonly after: Uint8Array
  readonly last: Uint8Array
  readonly limit: number
}

const PREFIX = /^[0-9a-f]{0,64}$/
/** Sorts before every key. */
const START = new Uint8Array(0)

/** The rows under a prefix, strictly after `after` where it is given. Throws a `RangeError` for what is no prefix or limit. */
export function keyRange(prefix: Prefix, after: Uint8Array | undefined, limit: number): KeyRange {
  requirePrefix(prefix)
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`A limit is a positive integer, not ${limit}`)
  const first = prefix === '' ? START : justBefore(Buffer.from(prefix.padEnd(2 * KEY_LENGTH, '0'), 'hex'))
  const start = after === undefined || compareBytes(after, first) < 0 ? first : after
  return { after: start, last: Buffer.from(prefix.padEnd(2 * KEY_LENGTH, 'f'), 'hex'), limit }
}

/** Throws a `RangeError` for what is no prefix. */
export function requirePrefix(prefix: Prefix): void {
  if (!PREFIX.test(prefix))
    throw new RangeError(`A prefix is at most 64 hexadecimal digits, not ${JSON.stringify(prefix)}`)
}

/** The greatest bytes of at most a key's length that sort before this key and all that it begins. */
function justBefore(key: Buffer): Uint8Array {
  const before = Buffer.from(key)
  let i = before.length - 1
  while (i >= 0 && before[i] === 0) before[i--] = 0xff
  if (i < 0) return START
  before[i] = (before[i] as number) - 1
  return before
}
