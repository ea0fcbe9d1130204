import { compareIdsAt, PACK_ROW_LENGTH, PackRows, rowExtra, rowOffset, rowStored, sortRows, viewOf } from '@vault/cas'
import type { Bytes } from '@vault/core'
import type { SegmentTable } from './segment-table.ts'

/** More copies of one object in segments that are there are never needed to find a sound one. */
export const MAX_COPIES = 16

/**
 * Index rows in memory, found by id. Open addressing over the first word of the hash; a second copy of an
 * id hangs on the first one, so that storing one object a million times costs no longer probing.
 */
export class RowTable {
  readonly #rows = new PackRows()
  readonly #segments: SegmentTable
  readonly #factor: number
  #view: DataView = viewOf(this.#rows.bytes)
  /** Row number plus one of the first copy of an id; 0 is free. */
  #slots = new Int32Array(2048)
  #sorted: Bytes | undefined
  /** Row number plus one of the next copy. */
  #copies = new Int32Array(1024)

  /** `seed` keeps whoever chooses the objects from choosing the slots. */
  constructor(segments: SegmentTable, seed: number) {
    this.#segments = segments
    this.#factor = seed | 1
  }

  get count(): number {
    return this.#rows.count
  }

  /** Adds rows as a pack has them; `segment` becomes their last number. */
  add(rows: Uint8Array, segment: number): void {
    this.#sorted = undefined
    const view = viewOf(rows)
    for (let at = 0; at < rows.length; at += PACK_ROW_LENGTH) {
      this.#rows.append(rows.subarray(at, at + 36), rowOffset(view, at), rowStored(view, at), segment)
    }
    this.#view = viewOf(this.#rows.bytes)
    const first = this.count - rows.length / PACK_ROW_LENGTH
    if (this.count * 2 > this.#slots.length) this.#rebuild()
    else for (let row = first; row < this.count; row++) this.#link(row)
  }

  /** Appends every row of the id at `at` that lies in a segment the folder has to `found`, at most {@link MAX_COPIES}. */
  collect(id: DataView, at: number, found: PackRows): void {
    const slot = this.#slot(id, at)
    let row = this.#slots[slot] as number
    for (let copies = 0; row !== 0 && copies < MAX_COPIES; ) {
      const place = (row - 1) * PACK_ROW_LENGTH
      const { present } = this.#segments.numbered(rowExtra(this.#view, place))
      if (present) {
        found.appendAll(this.#rows.bytes.subarray(place, place + PACK_ROW_LENGTH))
        copies++
      }
      row = this.#copies[row - 1] as number
    }
  }

  /** The rows so far by their ids. */
  sorted(): Bytes {
    this.#sorted ??= sortRows(this.#rows.bytes)
    return this.#sorted
  }

  #rebuild(): void {
    this.#slots = new Int32Array(this.#slots.length * 2 ** Math.ceil(Math.log2((this.count * 4) / this.#slots.length)))
    this.#copies = new Int32Array(this.#slots.length / 2)
    for (let row = 0; row < this.count; row++) this.#link(row)
  }

  #link(row: number): void {
    const slot = this.#slot(this.#view, row * PACK_ROW_LENGTH)
    const first = this.#slots[slot] as number
    if (first === 0) {
      this.#slots[slot] = row + 1
      return
    }
    this.#copies[row] = this.#copies[first - 1] as number
    this.#copies[first - 1] = row + 1
  }

  /** The slot that holds this id, or the free one where it belongs. */
  #slot(id: DataView, at: number): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(id.getUint32(at + 4), this.#factor) >>> 8) & mask
    for (;;) {
      const row = this.#slots[slot] as number
      if (row === 0 || compareIdsAt(this.#view, (row - 1) * PACK_ROW_LENGTH, id, at) === 0) return slot
      slot = (slot + 1) & mask
    }
  }
}
