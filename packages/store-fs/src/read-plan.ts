import { PACK_ROW_LENGTH, PackRows, RECORD_HEADER_LENGTH, rowExtra, rowOffset, rowStored, viewOf } from '@vault/cas'
import type { Bytes } from '@vault/core'

/** One read: records of one segment that lie close together. */
export interface Extent {
  readonly segment: number
  readonly offset: number
  readonly length: number
  /** Its records: places `first` up to but not including `last`. */
  readonly first: number
  readonly last: number
}

/** Where one of the objects asked for lies. */
export interface Place {
  readonly id: Bytes
  readonly offset: number
  readonly stored: number
  /** Its place among the ids asked for. */
  readonly asked: number
}

/** Bytes in one piece of an answer, and the most that one read fetches. */
export const PIECE_LENGTH: number = 4 * 1024 * 1024
/** Unwanted bytes that are cheaper to read than another read. */
const MAX_GAP = 4096

/** Places of the objects of a batch, put into the order in which they lie. */
export class ReadPlan {
  readonly #rows = new PackRows()
  readonly #asked: number[] = []
  #order = new Uint32Array(0)
  #view: DataView = viewOf(this.#rows.bytes)

  /** Adds an object by the row of one of its copies. */
  add(row: Uint8Array, asked: number): void {
    this.#rows.appendAll(row)
    this.#asked.push(asked)
  }

  /** What to read, in pieces. Call it when all have been added. */
  pieces(): Extent[][] {
    this.#sort()
    const pieces: Extent[][] = []
    let length = PIECE_LENGTH
    for (const extent of this.#extents()) {
      if (length + extent.length > PIECE_LENGTH) {
        pieces.push([])
        length = 0
      }
      pieces.at(-1)?.push(extent)
      length += extent.length
    }
    return pieces
  }

  /** An object by its place in the order. */
  at(place: number): Place {
    const row = this.#order[place] as number
    const at = row * PACK_ROW_LENGTH
    return {
      id: this.#rows.bytes.subarray(at, at + 36),
      offset: rowOffset(this.#view, at),
      stored: rowStored(this.#view, at),
      asked: this.#asked[row] as number,
    }
  }

  #sort(): void {
    const view = viewOf(this.#rows.bytes)
    this.#view = view
    this.#order = Uint32Array.from({ length: this.#rows.count }, (_, row) => row).sort((a, b) => {
      const [atA, atB] = [a * PACK_ROW_LENGTH, b * PACK_ROW_LENGTH]
      return rowExtra(view, atA) - rowExtra(view, atB) || rowOffset(view, atA) - rowOffset(view, atB)
    })
  }

  *#extents(): Generator<Extent> {
    let open: Extent | undefined
    for (let place = 0; place < this.#order.length; place++) {
      const at = (this.#order[place] as number) * PACK_ROW_LENGTH
      const segment = rowExtra(this.#view, at)
      const offset = rowOffset(this.#view, at)
      const end = offset + RECORD_HEADER_LENGTH + rowStored(this.#view, at)
      if (open?.segment === segment) {
        // A record asked for twice ends where the one before it does.
        const length: number = Math.max(open.length, end - open.offset)
        if (offset <= open.offset + open.length + MAX_GAP && length <= PIECE_LENGTH) {
          open = { ...open, length, last: place + 1 }
          continue
        }
      }
      if (open !== undefined) yield open
      open = { segment, offset, length: end - offset, first: place, last: place + 1 }
    }
    if (open !== undefined) yield open
  }
}
