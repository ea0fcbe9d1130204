import type { Bytes } from '@vault/core'
import { equalBytes, idBytes, isContentId, KEY_LENGTH, objectKey, objectKeyOfBytes } from '@vault/core'
import type { KeyedMember, Member } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { KeyRange } from './key-range.ts'
import { packIds, unpackIds } from './pack-ids.ts'
import type { Row } from './row.ts'
import { printableKey, RowReader } from './row.ts'
import { damagedRow, storeError } from './sqlite-error.ts'

/** A member with everything computed that its rows need. */
export interface MemberRow extends Member {
  readonly key: Bytes
  readonly idBytes: Bytes
}

const COLUMNS = 'vault, key, id, size, sequence, "check", links'

/** Checks what is to be stored. Throws `SOUP_INVALID`. */
export function memberRow({ id, size, links }: Member): MemberRow {
  if (!isContentId(id)) throw invalid('An object to add has no content id.')
  if (!Number.isSafeInteger(size) || size < 0) throw invalid(`The size of ${id} is no count of bytes.`)
  if (!links.every(isContentId)) throw invalid(`The object ${id} links to what is no content id.`)
  return { id, size, links: [...links], key: objectKey(id), idBytes: idBytes(id) }
}

/** Adds a member and its links; `false` where it is there already. */
export function insertMember(db: Connection, vault: number, member: MemberRow, sequence: number): boolean {
  const { key, size } = member
  const links = packIds(member.links)
  const check = checksum([vault, key, member.idBytes, size, sequence, links])
  const added = db.run(
    `INSERT INTO members (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    vault,
    key,
    member.idBytes,
    size,
    sequence,
    check,
    links,
  )
  if (added === 0) return false
  insertLinks(db, vault, member)
  return true
}

/** Makes the links of a member findable from the children. */
export function insertLinks(db: Connection, vault: number, { key, links }: KeyedMember): void {
  for (const child of links) {
    db.run(
      'INSERT INTO linked (vault, child, parent) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      vault,
      objectKey(child),
      key,
    )
  }
}

/** Removes a member and its links. */
export function deleteMember(db: Connection, vault: number, { key, links }: KeyedMember): void {
  db.run('DELETE FROM members WHERE vault = ? AND key = ?', vault, key)
  for (const child of links) {
    db.run('DELETE FROM linked WHERE vault = ? AND child = ? AND parent = ?', vault, objectKey(child), key)
  }
}

/** Whether a member refers to the object under this key. */
export function hasParent(db: Connection, vault: number, key: Uint8Array): boolean {
  return db.get('SELECT 1 FROM linked WHERE vault = ? AND child = ? LIMIT 1', vault, key) !== undefined
}

export function memberByKey(db: Connection, vault: number, key: Uint8Array): KeyedMember | undefined {
  const row = db.get(`SELECT ${COLUMNS} FROM members WHERE vault = ? AND key = ?`, vault, key)
  return row && decodeMember(row)
}

export function membersInRange(
  db: Connection,
  vault: number,
  { after, last, limit }: KeyRange,
): readonly KeyedMember[] {
  const sql = `SELECT ${COLUMNS} FROM members WHERE vault = ? AND key > ? AND key <= ? ORDER BY key LIMIT ?`
  return db.all(sql, vault, after, last, limit).map(decodeMember)
}

/** The keys of {@link membersInRange}, each checked against the id that it is made of: what else its row says is read by others. */
export function memberKeysInRange(db: Connection, vault: number, { after, last, limit }: KeyRange): readonly Bytes[] {
  const sql = 'SELECT key, id FROM members WHERE vault = ? AND key > ? AND key <= ? ORDER BY key LIMIT ?'
  return db.tuples(sql, vault, after, last, limit).map(([key, id]) => {
    if (key instanceof Uint8Array && id instanceof Uint8Array && equalBytes(key, objectKeyOfBytes(id)))
      return key as Bytes
    throw damagedRow('members', printableKey(key), 'its key is not that of its id')
  })
}

/** Checks and reads a row of the members. */
export function decodeMember(row: Row): KeyedMember {
  const reader = new RowReader('members', row, 'key')
  const key = reader.blob('key', KEY_LENGTH)
  const id = reader.contentId('id')
  const size = reader.integer('size')
  const links = reader.optionalBlob('links')
  reader.verify([reader.integer('vault'), key, reader.blob('id'), size, reader.integer('sequence'), links])
  try {
    return { key, id, size, links: unpackIds(links) }
  } catch (error) {
    throw reader.damaged('its links are no ids', error)
  }
}

function invalid(message: string): Error {
  return storeError('SOUP_INVALID', message, { details: {} })
}
