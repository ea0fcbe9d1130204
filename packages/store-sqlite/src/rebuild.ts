import type { ContentId } from '@vault/core'
import type { Counts } from '@vault/soup'
import { emptyTree, TREE_NAMES } from './branch-rows.ts'
import type { Connection } from './connection.ts'
import { decodeMember, insertLinks } from './member-rows.ts'
import { readTenure, writeTenure } from './tenure-row.ts'

/** Makes links, indexes and counts anew and forgets kept subtrees, inside a transaction. Throws `SOUP_CORRUPT` where a row they come from is damaged. */
export function rebuildVault(db: Connection, vault: ContentId): void {
  const before = readTenure(db, vault)
  if (before === undefined) return
  const number = before.vault
  db.exec('REINDEX')
  for (const tree of TREE_NAMES) emptyTree(db, number, tree, before.tenure.sequence)
  db.run('DELETE FROM linked WHERE vault = ?', number)
  let objects = 0
  let bytes = 0
  for (const row of db.iterate('SELECT * FROM members WHERE vault = ?', number)) {
    const member = decodeMember(row)
    insertLinks(db, number, member)
    objects++
    bytes += member.size
  }
  const counts: Counts = { objects, bytes, entries: countEntries(db, number) }
  writeTenure(db, { ...before, counts })
}

function countEntries(db: Connection, vault: number): number {
  return Number(db.get('SELECT count(*) AS entries FROM entries WHERE vault = ?', vault)?.entries)
}
