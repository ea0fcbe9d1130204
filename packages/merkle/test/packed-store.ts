import type { Bytes, KeyPage, KeyTable, Prefix, Subtree } from '@vault/core'
import { compareBytes, concatBytes, copyBytes, toHex } from '@vault/core'

/** A row; the value is 32 zero bytes where there is none. */
export interface Row {
  readonly key: Uint8Array
  readonly value?: Uint8Array | undefined
}

/** A row to put, or to remove where there is no value. */
export interface Change {
  readonly key: Uint8Array
  readonly value?: Uint8Array | undefined
}

/** What a test wants to know of the work that was done. */
export interface Work {
  scans: number
  rows: number
  children: number
  kept: number
}

export const ZEROS: Bytes = new Uint8Array(32)

/**
 * Sorted packed arrays with kept subtrees and dirty marks: what a soup owes as a `KeyTable`, in memory. Views are
 * unchanging, and `keep` through an old view does not touch what has changed since.
 */
export class PackedStore {
  #keys: Bytes
  #values: Bytes
  #sequence = 0
  readonly #changed = new Map<Prefix, number>()
  readonly kept = new Map<Prefix, Subtree>()
  readonly work: Work = { scans: 0, rows: 0, children: 0, kept: 0 }

  /** A new store with these rows, in any order; of equal keys the last. */
  constructor(rows: Iterable<Row> = []) {
    const last = new Map(Array.from(rows, (row) => [toHex(row.key), row]))
    const sorted = [...last.values()].sort((a, b) => compareBytes(a.key, b.key))
    this.#keys = new Uint8Array(sorted.length * 32)
    this.#values = new Uint8Array(sorted.length * 32)
    for (const [i, { key, value }] of sorted.entries()) {
      this.#keys.set(key, i * 32)
      this.#values.set(value ?? ZEROS, i * 32)
    }
  }

  get count(): number {
    return this.#keys.length / 32
  }

  apply(changes: readonly Change[]): void {
    this.#sequence++
    const last = new Map(changes.map((change) => [toHex(change.key), change]))
    const parts: { keys: Uint8Array[]; values: Uint8Array[] } = { keys: [], values: [] }
    let copied = 0
    for (const { key, value } of [...last.values()].sort((a, b) => compareBytes(a.key, b.key))) {
      const at = lowerBound(this.#keys, key)
      const exists = at < this.count && compareBytes(this.#keys.subarray(at * 32, at * 32 + 32), key) === 0
      parts.keys.push(this.#keys.subarray(copied * 32, at * 32))
      parts.values.push(this.#values.subarray(copied * 32, at * 32))
      copied = at + (exists ? 1 : 0)
      if (value !== undefined) {
        parts.keys.push(key)
        parts.values.push(value)
      }
      this.#dirty(toHex(key))
    }
    this.#keys = concatBytes(...parts.keys, this.#keys.subarray(copied * 32))
    this.#values = concatBytes(...parts.values, this.#values.subarray(copied * 32))
  }

  page(): KeyPage {
    return { count: this.count, keys: copyBytes(this.#keys), values: copyBytes(this.#values) }
  }

  /** `plain`: without values, which must then be zeros. `forgetful`: keeps nothing, as a read-only view. */
  view(options: { plain?: boolean; forgetful?: boolean } = {}): KeyTable {
    const [keys, values, sequence, work] = [this.#keys, this.#values, this.#sequence, this.work]
    const isOld = (prefix: Prefix) => (this.#changed.get(prefix) ?? 0) > sequence
    return {
      scan: async ({ prefix, after, limit }) => {
        const first = lowerBound(keys, bound(prefix, '0'))
        const end = upperBound(keys, bound(prefix, 'f'))
        const from = after === undefined ? first : Math.max(first, upperBound(keys, after))
        const to = Math.max(from, Math.min(end, from + limit))
        work.scans++
        work.rows += to - from
        const page = { count: to - from, keys: keys.slice(from * 32, to * 32) }
        return options.plain ? page : { ...page, values: values.slice(from * 32, to * 32) }
      },
      children: async (prefix) => {
        work.children++
        return [...'0123456789abcdef'].map((digit) =>
          options.forgetful || isOld(prefix + digit) ? undefined : this.kept.get(prefix + digit),
        )
      },
      keep: async (subtrees) => {
        if (options.forgetful) return
        work.kept += subtrees.size
        for (const [prefix, subtree] of subtrees) {
          if (!isOld(prefix)) this.kept.set(prefix, { hash: copyBytes(subtree.hash), count: subtree.count })
        }
      },
    }
  }

  #dirty(key: string): void {
    for (let length = 0; length <= 64; length++) {
      const prefix = key.slice(0, length)
      this.kept.delete(prefix)
      this.#changed.set(prefix, this.#sequence)
    }
  }
}

function bound(prefix: Prefix, fill: string): Bytes {
  return hex(prefix.padEnd(64, fill))
}

export function hex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

function lowerBound(keys: Uint8Array, key: Uint8Array): number {
  return firstRow(keys, (row) => compareBytes(row, key) >= 0)
}

function upperBound(keys: Uint8Array, key: Uint8Array): number {
  return firstRow(keys, (row) => compareBytes(row, key) > 0)
}

function firstRow(keys: Uint8Array, holds: (row: Uint8Array) => boolean): number {
  let [low, high] = [0, keys.length / 32]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(keys.subarray(middle * 32, middle * 32 + 32))) high = middle
    else low = middle + 1
  }
  return low
}
