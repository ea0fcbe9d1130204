import type { Bytes, ContentId } from '@vault/core'
import { concatBytes, equalBytes, KEY_LENGTH, objectKey, utf8 } from '@vault/core'
import type { Entry, KeyedEntry } from '@vault/soup'
import { entryKey, entryValue } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { KeyRange } from './key-range.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** An entry with everything computed that its row needs. */
export interface EntryRow extends KeyedEntry {
  readonly name: string
  /** SHA-256 of the canonical bytes. */
  readonly value: Bytes
  /** The key of the object it names. */
  readonly object: Bytes | null
}

/** What the root of the entries is made of. */
export interface EntryPair {
  readonly key: Bytes
  readonly value: Bytes
}

const COLUMNS = 'vault, key, value, object, sequence, "check", name, bytes'

export function entryRow({ key, object }: Entry, bytes: Bytes): EntryRow {
  return { key: entryKey(key), name: key, bytes, value: entryValue(bytes), object: keyOf(object) }
}

/** Adds an entry; `false` where there is one under its key already. */
export function insertEntry(db: Connection, vault: number, row: EntryRow, sequence: number): boolean {
  const { key, value, object, name, bytes } = row
  const sql = `INSERT INTO entries (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
  const check = checksum([vault, key, value, object, sequence])
  return db.run(sql, vault, key, value, object, sequence, check, name, bytes) > 0
}

/** Replaces the entry under a key that has one. */
export function updateEntry(db: Connection, vault: number, row: EntryRow, sequence: number): void {
  const { key, value, object, bytes } = row
  const sql =
    'UPDATE entries SET value = ?, object = ?, sequence = ?, "check" = ?, bytes = ? WHERE vault = ? AND key = ?'
  db.run(sql, value, object, sequence, checksum([vault, key, value, object, sequence]), bytes, vault, key)
}

export function deleteEntry(db: Connection, vault: number, key: Uint8Array): boolean {
  return db.run('DELETE FROM entries WHERE vault = ? AND key = ?', vault, key) > 0
}

/** Whether an entry names the object under this key. */
export function isNamed(db: Connection, vault: number, object: Uint8Array): boolean {
  return db.get('SELECT 1 FROM entries WHERE vault = ? AND object = ? LIMIT 1', vault, object) !== undefined
}

/** The value of the entry under this key, without its bytes. */
export function valueByKey(db: Connection, vault: number, key: Uint8Array): Bytes | undefined {
  const row = db.get(
    'SELECT vault, key, value, object, sequence, "check" FROM entries WHERE vault = ? AND key = ?',
    vault,
    key,
  )
  return row && decodePair(row).value
}

export function entryByKey(db: Connection, vault: number, key: Uint8Array): EntryRow | undefined {
  const row = db.get(`SELECT ${COLUMNS} FROM entries WHERE vault = ? AND key = ?`, vault, key)
  return row && decodeEntryRow(row)
}

export function entriesInRange(db: Connection, vault: number, { after, last, limit }: KeyRange): readonly EntryRow[] {
  const sql = `SELECT ${COLUMNS} FROM entries WHERE vault = ? AND key > ? AND key <= ? ORDER BY key LIMIT ?`
  return db.all(sql, vault, after, last, limit).map(decodeEntryRow)
}

/** As {@link entriesInRange}, without the bytes. */
export function pairsInRange(db: Connection, vault: number, { after, last, limit }: KeyRange): readonly EntryPair[] {
  const columns = 'vault, key, value, object, sequence, "check"'
  const sql = `SELECT ${columns} FROM entries WHERE vault = ? AND key > ? AND key <= ? ORDER BY key LIMIT ?`
  return db.all(sql, vault, after, last, limit).map(decodePair)
}

/** Entries in the order of their names, from `start` on, with or without it. */
export function entriesByName(
  db: Connection,
  vault: number,
  { start, included, limit }: { readonly start: string; readonly included: boolean; readonly limit: number },
): readonly EntryRow[] {
  const from = included ? '>=' : '>'
  const sql = `SELECT ${COLUMNS} FROM entries WHERE vault = ? AND name ${from} ? ORDER BY name LIMIT ?`
  return db.all(sql, vault, start, limit).map(decodeEntryRow)
}

/** How many names begin so: the index of names has them all, and no row is read. */
export function countByName(db: Connection, vault: number, prefix: string): number {
  // Texts are compared by their bytes, and no byte of UTF-8 is as high as the one behind the prefix.
  const sql = 'SELECT count(*) AS count FROM entries WHERE vault = ? AND name >= ? AND name < CAST(? AS TEXT)'
  const row = db.get(sql, vault, prefix, concatBytes(utf8(prefix), Uint8Array.of(0xff)))
  return Number(row?.count)
}

/** Checks and reads a whole row: the check proves key and value, the value its bytes, the key its name. */
export function decodeEntryRow(row: Row): EntryRow {
  const { key, value, object } = decodePair(row)
  const reader = new RowReader('entries', row, 'key')
  const bytes = reader.blob('bytes')
  const name = reader.text('name')
  if (!equalBytes(entryValue(bytes), value)) throw reader.damaged('its bytes are not those of its value')
  if (!equalBytes(entryKey(name), key)) throw reader.damaged('its name is not that of its key')
  return { key, value, object, name, bytes }
}

function decodePair(row: Row): EntryPair & Pick<EntryRow, 'object'> {
  const reader = new RowReader('entries', row, 'key')
  const key = reader.blob('key', KEY_LENGTH)
  const value = reader.blob('value', KEY_LENGTH)
  const object = reader.optionalBlob('object', KEY_LENGTH)
  reader.verify([reader.integer('vault'), key, value, object, reader.integer('sequence')])
  return { key, value, object }
}

function keyOf(object: ContentId | undefined): Bytes | null {
  return object === undefined ? null : objectKey(object)
}
