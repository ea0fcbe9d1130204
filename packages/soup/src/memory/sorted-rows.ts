import type { Bytes } from '@vault/core'
import { toHex } from '@vault/core'
import { checkLimit } from '../limit.ts'

/** A row of a table of 32-byte keys. Rows are never changed, only replaced. */
export interface Row {
  readonly key: Bytes
  /** The key as text, which sorts as the key does. */
  readonly hex: string
}

/** Rows ascending by key, unchanging. */
export class SortedRows<R extends Row> {
  readonly #rows: readonly R[]

  constructor(rows: Iterable<R>) {
    this.#rows = [...rows].sort((a, b) => (a.hex < b.hex ? -1 : 1))
  }

  /** At most `limit` rows under the prefix, strictly after `after`. */
  range(prefix: string, after: Uint8Array | undefined, limit: number): readonly R[] {
    checkLimit(limit)
    const last = after === undefined ? '' : toHex(after)
    const start = this.#lowerBound(last < prefix ? prefix : last)
    const first = after !== undefined && this.#rows[start]?.hex === last ? start + 1 : start
    let end = first
    while (end < this.#rows.length && end - first < limit && this.#rows[end]?.hex.startsWith(prefix)) end++
    return this.#rows.slice(first, end)
  }

  find(key: Uint8Array): R | undefined {
    const hex = toHex(key)
    const row = this.#rows[this.#lowerBound(hex)]
    return row?.hex === hex ? row : undefined
  }

  #lowerBound(hex: string): number {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#rows[middle] as R).hex < hex) low = middle + 1
      else high = middle
    }
    return low
  }
}
