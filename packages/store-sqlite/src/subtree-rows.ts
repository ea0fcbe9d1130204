import type { Prefix, Subtree } from '@vault/core'
import { isVaultError, KEY_LENGTH } from '@vault/core'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { DirtyMarks } from './dirty-marks.ts'
import { isBucket } from './dirty-marks.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** The two tables of which roots are made. */
export type TreeName = 'objects' | 'entries'

export const TREE_NAMES: readonly TreeName[] = ['objects', 'entries']

const DIGITS = Array.from('0123456789abcdef')

/**
 * The sequence number to which the kept subtrees belong, `undefined` where nothing is kept. What is kept is only a
 * shortcut, so a damaged row is as good as none here; `check` names it.
 */
export function readAsOf(db: Connection, vault: number, tree: TreeName): number | undefined {
  const row = db.get('SELECT * FROM trees WHERE vault = ? AND tree = ?', vault, tree)
  return row && unlessDamaged(() => decodeAsOf(row))
}

export function writeAsOf(db: Connection, vault: number, tree: TreeName, asOf: number): void {
  const sql = 'INSERT OR REPLACE INTO trees (vault, tree, as_of, "check") VALUES (?, ?, ?, ?)'
  db.run(sql, vault, tree, asOf, checksum([vault, tree, asOf]))
}

/** The kept subtrees one digit below a prefix, changed since or not. */
export function readChildren(
  db: Connection,
  vault: number,
  tree: TreeName,
  prefix: Prefix,
): readonly (Subtree | undefined)[] {
  const marks = DIGITS.map(() => '?').join()
  const sql = `SELECT * FROM subtrees WHERE vault = ? AND tree = ? AND prefix IN (${marks})`
  const found = new Map<Prefix, Subtree>()
  for (const row of db.all(sql, vault, tree, ...DIGITS.map((digit) => prefix + digit))) {
    const kept = unlessDamaged(() => decodeSubtree(row))
    if (kept !== undefined) found.set(kept.prefix, kept.subtree)
  }
  return DIGITS.map((digit) => found.get(prefix + digit))
}

export function writeSubtrees(
  db: Connection,
  vault: number,
  tree: TreeName,
  subtrees: ReadonlyMap<Prefix, Subtree>,
): void {
  const sql = 'INSERT OR REPLACE INTO subtrees (vault, tree, prefix, hash, count, "check") VALUES (?, ?, ?, ?, ?, ?)'
  for (const [prefix, { hash, count }] of subtrees) {
    db.run(sql, vault, tree, prefix, hash, count, checksum([vault, tree, prefix, hash, count]))
  }
}

/** Drops the subtrees over and under every mark. */
export function deleteMarked(db: Connection, vault: number, tree: TreeName, marks: DirtyMarks): void {
  for (const prefix of marks.prefixes()) {
    // "g" sorts right after the last digit.
    const last = isBucket(prefix) ? `${prefix}g` : prefix
    db.run('DELETE FROM subtrees WHERE vault = ? AND tree = ? AND prefix BETWEEN ? AND ?', vault, tree, prefix, last)
  }
}

/** Keeps what belongs to the latest change under the number that this now has, and forgets what is older: the feed does not reach back to it. */
export function renumberTrees(db: Connection, vault: number, from: number, to: number): void {
  for (const tree of TREE_NAMES) {
    if (readAsOf(db, vault, tree) === from) writeAsOf(db, vault, tree, to)
    else deleteTree(db, vault, tree)
  }
}

export function deleteTree(db: Connection, vault: number, tree: TreeName): void {
  db.run('DELETE FROM subtrees WHERE vault = ? AND tree = ?', vault, tree)
  db.run('DELETE FROM trees WHERE vault = ? AND tree = ?', vault, tree)
}

/** Checks and reads a row of the trees. */
export function decodeAsOf(row: Row): number {
  const reader = new RowReader('trees', row, 'tree')
  const asOf = reader.integer('as_of')
  reader.verify([reader.integer('vault'), reader.text('tree'), asOf])
  return asOf
}

/** Checks and reads a row of the subtrees. */
export function decodeSubtree(row: Row): { readonly prefix: Prefix; readonly subtree: Subtree } {
  const reader = new RowReader('subtrees', row, 'prefix')
  const prefix = reader.text('prefix')
  const hash = reader.blob('hash', KEY_LENGTH)
  const count = reader.integer('count')
  reader.verify([reader.integer('vault'), reader.text('tree'), prefix, hash, count])
  return { prefix, subtree: { hash, count } }
}

/** What could be read, `undefined` where it is damaged. */
export function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isVaultError(error, 'SOUP_CORRUPT')) return undefined
    throw error
  }
}
