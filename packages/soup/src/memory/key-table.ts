import type { AbortOptions, Bytes, KeyPage, KeyTable, Prefix, Subtree } from '@vault/core'
import { copyBytes, KEY_LENGTH } from '@vault/core'
import type { Row, SortedRows } from './sorted-rows.ts'

const DIGITS = '0123456789abcdef'
const PREFIX = /^[0-9a-f]{0,64}$/

/** A row of a table; without a value, the value is 32 zero bytes. */
export interface TableRow extends Row {
  readonly value?: Bytes
}

/** Subtrees computed by readers, each with the sequence of the view that it was computed over. */
export class KeptSubtrees {
  readonly #kept = new Map<Prefix, { subtree: Subtree; sequence: number }>()
  #longest = 0

  /** What is kept for a prefix and holds for a view of this sequence. Whatever changed since it was kept is forgotten. */
  at(prefix: Prefix, sequence: number): Subtree | undefined {
    const kept = this.#kept.get(prefix)
    return kept !== undefined && kept.sequence <= sequence ? copySubtree(kept.subtree) : undefined
  }

  keep(subtrees: ReadonlyMap<Prefix, Subtree>, sequence: number): void {
    for (const [prefix, subtree] of subtrees) {
      this.#kept.set(prefix, { subtree: copySubtree(subtree), sequence })
      this.#longest = Math.max(this.#longest, prefix.length)
    }
  }

  /** Forgets every subtree that has this key under it. */
  forget(hex: string): void {
    for (let length = 0; length <= this.#longest; length++) this.#kept.delete(hex.slice(0, length))
  }

  clear(): void {
    this.#kept.clear()
    this.#longest = 0
  }
}

/** What a view of a table is made of. */
export interface TableView {
  readonly rows: SortedRows<TableRow>
  /** Whether rows have values of their own. */
  readonly values: boolean
  readonly kept: KeptSubtrees
  readonly sequence: number
  /** The sequence of the vault as it is when asked. */
  latest(): number
}

export function keyTable({ rows, values, kept, sequence, latest }: TableView): KeyTable {
  return {
    async scan({ prefix, after, limit }, options?: AbortOptions) {
      options?.signal?.throwIfAborted()
      requirePrefix(prefix)
      return page(rows.range(prefix, after, limit), values)
    },
    async children(prefix, options?: AbortOptions) {
      options?.signal?.throwIfAborted()
      requirePrefix(prefix)
      return Array.from(DIGITS, (digit) => kept.at(prefix + digit, sequence))
    },
    async keep(subtrees, options?: AbortOptions) {
      options?.signal?.throwIfAborted()
      for (const prefix of subtrees.keys()) requirePrefix(prefix)
      // A change after this view may lie under any of them, and its marks are gone already: only a view that is still the latest keeps.
      if (sequence === latest()) kept.keep(subtrees, sequence)
    },
  }
}

function page(rows: readonly TableRow[], withValues: boolean): KeyPage {
  const count = rows.length
  const keys = new Uint8Array(count * KEY_LENGTH)
  for (const [i, { key }] of rows.entries()) keys.set(key, i * KEY_LENGTH)
  if (!withValues) return { count, keys }
  const values = new Uint8Array(count * KEY_LENGTH)
  for (const [i, { value }] of rows.entries()) values.set(value as Bytes, i * KEY_LENGTH)
  return { count, keys, values }
}

function requirePrefix(prefix: Prefix): void {
  if (!PREFIX.test(prefix))
    throw new RangeError(`A prefix is at most 64 hexadecimal digits, not ${JSON.stringify(prefix)}`)
}

function copySubtree({ hash, count }: Subtree): Subtree {
  return { hash: copyBytes(hash), count }
}
