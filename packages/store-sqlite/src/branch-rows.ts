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

/** To which state of the vault kept subtrees belong. */
export interface AsOf {
  /** The number of its latest change. */
  readonly sequence: number
  /** Set while a view of a later state takes out what has changed since: views of this one keep nothing more. */
  readonly isClosed: boolean
}

/** What is kept of the sixteen subtrees one digit below a prefix. */
export type Children = readonly (Subtree | undefined)[]

const DIGITS = 16
/** A hash and a count. */
const CHILD_LENGTH = KEY_LENGTH + 8
/** Stands for the count of a subtree that is not kept. */
const NOT_KEPT = 2n ** 64n - 1n

/**
 * To what the kept subtrees belong, `undefined` where nothing was ever kept. What is kept is only a
 * shortcut, so a damaged row is as good as none here; `check` names it.
 */
export function readAsOf(db: Connection, vault: number, tree: TreeName): AsOf | undefined {
  const row = db.get('SELECT * FROM trees WHERE vault = ? AND tree = ?', vault, tree)
  return row && unlessDamaged(() => decodeAsOf(row))
}

/** Says to what the kept subtrees belong. Never to an earlier state than before: whoever relies on what he has found finds out whether it still is. */
export function writeAsOf(db: Connection, vault: number, tree: TreeName, { sequence, isClosed }: AsOf): void {
  const asOf = isClosed ? -1 - sequence : sequence
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

/** The prefixes of which branches are kept, from this one on, ascending. To be used up or left before one is changed. */
export function* branchPrefixes(db: Connection, vault: number, tree: TreeName, from: Prefix): Generator<Prefix> {
  const sql = 'SELECT prefix FROM branches WHERE vault = ? AND tree = ? AND prefix >= ? ORDER BY prefix'
  for (const { prefix } of db.iterate(sql, vault, tree, from)) yield String(prefix)
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
    const asOf = readAsOf(db, vault, tree)
    if (asOf?.sequence === from && !asOf.isClosed) writeAsOf(db, vault, tree, { sequence: to, isClosed: false })
    else emptyTree(db, vault, tree, to)
  }
}

/** Forgets all that is kept; what will be belongs to this number, or a later one. */
export function emptyTree(db: Connection, vault: number, tree: TreeName, sequence: number): void {
  db.run('DELETE FROM branches WHERE vault = ? AND tree = ?', vault, tree)
  writeAsOf(db, vault, tree, { sequence, isClosed: false })
}

/** Checks and reads a row of the trees. */
export function decodeAsOf(row: Row): AsOf {
  const reader = new RowReader('trees', row, 'tree')
  const asOf = reader.signedInteger('as_of')
  reader.verify([reader.integer('vault'), reader.text('tree'), asOf])
  return asOf < 0 ? { sequence: -1 - asOf, isClosed: true } : { sequence: asOf, isClosed: false }
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
