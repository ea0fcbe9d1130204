import type { DistantTable, KeyTable, Prefix } from '@vault/core'
import { equalBytes, KEY_LENGTH } from '@vault/core'
import { DIGITS } from './branch.ts'
import { DistantComparison } from './diverge-distant.ts'
import type { Divergence, DivergeOptions, Kind } from './divergences.ts'
import { Divergences } from './divergences.ts'
import { invalidTable } from './error.ts'
import type { Part } from './side.ts'
import { isEmpty, Side } from './side.ts'

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
  if (isDistant(b)) return await new DistantComparison(a, b, options).run()
  if (!isDistant(a)) return await new Comparison(a, b, options).run()
  const { onlyA, onlyB, ...rest } = await new DistantComparison(b, a, options).run()
  return { ...rest, onlyA: onlyB, onlyB: onlyA }
}

function isDistant(table: KeyTable): table is DistantTable {
  return 'differences' in table
}

class Comparison {
  readonly #a: Side
  readonly #b: Side
  readonly #signal: AbortSignal | undefined
  readonly #found: Divergences

  constructor(a: KeyTable, b: KeyTable, options: DivergeOptions) {
    const { signal } = options
    this.#a = new Side(a, { signal })
    this.#b = new Side(b, { signal })
    this.#signal = signal
    this.#found = new Divergences(options)
  }

  async run(): Promise<Divergence> {
    await this.#compare('', undefined, undefined)
    await this.#a.flush()
    await this.#b.flush()
    return this.#found.window()
  }

  /** The target, usually `b`, is looked at first: where it is empty, the other side need not be known at all. */
  async #compare(prefix: Prefix, knownA: Part | undefined, knownB: Part | undefined): Promise<void> {
    if (this.#found.isFull || this.#found.isPast(prefix)) return
    this.#signal?.throwIfAborted()
    const b = knownB ?? (await this.#b.look(prefix))
    if (isEmpty(b)) return this.#addAll('onlyA', this.#a, knownA ?? prefix)
    const a = knownA ?? (await this.#a.look(prefix))
    if (isEmpty(a)) return this.#addAll('onlyB', this.#b, b)

    const comparable = a.type !== 'large' && b.type !== 'large' && (a.type === 'kept' || b.type === 'kept')
    if (comparable && equalBytes(this.#a.subtree(a).hash, this.#b.subtree(b).hash)) return
    const before = this.#found.count
    await this.#descend(prefix, await this.#a.open(a), await this.#b.open(b))
    const whole = !this.#found.isFull && !this.#found.isCut(prefix)
    if (comparable && whole && this.#found.count === before) {
      throw invalidTable(`one of two tables keeps a hash for "${prefix}" that is not the hash of its rows`)
    }
  }

  async #descend(prefix: Prefix, a: Part, b: Part): Promise<void> {
    if (a.type === 'rows' && b.type === 'rows') return this.#found.merge(a.rows, b.rows)
    const [childrenA, childrenB] = [await this.#a.children(a), await this.#b.children(b)]
    for (const [i, digit] of DIGITS.entries()) {
      await this.#compare(prefix + digit, childrenA[i], childrenB[i])
    }
  }

  /** Everything that one side has under a prefix. */
  async #addAll(kind: Kind, side: Side, part: Part | Prefix): Promise<void> {
    if (typeof part !== 'string') {
      if (isEmpty(part)) return
      if (part.type === 'rows') return this.#found.addRows(kind, part.rows)
    }
    const prefix = typeof part === 'string' ? part : part.prefix
    await this.#found.addAll(kind, (limit, after) => side.scan(prefix, limit, after))
  }
}
