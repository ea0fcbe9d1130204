import type { AbortOptions, DistantTable, KeyPage, KeyTable, Prefix, Span, SpanDifference } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import { DIGITS } from './branch.ts'
import type { Divergence, DivergeOptions } from './divergences.ts'
import { Divergences } from './divergences.ts'
import { invalidTable } from './error.ts'
import type { Rows } from './rows.ts'
import { pageFault, rowsUnder, scanRows } from './rows.ts'
import { Spans } from './span.ts'
import { BRANCH_ABOVE } from './subtree-walk.ts'

/** Spans in one question: as many as make it worth its way. */
const AT_ONCE = 256

/** What is not decided yet, or not said, in the order of the keys. */
type Item =
  | { readonly type: 'ask'; readonly prefix: Prefix }
  | { readonly type: 'rows'; readonly near: Rows; readonly far: Rows }
  /** Only one of them has anything there. */
  | { readonly type: 'near' | 'far'; readonly prefix: Prefix }

/**
 * Finds where a table differs from one that is far away, with a question for each level of the tree: it is told what this one has there, and
 * says where it differs. So the way is gone a few times, however many differences there are, and what is equal is not read.
 */
export class DistantComparison {
  readonly #near: KeyTable
  readonly #far: DistantTable
  readonly #spans: Spans
  readonly #options: AbortOptions
  readonly #found: Divergences

  constructor(near: KeyTable, far: DistantTable, options: DivergeOptions) {
    const { signal } = options
    this.#near = near
    this.#far = far
    this.#options = { signal }
    this.#spans = new Spans(near, this.#options)
    this.#found = new Divergences(options)
  }

  /** `A` is the near one. */
  async run(): Promise<Divergence> {
    let open: readonly Item[] = [await this.#whole()]
    while (open.length > 0 && !this.#found.isFull) {
      this.#options.signal?.throwIfAborted()
      const first = open.findIndex(({ type }) => type === 'ask')
      for (const item of first < 0 ? open : open.slice(0, first)) await this.#say(item)
      open = first < 0 ? [] : await this.#asked(open.slice(first))
    }
    await this.#spans.flush()
    return this.#found.window()
  }

  /** Nothing is hashed where one of them is empty. */
  async #whole(): Promise<Item> {
    const first = { prefix: '', limit: 1 }
    if ((await scanRows(this.#near, first, this.#options)).to === 0) return { type: 'far', prefix: '' }
    if ((await scanRows(this.#far, first, this.#options)).to === 0) return { type: 'near', prefix: '' }
    return { type: 'ask', prefix: '' }
  }

  async #say(item: Item): Promise<void> {
    if (this.#found.isFull || item.type === 'ask') return
    if (item.type === 'rows') return this.#found.merge(item.near, item.far)
    const { type, prefix } = item
    const table = type === 'near' ? this.#near : this.#far
    await this.#found.addAll(type === 'near' ? 'onlyA' : 'onlyB', (limit, after) =>
      scanRows(table, { prefix, limit, ...(after && { after }) }, this.#options),
    )
  }

  /** The same items, the first of them answered. */
  async #asked(items: readonly Item[]): Promise<readonly Item[]> {
    const asked = new Map<Item, Awaited<ReturnType<Spans['at']>>>()
    for (const item of items) {
      if (asked.size === AT_ONCE) break
      if (item.type === 'ask') asked.set(item, await this.#spans.at(item.prefix))
    }
    // What took long to compute here is not lost where the other one has lost its patience meanwhile.
    await this.#spans.flush()
    const spans = [...asked.values()].map(({ prefix, children }): Span => ({ prefix, children }))
    const answers = await this.#far.differences(spans, this.#options)
    if (answers.length !== spans.length) throw invalidTable(`it answers ${answers.length} questions of ${spans.length}`)
    const answerOf = new Map([...asked.keys()].map((item, i) => [item, answers[i] as SpanDifference]))
    const next: Item[] = []
    for (const item of items) {
      const [span, answer] = [asked.get(item), answerOf.get(item)]
      if (span === undefined || answer === undefined) next.push(item)
      else next.push(...(await this.#below(span, answer)))
    }
    return next
  }

  async #below(span: Span & { readonly rows: Rows | undefined }, { digits, rows }: SpanDifference): Promise<Item[]> {
    const items: Item[] = []
    for (const [i, digit] of digits.entries()) {
      const near = span.children[digit]
      if (near === undefined) throw invalidTable(`it knows a digit ${digit}`)
      const prefix = `${span.prefix}${DIGITS[digit]}`
      if (this.#found.isPast(prefix)) continue
      const page = rows[i]
      const isShort = near.count <= BRANCH_ABOVE
      if (page !== undefined && isShort) {
        const far = rowsIn(page, prefix)
        items.push({ type: 'rows', near: await this.#spans.rows(prefix, near.count, span.rows), far })
      } else if (near.count === 0) items.push({ type: 'far', prefix })
      else if (page?.count === 0) items.push({ type: 'near', prefix })
      else if (prefix.length === KEY_LENGTH * 2) throw invalidTable(`it says that there is more than one row ${prefix}`)
      else items.push({ type: 'ask', prefix })
    }
    return items
  }
}

/** The rows that the other table says it has under a prefix. */
function rowsIn(page: KeyPage, prefix: Prefix): Rows {
  const rows: Rows = { page, from: 0, to: page.count }
  const fault = pageFault(page)
  if (fault !== undefined) throw invalidTable(fault)
  const inside = rowsUnder(rows, prefix)
  if (inside.from !== 0 || inside.to !== page.count) throw invalidTable(`it gives rows beside the prefix "${prefix}"`)
  return rows
}
