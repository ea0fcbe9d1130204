import type { AbortOptions, KeyPage, KeyTable, Prefix, Span, SpanDifference, Subtree } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import { DIGITS } from './branch.ts'
import type { Rows } from './rows.ts'
import { rowsUnder, scanRows } from './rows.ts'
import { BRANCH_ABOVE, SubtreeWalk } from './subtree-walk.ts'

/** So few rows travel at once, because asking for what lies above them costs as much. */
const FEW = 8

/** A span that somebody else has, as far as one can tell whether it is the same. */
export interface StatedSpan {
  readonly prefix: Prefix
  readonly isSame: (digit: number, subtree: Subtree) => boolean
}

/** Reads spans of one table. */
export class Spans {
  readonly #table: KeyTable
  readonly #options: AbortOptions | undefined
  readonly #walk: SubtreeWalk

  constructor(table: KeyTable, options?: AbortOptions) {
    this.#table = table
    this.#options = options
    this.#walk = new SubtreeWalk(table, options)
  }

  /** What the table has under a prefix; and its rows there, where they were read for that. */
  async at(prefix: Prefix): Promise<Span & { readonly rows: Rows | undefined }> {
    const kept = await this.#walk.children(prefix)
    if (kept.every((child) => child === undefined)) {
      const rows = await scanRows(this.#table, { prefix, limit: BRANCH_ABOVE + 1 }, this.#options)
      if (rows.to <= BRANCH_ABOVE) {
        const children = DIGITS.map((digit) => this.#walk.ofRows(prefix + digit, rowsUnder(rows, prefix + digit)))
        return { prefix, children, rows }
      }
    }
    return { ...(await this.#walk.branch(prefix)), rows: undefined }
  }

  /** All rows under a prefix, of which there are no more than so many. */
  async rows(prefix: Prefix, count: number, read: Rows | undefined): Promise<Rows> {
    return read === undefined
      ? await scanRows(this.#table, { prefix, limit: count + 1 }, this.#options)
      : rowsUnder(read, prefix)
  }

  /** Has the table keep what was computed. */
  async flush(): Promise<void> {
    await this.#walk.flush()
  }
}

/**
 * Where a table has something else than what is stated of another one: the answer of a `DistantTable`, by the table that is far away. The
 * subtrees above the spans are to be kept: call `setRoot` before, or each span costs a scan of what lies below it.
 */
export async function spanDifferences(
  table: KeyTable,
  spans: readonly StatedSpan[],
  options?: AbortOptions,
): Promise<readonly SpanDifference[]> {
  const own = new Spans(table, options)
  const differences: SpanDifference[] = []
  for (const { prefix, isSame } of spans) {
    const { children, rows: read } = await own.at(prefix)
    const digits = children.flatMap((subtree, digit) => (isSame(digit, subtree) ? [] : [digit]))
    const rows: (KeyPage | undefined)[] = []
    for (const digit of digits) {
      const { count } = children[digit] as Subtree
      rows.push(count > FEW ? undefined : pageOf(await own.rows(`${prefix}${DIGITS[digit]}`, count, read)))
    }
    differences.push({ digits, rows })
  }
  await own.flush()
  return differences
}

function pageOf({ page: { keys, values }, from, to }: Rows): KeyPage {
  const part = (bytes: typeof keys) => bytes.slice(from * KEY_LENGTH, to * KEY_LENGTH)
  return { count: to - from, keys: part(keys), ...(values && { values: part(values) }) }
}
