import type { AbortOptions, KeyPage, KeyTable, Prefix } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import { invalidTable } from './error.ts'

/** Rows `from` up to, but not including, `to` of a page. */
export interface Rows {
  readonly page: KeyPage
  readonly from: number
  readonly to: number
}

/** `KeyTable.scan`, with what it owes checked: a damaged index must never become a wrong root. */
export async function scanRows(
  table: KeyTable,
  range: { prefix: Prefix; after?: Uint8Array; limit: number },
  options?: AbortOptions,
): Promise<Rows> {
  options?.signal?.throwIfAborted()
  const page = await table.scan(range, options)
  const rows: Rows = { page, from: 0, to: page.count }
  if (page.count > range.limit) throw invalidTable(`it returned ${page.count} rows where ${range.limit} were asked for`)
  const fault = pageFault(page)
  if (fault !== undefined) throw invalidTable(fault)
  const inside = rowsUnder(rows, range.prefix)
  const early = range.after !== undefined && rowsAfter(rows, range.after).from > 0
  if (early || inside.to - inside.from !== page.count) {
    throw invalidTable(`it returned rows outside the range that was asked for, under prefix "${range.prefix}"`)
  }
  return rows
}

/** What is wrong with a page, or `undefined`. */
export function pageFault({ count, keys, values }: KeyPage): string | undefined {
  if (keys.length !== count * KEY_LENGTH) return `${keys.length} bytes are not ${count} keys`
  if (values !== undefined && values.length !== keys.length) return `${values.length} bytes are not ${count} values`
  for (let row = 1; row < count; row++) {
    const bit = sharedBits(keys, row - 1, row)
    if (bit === 256 || !hasBit(keys, row, bit)) return `row ${row} of a page does not ascend`
  }
  return undefined
}

/** Number of leading bits that two keys share: 256 where they are equal. */
export function sharedBits(keys: Uint8Array, a: number, b: number): number {
  const [startA, startB] = [a * KEY_LENGTH, b * KEY_LENGTH]
  for (let i = 0; i < KEY_LENGTH; i++) {
    const difference = (keys[startA + i] as number) ^ (keys[startB + i] as number)
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24
  }
  return KEY_LENGTH * 8
}

/** Order of two rows of two pages by their keys. */
export function compareRows(keysA: Uint8Array, a: number, keysB: Uint8Array, b: number): number {
  for (let i = 0; i < KEY_LENGTH; i++) {
    const difference = (keysA[a * KEY_LENGTH + i] as number) - (keysB[b * KEY_LENGTH + i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** Whether two rows have the same value; a page without values has 32 zero bytes for each. */
export function sameValue(pageA: KeyPage, a: number, pageB: KeyPage, b: number): boolean {
  if (pageA.values === undefined && pageB.values === undefined) return true
  for (let i = 0; i < KEY_LENGTH; i++) {
    if ((pageA.values?.[a * KEY_LENGTH + i] ?? 0) !== (pageB.values?.[b * KEY_LENGTH + i] ?? 0)) return false
  }
  return true
}

/** Whether a bit of a row's key is set; bit 0 is the most significant of the first byte. */
export function hasBit(keys: Uint8Array, row: number, bit: number): boolean {
  return (((keys[row * KEY_LENGTH + (bit >> 3)] as number) >> (7 - (bit & 7))) & 1) === 1
}

/** The first of some rows that has a bit set, where all agree in the bits before it. */
export function splitAt({ page, from, to }: Rows, bit: number): number {
  return firstRow(from, to, (row) => hasBit(page.keys, row, bit))
}

/** The rows with keys strictly greater than this one. */
export function rowsAfter({ page, from, to }: Rows, after: Uint8Array): Rows {
  return { page, from: firstRow(from, to, (row) => compareRows(page.keys, row, after, 0) > 0), to }
}

/** The rows whose keys begin with a prefix. */
export function rowsUnder({ page, from, to }: Rows, prefix: Prefix): Rows {
  const start = firstRow(from, to, (row) => comparePrefix(page.keys, row, prefix) >= 0)
  return { page, from: start, to: firstRow(start, to, (row) => comparePrefix(page.keys, row, prefix) > 0) }
}

/** One digit of a key, 0 to 15. */
function digitOf(keys: Uint8Array, row: number, digit: number): number {
  const byte = keys[row * KEY_LENGTH + (digit >> 1)] as number
  return digit & 1 ? byte & 15 : byte >> 4
}

function comparePrefix(keys: Uint8Array, row: number, prefix: Prefix): number {
  for (let i = 0; i < prefix.length; i++) {
    const difference = digitOf(keys, row, i) - digitValue(prefix.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return 0
}

/** `parseInt` of one digit costs ten times as much, and a root over a million rows asks ten million times. */
function digitValue(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57
}

/** The first row of a range from which on a condition holds; the end where it holds for none. */
function firstRow(from: number, to: number, holds: (row: number) => boolean): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
