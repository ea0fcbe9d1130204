import type { AbortOptions, KeyTable, Prefix, Subtree } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import type { Branch } from './branch.ts'
import { DIGITS, joinBranch } from './branch.ts'
import { invalidTable } from './error.ts'
import { NodeHasher } from './node-hasher.ts'
import { hashRows } from './page-root.ts'
import { RowWindow } from './row-window.ts'
import type { Rows } from './rows.ts'
import { rowsUnder } from './rows.ts'

/** A subtree with more keys than this is told apart by its children where tables are compared and exported. */
export const BRANCH_ABOVE = 64
/** The children of a subtree with more keys than this are kept. Fewer are read and hashed again in a tenth of a millisecond. */
export const KEEP_ABOVE = 24
/** Subtrees handed to `KeyTable.keep` at a time. */
const KEEP_BATCH = 4_096

/**
 * Subtrees of one table: those it has kept, and the others computed from their rows and given to it to keep. Each hash
 * comes from the sorted keys alone, so there is no path by which one history could give another root than the next.
 * Depth is bounded by the 64 digits of a key. Call `flush` at the end.
 */
export class SubtreeWalk {
  readonly hasher: NodeHasher = new NodeHasher()
  readonly #table: KeyTable
  readonly #options: AbortOptions | undefined
  readonly #window: RowWindow
  #pending = new Map<Prefix, Subtree>()

  constructor(table: KeyTable, options?: AbortOptions) {
    this.#table = table
    this.#options = options
    this.#window = new RowWindow(table, options)
  }

  /** What is known below a prefix: by the table, or computed and not handed to it yet. */
  async children(prefix: Prefix): Promise<readonly (Subtree | undefined)[]> {
    const kept = await this.#table.children(prefix, this.#options)
    if (this.#pending.size === 0) return kept
    return kept.map((child, i) => child ?? this.#pending.get(`${prefix}${DIGITS[i]}`))
  }

  /** The subtree of a prefix, computed anew unless all below it is kept. */
  async subtree(prefix: Prefix): Promise<Subtree> {
    let rows = this.#window.take(prefix)
    if (rows === undefined) {
      const kept = await this.children(prefix)
      if (kept.every((child) => child === undefined)) rows = await this.#window.read(prefix)
      if (rows === undefined) return this.#join(await this.#complete(prefix, kept), kept)
    }
    return this.ofRows(prefix, rows)
  }

  /** The sixteen subtrees below a prefix. */
  async branch(prefix: Prefix): Promise<Branch> {
    this.#window.skip()
    const kept = await this.children(prefix)
    const branch = await this.#complete(prefix, kept)
    this.#join(branch, kept)
    return branch
  }

  /** The subtree of all rows under a prefix. */
  ofRows(prefix: Prefix, rows: Rows): Subtree {
    const count = rows.to - rows.from
    if (count <= KEEP_ABOVE) return { hash: hashRows(this.hasher, rows), count }
    const children = DIGITS.map((digit) => this.ofRows(prefix + digit, rowsUnder(rows, prefix + digit)))
    return this.#join({ prefix, children }, [])
  }

  /** Has the table keep a subtree, at the latest at `flush`. */
  keep(prefix: Prefix, subtree: Subtree): void {
    this.#pending.set(prefix, subtree)
  }

  async flush(): Promise<void> {
    const subtrees = this.#pending
    if (subtrees.size === 0) return
    this.#pending = new Map()
    await this.#table.keep(subtrees, this.#options)
  }

  async #complete(prefix: Prefix, kept: readonly (Subtree | undefined)[]): Promise<Branch> {
    this.#options?.signal?.throwIfAborted()
    if (prefix.length === KEY_LENGTH * 2) throw invalidTable(`it has kept subtrees below the whole key ${prefix}`)
    const children: Subtree[] = []
    for (const [i, digit] of DIGITS.entries()) {
      const known = kept[i]
      if (known !== undefined) this.#window.skip()
      children.push(known ?? (await this.subtree(prefix + digit)))
    }
    if (this.#pending.size >= KEEP_BATCH) await this.flush()
    return { prefix, children }
  }

  #join(branch: Branch, kept: readonly (Subtree | undefined)[]): Subtree {
    const subtree = joinBranch(this.hasher, branch)
    if (subtree.count > KEEP_ABOVE) {
      for (const [i, child] of branch.children.entries()) {
        if (kept[i] === undefined) this.keep(branch.prefix + DIGITS[i], child)
      }
    }
    return subtree
  }
}
