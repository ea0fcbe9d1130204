import type { Bytes, Prefix, Subtree } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'
import { unlessDamaged } from './sqlite-error.ts'

/** The two tables of which roots are made. */
export type TreeName = 'objects' | 'entries'

export const TREE_NAMES: readonly TreeName[] = ['objects', 'entries']

/** What is kept of the sixteen subtrees one digit below a prefix. */
export type Children = readonly (Subtree | undefined)[]

const DIGITS = 16
/** A hash and a count. */
const CHILD_LENGTH = KEY_LENGTH + 8
/** Stands for the count of a subtree that is not kept. */
const NOT_KEPT = 2n ** 64n - 1n

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

/** The subtrees one digit below a prefix that are kept, changed since or not; `undefined`: none. */
export function readBranch(db: Connection, vault: number, tree: TreeName, prefix: Prefix): Children | undefined {
  const sql = 'SELECT * FROM branches WHERE vault = ? AND tree = ? AND prefix = ?'
  const row = db.get(sql, vault, tree, prefix)
  return row && unlessDamaged(() => decodeBranch(row))
}

/** Keeps what is known one digit below a prefix, in place of what was kept there. */
export function writeBranch(db: Connection, vault: number, tree: TreeName, prefix: Prefix, children: Children): void {
  if (children.every((child) => child === undefined)) {
    db.run('DELETE FROM branches WHERE vault = ? AND tree = ? AND prefix = ?', vault, tree, prefix)
    return
  }
  const packed = packChildren(children)
  const sql = 'INSERT OR REPLACE INTO branches (vault, tree, prefix, "check", children) VALUES (?, ?, ?, ?, ?)'
  db.run(sql, vault, tree, prefix, checksum([vault, tree, prefix, packed]), packed)
}

/** The prefixes of which branches are kept. */
export function branchPrefixes(db: Connection, vault: number, tree: TreeName): readonly Prefix[] {
  const sql = 'SELECT prefix FROM branches WHERE vault = ? AND tree = ?'
  return db.tuples(sql, vault, tree).map(([prefix]) => String(prefix))
}

/** Drops the branches of a prefix and of all that begin with it. */
export function deleteBranches(db: Connection, vault: number, tree: TreeName, prefix: Prefix): void {
  // "g" sorts right after the last digit.
  const sql = 'DELETE FROM branches WHERE vault = ? AND tree = ? AND prefix BETWEEN ? AND ?'
  db.run(sql, vault, tree, prefix, `${prefix}g`)
}

/** Keeps what belongs to the latest change under the number that this now has, and forgets what is older: the feed does not reach back to it. */
export function renumberTrees(db: Connection, vault: number, from: number, to: number): void {
  for (const tree of TREE_NAMES) {
    if (readAsOf(db, vault, tree) === from) writeAsOf(db, vault, tree, to)
    else deleteTree(db, vault, tree)
  }
}

export function deleteTree(db: Connection, vault: number, tree: TreeName): void {
  db.run('DELETE FROM branches WHERE vault = ? AND tree = ?', vault, tree)
  db.run('DELETE FROM trees WHERE vault = ? AND tree = ?', vault, tree)
}

/** Checks and reads a row of the trees. */
export function decodeAsOf(row: Row): number {
  const reader = new RowReader('trees', row, 'tree')
  const asOf = reader.integer('as_of')
  reader.verify([reader.integer('vault'), reader.text('tree'), asOf])
  return asOf
}

/** Checks and reads a row of the branches. */
export function decodeBranch(row: Row): Children {
  const reader = new RowReader('branches', row, 'prefix')
  const packed = reader.blob('children', DIGITS * CHILD_LENGTH)
  reader.verify([reader.integer('vault'), reader.text('tree'), reader.text('prefix'), packed])
  const counts = new DataView(packed.buffer, packed.byteOffset)
  return Array.from({ length: DIGITS }, (_, digit) => {
    const at = digit * CHILD_LENGTH
    const count = counts.getBigUint64(at + KEY_LENGTH)
    if (count === NOT_KEPT) return undefined
    if (count > Number.MAX_SAFE_INTEGER) throw reader.damaged('it counts more than 2^53 - 1 keys')
    return { hash: packed.subarray(at, at + KEY_LENGTH), count: Number(count) }
  })
}

function packChildren(children: Children): Bytes {
  const packed = new Uint8Array(DIGITS * CHILD_LENGTH)
  const counts = new DataView(packed.buffer)
  for (const [digit, child] of children.entries()) {
    const at = digit * CHILD_LENGTH
    if (child !== undefined) packed.set(child.hash, at)
    counts.setBigUint64(at + KEY_LENGTH, child === undefined ? NOT_KEPT : BigInt(child.count))
  }
  return packed
}
