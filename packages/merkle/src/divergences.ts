import type { AbortOptions, Bytes, Prefix } from '@vault/core'
import { copyBytes, KEY_LENGTH, toHex } from '@vault/core'
import type { Rows } from './rows.ts'
import { compareRows, rowsAfter, sameValue } from './rows.ts'

/** Rows read at a time where only one side has any. */
const PAGE = 4_096

/** Some of the differences between two tables: keys, ascending in each list and from one window to the next. */
export interface Divergence {
  readonly onlyA: Bytes[]
  readonly onlyB: Bytes[]
  /** Keys in both, with other values. */
  readonly differing: Bytes[]
  /** Go on after this key; absent: there are no more differences. */
  readonly next?: Bytes
}

export interface DivergeOptions extends AbortOptions {
  /** Only keys strictly greater than this one. */
  readonly after?: Uint8Array
  /** Differences at most, over all three lists. */
  readonly limit: number
}

/** What a key is, where two tables have not the same. */
export type Kind = 'onlyA' | 'onlyB' | 'differing'

/** The differences of one window, found in key order. */
export class Divergences {
  readonly #after: Uint8Array | undefined
  readonly #cursor: string
  readonly #limit: number
  readonly #lists: Record<Kind, Bytes[]> = { onlyA: [], onlyB: [], differing: [] }
  #count = 0
  #last: Bytes | undefined
  #full = false

  constructor({ after, limit }: DivergeOptions) {
    this.#after = after
    this.#cursor = after === undefined ? '' : toHex(after)
    this.#limit = limit
  }

  get count(): number {
    return this.#count
  }

  /** Whether there is a difference beyond the limit. */
  get isFull(): boolean {
    return this.#full
  }

  /** Whether all keys under a prefix lie before this window. */
  isPast(prefix: Prefix): boolean {
    return prefix < this.#cursor.slice(0, prefix.length)
  }

  /** Whether some of them may. */
  isCut(prefix: Prefix): boolean {
    return this.#after !== undefined && this.#cursor.startsWith(prefix)
  }

  window(): Divergence {
    return { ...this.#lists, ...(this.#full && this.#last && { next: copyBytes(this.#last) }) }
  }

  /** The differences between all rows that both have under a prefix. */
  merge(allA: Rows, allB: Rows): void {
    const [a, b] = [this.#remaining(allA), this.#remaining(allB)]
    let [i, j] = [a.from, b.from]
    while (!this.#full && (i < a.to || j < b.to)) {
      const order = i === a.to ? 1 : j === b.to ? -1 : compareRows(a.page.keys, i, b.page.keys, j)
      if (order < 0) this.#add('onlyA', a, i)
      else if (order > 0) this.#add('onlyB', b, j)
      else if (!sameValue(a.page, i, b.page, j)) this.#add('differing', a, i)
      if (order <= 0) i++
      if (order >= 0) j++
    }
  }

  addRows(kind: Kind, all: Rows): void {
    const rows = this.#remaining(all)
    for (let row = rows.from; row < rows.to && !this.#full; row++) this.#add(kind, rows, row)
  }

  /** Everything that one side has, in pages; no more of them than still fit. */
  async addAll(kind: Kind, scan: (limit: number, after: Uint8Array | undefined) => Promise<Rows>): Promise<void> {
    let after = this.#after
    let limit: number
    let rows: Rows
    do {
      limit = Math.min(PAGE, this.#limit - this.#count + 1)
      rows = await scan(limit, after)
      this.addRows(kind, rows)
      after = rows.page.keys.subarray(-KEY_LENGTH)
    } while (!this.#full && rows.to === limit)
  }

  #add(kind: Kind, { page }: Rows, row: number): void {
    if (this.#count === this.#limit) {
      this.#full = true
      return
    }
    this.#count++
    this.#last = page.keys.slice(row * KEY_LENGTH, (row + 1) * KEY_LENGTH)
    this.#lists[kind].push(this.#last)
  }

  #remaining(rows: Rows): Rows {
    return this.#after === undefined ? rows : rowsAfter(rows, this.#after)
  }
}
