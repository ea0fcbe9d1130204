import type { AbortOptions, KeyTable, Prefix } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import type { Rows } from './rows.ts'
import { rowsUnder, scanRows } from './rows.ts'

/** Rows of a first read: more than a subtree may have without its children being kept. */
const FIRST_READ = 65
/** Rows of the largest read. Memory is bounded by it: 256 KiB with values. */
const LARGEST_READ = 4_096

/**
 * Reads a table in key order, ahead as a file system does: while reading goes on without a gap, every read is twice the
 * one before and goes beyond the prefix that asked for it; after a gap the next read is small and stays under its
 * prefix. So a table without kept subtrees is one long scan, and a small bucket that changed costs only its rows.
 */
export class RowWindow {
  readonly #table: KeyTable
  readonly #options: AbortOptions | undefined
  #rows: Rows | undefined
  /** All rows from the first key under `#start` on are here, up to the last; where `#ended`, all under `#range`. */
  #start: Prefix = ''
  #range: Prefix = ''
  #ended = false
  #limit = FIRST_READ
  #used = 0
  #gap = true

  constructor(table: KeyTable, options?: AbortOptions) {
    this.#table = table
    this.#options = options
  }

  /** All rows under a prefix where they are here, else `undefined`. */
  take(prefix: Prefix): Rows | undefined {
    const found = this.#find(prefix)
    if (found === undefined) return undefined
    const whole = found.to < found.page.count || (this.#ended && prefix.startsWith(this.#range))
    if (!whole) return undefined
    this.#used = found.to
    return found
  }

  /** Rows before the next prefix are not wanted. */
  skip(): void {
    this.#gap = true
  }

  /** Reads on at a prefix. `undefined`: there is more under it than one read gave, and the window starts there. */
  async read(prefix: Prefix): Promise<Rows | undefined> {
    const held = this.#find(prefix)
    if (held !== undefined && held.to - held.from >= FIRST_READ) return undefined
    const range = this.#rangeOfRead(prefix)
    this.#rows = await scanRows(this.#table, range, this.#options)
    this.#start = prefix
    this.#range = range.prefix
    this.#ended = this.#rows.page.count < range.limit
    this.#limit = range.limit
    this.#used = 0
    this.#gap = false
    return this.take(prefix)
  }

  #rangeOfRead(prefix: Prefix): { prefix: Prefix; after?: Uint8Array; limit: number } {
    if (this.#gap || this.#rows === undefined || this.#used === 0) return { prefix, limit: FIRST_READ }
    const { keys } = this.#rows.page
    const after = keys.slice((this.#used - 1) * KEY_LENGTH, this.#used * KEY_LENGTH)
    return { prefix: '', after, limit: Math.min(this.#limit * 2, LARGEST_READ) }
  }

  #find(prefix: Prefix): Rows | undefined {
    return this.#rows !== undefined && prefix >= this.#start ? rowsUnder(this.#rows, prefix) : undefined
  }
}
