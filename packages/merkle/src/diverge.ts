import type { AbortOptions, Bytes, KeyTable, Prefix } from '@vault/core'
import { copyBytes, equalBytes, KEY_LENGTH, toHex } from '@vault/core'
import { DIGITS } from './branch.ts'
import { invalidTable } from './error.ts'
import type { Rows } from './rows.ts'
import { compareRows, rowsAfter, sameValue } from './rows.ts'
import type { Part } from './side.ts'
import { isEmpty, Side } from './side.ts'

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

/**
 * The differences between two tables in key order, at most `limit` of them (M080). Subtrees that both have kept are
 * compared and left out where they are equal, so that d differences among n keys cost about d · log n reads; buckets
 * that are not kept are read, and hashed and kept where the other side has a hash to compare with. Nothing is hashed
 * where one side is empty. To go on, pass `next` as `after`, with these views or with newer ones.
 * Throws `MERKLE_TABLE_INVALID`.
 */
export async function diverge(a: KeyTable, b: KeyTable, options: DivergeOptions): Promise<Divergence> {
  options.signal?.throwIfAborted()
  const { after, limit } = options
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`limit is a positive integer, not ${limit}`)
  if (after !== undefined && after.length !== KEY_LENGTH) throw new RangeError(`after is a key of ${KEY_LENGTH} bytes`)
  return new Comparison(a, b, options).run()
}

type Kind = 'onlyA' | 'onlyB' | 'differing'

class Comparison {
  readonly #a: Side
  readonly #b: Side
  readonly #signal: AbortSignal | undefined
  readonly #after: Uint8Array | undefined
  readonly #cursor: string
  readonly #limit: number
  readonly #lists: Record<Kind, Bytes[]> = { onlyA: [], onlyB: [], differing: [] }
  #found = 0
  #last: Bytes | undefined
  /** There is a difference beyond the limit. */
  #more = false

  constructor(a: KeyTable, b: KeyTable, { after, limit, signal }: DivergeOptions) {
    this.#a = new Side(a, { signal })
    this.#b = new Side(b, { signal })
    this.#signal = signal
    this.#after = after
    this.#cursor = after === undefined ? '' : toHex(after)
    this.#limit = limit
  }

  async run(): Promise<Divergence> {
    await this.#compare('', undefined, undefined)
    await this.#a.flush()
    await this.#b.flush()
    return { ...this.#lists, ...(this.#more && this.#last && { next: copyBytes(this.#last) }) }
  }

  /** The target, usually `b`, is looked at first: where it is empty, the other side need not be known at all. */
  async #compare(prefix: Prefix, knownA: Part | undefined, knownB: Part | undefined): Promise<void> {
    if (this.#more || prefix < this.#cursor.slice(0, prefix.length)) return
    this.#signal?.throwIfAborted()
    const b = knownB ?? (await this.#b.look(prefix))
    if (isEmpty(b)) return this.#addAll('onlyA', this.#a, knownA ?? prefix)
    const a = knownA ?? (await this.#a.look(prefix))
    if (isEmpty(a)) return this.#addAll('onlyB', this.#b, b)

    const comparable = a.type !== 'large' && b.type !== 'large' && (a.type === 'kept' || b.type === 'kept')
    if (comparable && equalBytes(this.#a.subtree(a).hash, this.#b.subtree(b).hash)) return
    const before = this.#found
    await this.#descend(prefix, await this.#a.open(a), await this.#b.open(b))
    const whole = !this.#more && !(this.#after && this.#cursor.startsWith(prefix))
    if (comparable && whole && this.#found === before) {
      throw invalidTable(`one of two tables keeps a hash for "${prefix}" that is not the hash of its rows`)
    }
  }

  async #descend(prefix: Prefix, a: Part, b: Part): Promise<void> {
    if (a.type === 'rows' && b.type === 'rows') return this.#merge(this.#remaining(a.rows), this.#remaining(b.rows))
    const [childrenA, childrenB] = [await this.#a.children(a), await this.#b.children(b)]
    for (const [i, digit] of DIGITS.entries()) {
      await this.#compare(prefix + digit, childrenA[i], childrenB[i])
    }
  }

  #merge(a: Rows, b: Rows): void {
    let [i, j] = [a.from, b.from]
    while (!this.#more && (i < a.to || j < b.to)) {
      const order = i === a.to ? 1 : j === b.to ? -1 : compareRows(a.page.keys, i, b.page.keys, j)
      if (order < 0) this.#add('onlyA', a, i)
      else if (order > 0) this.#add('onlyB', b, j)
      else if (!sameValue(a.page, i, b.page, j)) this.#add('differing', a, i)
      if (order <= 0) i++
      if (order >= 0) j++
    }
  }

  /** Everything that one side has under a prefix, in pages; no more of them than still fit. */
  async #addAll(kind: Kind, side: Side, part: Part | Prefix): Promise<void> {
    if (typeof part !== 'string') {
      if (isEmpty(part)) return
      if (part.type === 'rows') return this.#addRows(kind, this.#remaining(part.rows))
    }
    const prefix = typeof part === 'string' ? part : part.prefix
    let after = this.#after
    let limit: number
    let rows: Rows
    do {
      limit = Math.min(PAGE, this.#limit - this.#found + 1)
      rows = await side.scan(prefix, limit, after)
      this.#addRows(kind, rows)
      after = rows.page.keys.subarray(-KEY_LENGTH)
    } while (!this.#more && rows.to === limit)
  }

  #addRows(kind: Kind, rows: Rows): void {
    for (let row = rows.from; row < rows.to && !this.#more; row++) this.#add(kind, rows, row)
  }

  #add(kind: Kind, { page }: Rows, row: number): void {
    if (this.#found === this.#limit) {
      this.#more = true
      return
    }
    this.#found++
    this.#last = page.keys.slice(row * KEY_LENGTH, (row + 1) * KEY_LENGTH)
    this.#lists[kind].push(this.#last)
  }

  #remaining(rows: Rows): Rows {
    return this.#after === undefined ? rows : rowsAfter(rows, this.#after)
  }
}
