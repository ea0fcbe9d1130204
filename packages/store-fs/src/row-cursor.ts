import { compareIdsAt, idKey, PACK_ROW_LENGTH, rowExtra, viewOf } from '@vault/cas'

/** Walks sorted rows block by block. Its fields are the row it stands on; they are set by `next`. */
export class RowCursor {
  readonly #blocks: Iterator<Uint8Array>
  readonly #segmentAt: (view: DataView, at: number) => number
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = viewOf(this.bytes)
  at = 0
  key = 0
  /** The session's number of the segment. */
  segment = 0

  constructor(blocks: Iterator<Uint8Array>, segmentAt: (view: DataView, at: number) => number) {
    this.#blocks = blocks
    this.#segmentAt = segmentAt
  }

  /** Moves to the first row, then to the next one; false behind the last. */
  next(): boolean {
    this.at += PACK_ROW_LENGTH
    while (this.at >= this.bytes.length) {
      const block = this.#blocks.next()
      if (block.done) return false
      this.bytes = block.value
      this.view = viewOf(this.bytes)
      this.at = 0
    }
    this.key = idKey(this.view, this.at)
    this.segment = this.#segmentAt(this.view, this.at)
    return true
  }

  /** Order of ids, of two rows. */
  compareTo(other: RowCursor): number {
    return this.key - other.key || compareIdsAt(this.view, this.at, other.view, other.at)
  }
}

/** A cursor over rows in memory, sorted by id. */
export function arrayCursor(rows: Uint8Array): RowCursor {
  return new RowCursor([rows].values(), rowExtra)
}

/** The same from the first row whose id is not before this one. */
export function arrayCursorFrom(rows: Uint8Array, id: DataView): RowCursor {
  const view = viewOf(rows)
  let low = 0
  let high = rows.length / PACK_ROW_LENGTH
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareIdsAt(view, middle * PACK_ROW_LENGTH, id, 0) < 0) low = middle + 1
    else high = middle
  }
  return arrayCursor(rows.subarray(low * PACK_ROW_LENGTH))
}

/** Walks several sorted sources as one; rows of one id come together, in the order of the sources. */
export class MergedCursors {
  #live: RowCursor[]

  constructor(cursors: readonly RowCursor[]) {
    this.#live = cursors.filter((cursor) => cursor.next())
  }

  /** The cursor that stands on the least row; `undefined` behind the last. Valid until `next`. */
  get least(): RowCursor | undefined {
    let least = this.#live[0]
    for (let i = 1; i < this.#live.length; i++) {
      const cursor = this.#live[i] as RowCursor
      if (least !== undefined && cursor.compareTo(least) < 0) least = cursor
    }
    return least
  }

  /** Moves on from the row that `least` gave. */
  next(least: RowCursor): void {
    if (!least.next()) this.#live = this.#live.filter((cursor) => cursor !== least)
  }
}
