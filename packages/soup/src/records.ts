import type { AbortOptions, Bytes } from '@vault/core'
import { soupError } from './soup-error.ts'

/** Longest key of a record, in characters. */
export const MAX_RECORD_KEY_LENGTH: number = 256

/** Longest value of a record, in bytes. */
export const MAX_RECORD_LENGTH: number = 1024 * 1024

/** Space to tilde. */
const PRINTABLE = /^[ -~]*$/

/** How a record is written. */
export interface SwapOptions extends AbortOptions {
  /**
   * `false`: it need not be durable when it resolves, and is at the latest when a later change of this store is. For whoever writes
   * several changes one after the other, and can do the first ones again: where the power fails meanwhile, the record is as it was
   * before, and its version is made again. Default: `true`.
   */
  readonly durable?: boolean
}

/**
 * Small documents of the place, not of a vault: what a migration has done so far. A key is 1 to 256 printable ASCII
 * characters, a value at most 1 MiB; anything else is `SOUP_INVALID`. A damaged record is `SOUP_CORRUPT`.
 */
export interface Records {
  /** A record with its version; `undefined` where there is none. */
  read(key: string, options?: AbortOptions): Promise<{ readonly version: number; readonly bytes: Bytes } | undefined>
  /** The keys that begin with the prefix, ascending. An empty prefix begins them all. */
  list(prefix: string, options?: AbortOptions): Promise<readonly string[]>
  /**
   * Compare and set: writes `next`, or removes the record where it is `undefined`, if the record's version is `expected`,
   * else throws `SOUP_CONFLICT` with `details.version`. 0 stands for a record that is not there. Returns the version that
   * the change made: versions of a key only grow, over removals too, so none is ever seen twice with other bytes.
   * Removing what is not there changes nothing. Durable when it resolves, unless the options say that it need not be.
   */
  swap(key: string, expected: number, next: Uint8Array | undefined, options?: SwapOptions): Promise<number>
}

/** Records of which a damaged one can be written anew by whoever knows what it is to hold. */
export interface MendableRecords extends Records {
  /**
   * Writes a damaged record anew, or removes it where `next` is `undefined`. Throws `SOUP_CONFLICT` for one that is not damaged, or not there: what somebody else has mended stays.
   * Returns its version, which goes on from the one that it seems to have had. Durable when it resolves.
   */
  mend(key: string, next: Uint8Array | undefined, options?: AbortOptions): Promise<number>
}

/** Throws `SOUP_INVALID` for what is no key of a record. */
export function checkRecordKey(key: string): void {
  if (key === '') throw soupError('SOUP_INVALID', 'The key of a record is not empty.')
  checkRecordPrefix(key)
}

/** Throws `SOUP_INVALID` for what no key begins with. */
export function checkRecordPrefix(prefix: string): void {
  if (prefix.length <= MAX_RECORD_KEY_LENGTH && PRINTABLE.test(prefix)) return
  throw soupError(
    'SOUP_INVALID',
    `The key of a record has at most ${MAX_RECORD_KEY_LENGTH} characters of printable ASCII.`,
  )
}

/** A copy of the value to write. Throws `SOUP_INVALID` for one that is too long and for what is no version. */
export function checkSwap(expected: number, next: Uint8Array | undefined): Bytes | undefined {
  if (!Number.isSafeInteger(expected) || expected < 0) {
    throw soupError('SOUP_INVALID', `${expected} is no version of a record.`)
  }
  if (next === undefined || next.length <= MAX_RECORD_LENGTH) return next && new Uint8Array(next)
  throw soupError('SOUP_INVALID', `A record has at most ${MAX_RECORD_LENGTH} bytes, not ${next.length}.`)
}

/** The error of mending what is not damaged. */
export function soundRecord(key: string): Error {
  return soupError('SOUP_CONFLICT', `The record ${key} is not damaged. Read it again and repeat.`, { key })
}

/** The error of a swap whose record has another version. */
export function recordConflict(key: string, expected: number, version: number): Error {
  const state = (n: number) => (n === 0 ? 'absent' : `at version ${n}`)
  const message = `The record ${key} is ${state(version)}, not ${state(expected)}. Read it again and repeat.`
  return soupError('SOUP_CONFLICT', message, { key, expected, version })
}
