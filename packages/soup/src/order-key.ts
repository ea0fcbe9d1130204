import type { Bytes } from '@vault/core'
import { compareBytes, utf8 } from '@vault/core'
import type { FieldMap, FieldValue } from './field-value.ts'

/** The first byte of a key: the order of kinds. */
const KIND = { null: 1, boolean: 2, number: 3, text: 4, bytes: 5, list: 6, map: 7 } as const
/** Ends texts, bytes, lists and maps. Less than every kind, so that what is shorter comes first. */
const END = 0

/**
 * Bytes whose order is the order of values: null < boolean < number < text < bytes < list < map, and a missing value
 * before all. Texts compare as UTF-8, lists item by item, maps as the list of their members by name. Equal keys mean
 * equal values, so this is also what `=` means.
 */
export function orderKey(value: FieldValue | undefined): Bytes {
  const key: number[] = []
  if (value !== undefined) write(value, key)
  return Uint8Array.from(key)
}

function write(value: FieldValue, key: number[]): void {
  if (value === null) key.push(KIND.null)
  else if (typeof value === 'boolean') key.push(KIND.boolean, Number(value))
  else if (typeof value === 'number') writeNumber(value, key)
  else if (typeof value === 'string') writeEscaped(KIND.text, utf8(value), key)
  else if (value instanceof Uint8Array) writeEscaped(KIND.bytes, value, key)
  else if (Array.isArray(value)) {
    key.push(KIND.list)
    for (const item of value as readonly FieldValue[]) write(item, key)
    key.push(END)
  } else writeMap(value as FieldMap, key)
}

function writeMap(map: FieldMap, key: number[]): void {
  key.push(KIND.map)
  const names = Object.keys(map).map((name) => ({ name, bytes: utf8(name) }))
  names.sort((a, b) => compareBytes(a.bytes, b.bytes))
  for (const { name, bytes } of names) {
    writeEscaped(KIND.text, bytes, key)
    write(map[name] as FieldValue, key)
  }
  key.push(END)
}

/** The bits of a binary64 so turned that they sort as unsigned bytes: all of a negative number's, else only the sign. */
function writeNumber(value: number, key: number[]): void {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const negative = value < 0
  key.push(KIND.number, bits.getUint8(0) ^ (negative ? 0xff : 0x80))
  for (let i = 1; i < 8; i++) key.push(bits.getUint8(i) ^ (negative ? 0xff : 0))
}

/** A 0 inside becomes 0 255, and the end is 0 1: it sorts before everything that could follow, and no key begins another. */
function writeEscaped(kind: number, content: Uint8Array, key: number[]): void {
  key.push(kind)
  for (const byte of content) {
    key.push(byte)
    if (byte === END) key.push(0xff)
  }
  key.push(END, 1)
}
