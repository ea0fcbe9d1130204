import type { Bytes } from '@vault/core'

/** The longest that there is: https://github.com/multiformats/unsigned-varint, 63 bits. */
const MAX_LENGTH = 9

/** A number as an unsigned varint: seven bits in a byte, the lowest first. */
export function encodeVarint(value: number): Bytes {
  const bytes: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80)
  return new Uint8Array([...bytes, value])
}

/** Reads a varint byte by byte. A number beyond the safe range is only known to be beyond. */
export class VarintReader {
  #value = 0
  #length = 0

  /** Takes the next byte. Gives the number where it is the last one, `undefined` where more follow, `'invalid'` for a second form of a number, or one that is too long. */
  push(byte: number): number | 'invalid' | undefined {
    this.#value += (byte & 0x7f) * 128 ** this.#length
    this.#length++
    if (byte > 0x7f) return this.#length === MAX_LENGTH ? 'invalid' : undefined
    return byte === 0 && this.#length > 1 ? 'invalid' : this.#value
  }
}

/** The number that bytes begin with, and where it ends; `undefined` where there is none in its one form. */
export function decodeVarint(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  const reader = new VarintReader()
  for (let at = start; at < bytes.length; at++) {
    const value = reader.push(bytes[at] as number)
    if (value === 'invalid') return undefined
    if (value !== undefined) return { value, end: at + 1 }
  }
  return undefined
}
