import type { AbortOptions, Finding } from '@vault/core'
import type { Auditable, SoupReader } from '@vault/soup'
import type { Statement } from '@vault/transfer'
import { exportIndexes, importIndexes, sameRoots, statementOf } from '@vault/transfer'
import type { MigrationFindingCode } from './error.ts'

/** How a target comes by its derived tables. */
export type IndexStrategy = 'copy' | 'rebuild'

export interface MigrateIndexesOptions extends AbortOptions {
  /** `rebuild`, the default, makes them from the target's own rows. `copy` does that too, and holds those of the source against them. */
  readonly strategy?: IndexStrategy
}

/** What became of the indexes of a target. */
export interface IndexReport {
  readonly strategy: IndexStrategy
  /** Both roots agree, and with `copy` each subtree too. */
  readonly ok: boolean
  readonly source: Statement
  /** With indexes made from its own rows. */
  readonly target: Statement
  /** Subtrees of the source that were held against those of the target; 0 without `copy`. */
  readonly compared: number
  /** What differs; with `copy` subtree by subtree, the first thousand. */
  readonly findings: readonly Finding[]
}

/**
 * Gives a target its derived indexes (M048), and compares both roots with the source's. Seed 000 copies the indexes and then rebuilds
 * them over the copy; here the rebuilt ones are what is kept in any case, and a copy is what they are compared with: an index that was
 * not made from the rows in front of it proves nothing about them. What differs is reported, not thrown.
 * Throws `SOUP_CORRUPT` where rows of the target are damaged, and `TRANSFER_INDEX_CHANGED` where either side changes while it is copied.
 */
export async function migrateIndexes(
  source: SoupReader,
  target: SoupReader & Pick<Auditable, 'rebuild'>,
  { strategy = 'rebuild', signal }: MigrateIndexesOptions = {},
): Promise<IndexReport> {
  signal?.throwIfAborted()
  if (strategy !== 'copy' && strategy !== 'rebuild') throw new RangeError(`No strategy for indexes: ${strategy}.`)
  const { statement, compared, findings } =
    strategy === 'copy'
      ? await importIndexes(target, exportIndexes(source, { signal }), { signal })
      : await rebuildIndexes(target, { signal })
  const expected = await statementOf(source, { signal })
  const different = sameRoots(expected, statement) ? [] : [rootMismatch(expected, statement)]
  const all = [...different, ...findings]
  return { strategy, ok: all.length === 0, source: expected, target: statement, compared, findings: all }
}

/** "slower but guaranteed correct" (M051). */
async function rebuildIndexes(target: SoupReader & Pick<Auditable, 'rebuild'>, options: AbortOptions) {
  await target.rebuild(options)
  return { statement: await statementOf(target, options), compared: 0, findings: [] }
}

function rootMismatch({ roots: expected }: Statement, { roots }: Statement): Finding {
  const code: MigrationFindingCode = 'MIGRATION_ROOT_MISMATCH'
  const names = (['objects', 'soup'] as const).filter((name) => roots[name] !== expected[name])
  const each = names.map((name) => `the ${name} root of the target is ${roots[name]}, not ${expected[name]}`)
  return { code, message: `Merkle verification failed: ${each.join('; ')}.`, subject: names.join(', ') }
}
