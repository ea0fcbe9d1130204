import type { AbortOptions, KeyTable, Prefix, Subtree } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import { DIGITS } from './branch.ts'
import { invalidTable } from './error.ts'
import type { Rows } from './rows.ts'
import { rowsUnder, scanRows } from './rows.ts'
import { KEEP_ABOVE, SubtreeWalk } from './subtree-walk.ts'

/** Where nothing is kept, this many rows are read to see whether they are all. */
const PROBE = 257

/** What one side is known to hold under a prefix. */
export type Part = { readonly prefix: Prefix } & (
  | { readonly type: 'kept'; readonly subtree: Subtree }
  /** Every row, in memory. `read`: they are one bucket as it was read, not a part of one. */
  | { readonly type: 'rows'; readonly rows: Rows; readonly read: boolean }
  /** Too many rows to hash for a comparison; what is kept below says more. */
  | { readonly type: 'large'; readonly children: readonly (Subtree | undefined)[] }
)

/** Whether nothing is there. A large part may be empty all the same; its children then say so. */
export function isEmpty(part: Part): boolean {
  if (part.type === 'rows') return part.rows.from === part.rows.to
  return part.type === 'kept' && part.subtree.count === 0
}

/** One of two tables that are compared: the cheapest answer to what it holds under a prefix. */
export class Side {
  readonly #table: KeyTable
  readonly #options: AbortOptions | undefined
  readonly #walk: SubtreeWalk

  constructor(table: KeyTable, options?: AbortOptions) {
    this.#table = table
    this.#options = options
    this.#walk = new SubtreeWalk(table, options)
  }

  /** A prefix whose own subtree is not kept. */
  async look(prefix: Prefix): Promise<Part> {
    const children = await this.#table.children(prefix, this.#options)
    if (children.some((child) => child !== undefined)) return { type: 'large', prefix, children }
    const rows = await this.scan(prefix, PROBE)
    return rows.to < PROBE ? { type: 'rows', prefix, rows, read: true } : { type: 'large', prefix, children }
  }

  async scan(prefix: Prefix, limit: number, after?: Uint8Array): Promise<Rows> {
    return scanRows(this.#table, { prefix, limit, ...(after && { after }) }, this.#options)
  }

  /** The subtree of a part that is not large. A bucket that had to be hashed for it is kept. */
  subtree(part: Exclude<Part, { type: 'large' }>): Subtree {
    if (part.type === 'kept') return part.subtree
    const subtree = this.#walk.ofRows(part.prefix, part.rows)
    if (part.read) this.#walk.keep(part.prefix, subtree)
    return subtree
  }

  /** The part with its rows, where it is so small that nothing is kept below it. */
  async open(part: Part): Promise<Part> {
    if (part.type !== 'kept' || part.subtree.count > KEEP_ABOVE) return part
    const { prefix, subtree } = part
    const rows = await this.scan(prefix, KEEP_ABOVE + 1)
    if (rows.to !== subtree.count)
      throw invalidTable(`it keeps ${subtree.count} keys under "${prefix}" and has ${rows.to}`)
    return { type: 'rows', prefix, rows, read: false }
  }

  /** The parts one digit below; `undefined`: one has to look. */
  async children(part: Part): Promise<readonly (Part | undefined)[]> {
    const { prefix } = part
    if (prefix.length === KEY_LENGTH * 2)
      throw invalidTable(`it says that there is more than one row with the key ${prefix}`)
    if (part.type === 'rows') {
      return DIGITS.map((digit): Part => {
        const below = prefix + digit
        return { type: 'rows', prefix: below, rows: rowsUnder(part.rows, below), read: false }
      })
    }
    const known = part.type === 'large' ? part.children : await this.#table.children(prefix, this.#options)
    return DIGITS.map((digit, i): Part | undefined => {
      const subtree = known[i]
      return subtree && { type: 'kept', prefix: prefix + digit, subtree }
    })
  }

  async flush(): Promise<void> {
    await this.#walk.flush()
  }
}
