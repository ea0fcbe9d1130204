import type { Bytes } from '@vault/core'

/**
 * Rows say where an object lies. A million of them cost no million objects: they stand packed in one array, 52 bytes
 * each, big-endian: id (36), offset of the record (8), stored length (4), and one number (4) that is the content length
 * in a trailer and the segment's number in an index. Four whole words more than the id, so arrays of rows stay aligned.
 */
export const PACK_ROW_LENGTH = 52

const OFFSET = 36
const STORED = 44
const EXTRA = 48

/** 2^21 rows and 32 leading bits of the key fill the 53 bits that a double holds exactly. */
const SORTABLE = 2 ** 21

/** A view for the numbers in packed rows. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** An unsigned 64-bit big-endian number below 2^53. Larger ones come out inexact, and no file is that long. */
export function readUint64(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}

export function writeUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32))
  view.setUint32(at + 4, value >>> 0)
}

/** Writes one row at byte `at`; the id is copied by the caller where it stands already. */
function writeRowPlace(view: DataView, at: number, offset: number, stored: number, extra: number): void {
  writeUint64(view, at + OFFSET, offset)
  view.setUint32(at + STORED, stored)
  view.setUint32(at + EXTRA, extra)
}

/** Offset of the record in its segment. */
export function rowOffset(view: DataView, at: number): number {
  return readUint64(view, at + OFFSET)
}

/** Moves the offset of the record by so many bytes. */
export function shiftRow(view: DataView, at: number, by: number): void {
  writeUint64(view, at + OFFSET, rowOffset(view, at) + by)
}

/** Length of the stored bytes, without the record header. */
export function rowStored(view: DataView, at: number): number {
  return view.getUint32(at + STORED)
}

/** Content length (trailer) or segment number (index). */
export function rowExtra(view: DataView, at: number): number {
  return view.getUint32(at + EXTRA)
}

/**
 * The first 50 distinguishing bits of an id as a number that sorts as the id does: two bits for codec and hash
 * function, 48 of the hash. Equal numbers need {@link compareIdsAt}; with honest hashes that is almost only the same id.
 */
export function idKey(view: DataView, at: number): number {
  const kind = (view.getUint8(at + 1) === 0x71 ? 2 : 0) + (view.getUint8(at + 2) === 0x1e ? 1 : 0)
  return (kind * 2 ** 16 + view.getUint16(at + 4)) * 2 ** 32 + view.getUint32(at + 6)
}

/** Order of the 36-byte ids at two places. */
export function compareIdsAt(a: DataView, atA: number, b: DataView, atB: number): number {
  for (let i = 0; i < OFFSET; i += 4) {
    const difference = a.getUint32(atA + i) - b.getUint32(atB + i)
    if (difference !== 0) return difference
  }
  return 0
}

/** Order of whole rows: by id, then by the other fields. */
export function compareRowsAt(a: DataView, atA: number, b: DataView, atB: number): number {
  const difference = compareIdsAt(a, atA, b, atB)
  if (difference !== 0) return difference
  return (
    rowExtra(a, atA) - rowExtra(b, atB) ||
    rowOffset(a, atA) - rowOffset(b, atB) ||
    rowStored(a, atA) - rowStored(b, atB)
  )
}

/** The same rows in the order of {@link compareRowsAt}, as a new array. */
export function sortRows(rows: Uint8Array): Bytes {
  const view = viewOf(rows)
  const sorted = new Uint8Array(rows.length)
  let at = 0
  for (const row of sortedOrder(view, rows.length / PACK_ROW_LENGTH)) {
    sorted.set(rows.subarray(row * PACK_ROW_LENGTH, (row + 1) * PACK_ROW_LENGTH), at)
    at += PACK_ROW_LENGTH
  }
  return sorted
}

/**
 * Row numbers in sorted order. Numbers sort ten times faster without a comparison function, so rows are sorted by 32
 * bits of their key with the row number below it, and what ties is then compared in full.
 */
function sortedOrder(view: DataView, count: number): Uint32Array {
  const compare = (a: number, b: number) => compareRowsAt(view, a * PACK_ROW_LENGTH, view, b * PACK_ROW_LENGTH)
  const order = new Uint32Array(count)
  if (count > SORTABLE) {
    for (let row = 0; row < count; row++) order[row] = row
    return order.sort(compare)
  }
  const keys = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    keys[row] = Math.floor(idKey(view, row * PACK_ROW_LENGTH) / 2 ** 18) * SORTABLE + row
  }
  keys.sort()
  let start = 0
  for (let i = 0; i < count; i++) {
    order[i] = (keys[i] as number) % SORTABLE
    const last =
      i + 1 === count || Math.floor((keys[i + 1] as number) / SORTABLE) !== Math.floor((keys[i] as number) / SORTABLE)
    if (!last) continue
    if (i > start) order.subarray(start, i + 1).sort(compare)
    start = i + 1
  }
  return order
}

/** Rows being collected. */
export class PackRows {
  #bytes: Bytes = new Uint8Array(64 * PACK_ROW_LENGTH)
  #view: DataView = viewOf(this.#bytes)
  #length = 0

  get count(): number {
    return this.#length / PACK_ROW_LENGTH
  }

  /** The rows so far, as a view that the next `append` may outdate. */
  get bytes(): Bytes {
    return this.#bytes.subarray(0, this.#length)
  }

  append(id: Uint8Array, offset: number, stored: number, extra: number): void {
    this.#grow(PACK_ROW_LENGTH)
    this.#bytes.set(id, this.#length)
    writeRowPlace(this.#view, this.#length, offset, stored, extra)
    this.#length += PACK_ROW_LENGTH
  }

  appendAll(rows: Uint8Array): void {
    this.#grow(rows.length)
    this.#bytes.set(rows, this.#length)
    this.#length += rows.length
  }

  clear(): void {
    this.#length = 0
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + by))
    larger.set(this.bytes)
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}
