import type { AbortOptions, Finding, Prefix, Subtree } from '@vault/core'
import { isVaultError, toHex } from '@vault/core'
import { BRANCH_ABOVE, type Branch } from '@vault/merkle'
import type { Auditable, SoupReader } from '@vault/soup'
import { ByteReader } from './byte-reader.ts'
import type { VaultTable } from './difference.ts'
import type { TransferFindingCode } from './error.ts'
import { INDEX_TABLES } from './export-indexes.ts'
import { indexBranches } from './index-branches.ts'
import type { WholeTrees } from './index-format.ts'
import { readIndexBranches, readIndexHeader, requireIndexEnd } from './index-format.ts'
import type { Roots, Statement } from './statement.ts'
import { statementOf } from './statement.ts'

/** A soup whose derived tables can be made anew. */
export type IndexTarget = SoupReader & Pick<Auditable, 'rebuild'>

/** What came of index data. */
export interface ImportedIndexes {
  /** The target, with indexes made from its own rows. */
  readonly statement: Statement
  /** The roots that the data claim; `undefined` where they could not be read. */
  readonly claimed: Roots | undefined
  /** Subtrees of the data that were held against those of the target. */
  readonly compared: number
  /** Subtrees that are not the same, and what is wrong with the data themselves; at most a thousand. */
  readonly findings: readonly Finding[]
  /** Whether all of the data were looked at: not where they are malformed or a thousand findings were made. */
  readonly whole: boolean
}

const MAX_FINDINGS = 1_000

/**
 * Holds index data from anywhere (M050) against the target's own rows: all derived tables are made anew from the rows first, and
 * what is kept is what was made. Of the data nothing is kept: a subtree that is right is there already, and one that is wrong
 * would make two different vaults look equal. So it costs a rebuild and more, and what it gives is where the two places differ, or that
 * they do not, for each subtree. `TRANSFER_INDEX_MISMATCH` and `TRANSFER_INDEX_INVALID` are findings, never thrown.
 *
 * Throws `SOUP_CORRUPT` where rows are damaged, `TRANSFER_INDEX_CHANGED` where the target changes meanwhile, and what the data's
 * source throws; the indexes of the target are right then too.
 */
export async function importIndexes(
  target: IndexTarget,
  data: AsyncIterable<Uint8Array>,
  options: AbortOptions = {},
): Promise<ImportedIndexes> {
  options.signal?.throwIfAborted()
  await target.rebuild(options)
  const statement = await statementOf(target, options)
  const comparison = new IndexComparison(target, statement, options)
  const reader = new ByteReader(data)
  try {
    await comparison.run(reader)
  } catch (error) {
    if (!isVaultError(error, 'TRANSFER_INDEX_INVALID')) throw error
    comparison.report('TRANSFER_INDEX_INVALID', 'indexes', error.message)
  } finally {
    await reader.close()
  }
  return comparison.result()
}

class IndexComparison {
  readonly #target: SoupReader
  readonly #statement: Statement
  readonly #options: AbortOptions
  readonly #findings: Finding[] = []
  #claimed: WholeTrees | undefined
  #compared = 0
  #whole = false

  constructor(target: SoupReader, statement: Statement, options: AbortOptions) {
    this.#target = target
    this.#statement = statement
    this.#options = options
  }

  async run(reader: ByteReader): Promise<void> {
    this.#claimed = await readIndexHeader(reader)
    const { roots, counts } = this.#statement
    const own = { objects: roots.objects, entries: roots.soup }
    for (const table of INDEX_TABLES) {
      this.#compare(table, '', this.#claimed[table], { hash: own[table], count: counts[table] })
      const claimed = readIndexBranches(reader, this.#claimed[table])
      await this.#branches(table, claimed, indexBranches(this.#target, table, this.#statement.sequence, this.#options))
      if (this.#isFull()) return
    }
    await requireIndexEnd(reader)
    this.#whole = true
  }

  report(code: TransferFindingCode, subject: string, message: string): void {
    this.#findings.push({ code, subject, message })
  }

  result(): ImportedIndexes {
    const claimed = this.#claimed && {
      objects: toHex(this.#claimed.objects.hash),
      soup: toHex(this.#claimed.entries.hash),
    }
    const statement = this.#statement
    return { statement, claimed, compared: this.#compared, findings: this.#findings, whole: this.#whole }
  }

  /** Two sequences in one order, side by side. Each branch that only the data have is a finding, so hostile data end soon. */
  async #branches(table: VaultTable, theirs: AsyncIterator<Branch>, ours: AsyncIterator<Branch>): Promise<void> {
    let [claimed, own] = [await theirs.next(), await ours.next()]
    while (!this.#isFull() && !(claimed.done && own.done)) {
      this.#options.signal?.throwIfAborted()
      const order = own.done ? -1 : claimed.done ? 1 : compare(claimed.value.prefix, own.value.prefix)
      if (order === 0) this.#children(table, claimed.value, own.value)
      else this.#branchOfOne(table, order < 0 ? claimed.value.prefix : own.value.prefix, order < 0)
      if (order <= 0) claimed = await theirs.next()
      if (order >= 0) own = await ours.next()
    }
  }

  #children(table: VaultTable, claimed: Branch, own: Branch): void {
    for (const [digit, { hash, count }] of own.children.entries()) {
      const prefix = own.prefix + digit.toString(16)
      this.#compare(table, prefix, claimed.children[digit] as Subtree, { hash: toHex(hash), count })
    }
  }

  #compare(table: VaultTable, prefix: Prefix, claimed: Subtree, own: { hash: string; count: number }): void {
    this.#compared++
    const hash = toHex(claimed.hash)
    if (claimed.count === own.count && hash === own.hash) return
    const said = `the data say ${claimed.count} keys under ${hash}`
    this.#mismatch(table, prefix, `${said}, and the rows here come to ${own.count} under ${own.hash}`)
  }

  #branchOfOne(table: VaultTable, prefix: Prefix, claimed: boolean): void {
    const side = claimed ? 'the data' : 'the rows here'
    this.#mismatch(table, prefix, `only ${side} have more than ${BRANCH_ABOVE} keys in it`)
  }

  #mismatch(table: VaultTable, prefix: Prefix, reason: string): void {
    if (this.#isFull()) return
    const subject = `${table}/${prefix}`
    this.report('TRANSFER_INDEX_MISMATCH', subject, `Subtree ${subject}: ${reason}. What the rows come to is kept.`)
  }

  #isFull(): boolean {
    return this.#findings.length >= MAX_FINDINGS
  }
}

function compare(a: Prefix, b: Prefix): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
