import type { Bytes } from '@vault/core'
import type { MendableRecords } from '@vault/soup'
import { checkRecordKey, checkRecordPrefix, checkSwap, recordConflict, soundRecord } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Place } from './place.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'
import { unlessDamaged } from './sqlite-error.ts'

/** A record, or what is left of one that was removed: its version, without a value. */
export interface RecordRow {
  readonly key: string
  readonly version: number
  readonly value: Bytes | null
}

export function sqliteRecords(place: Place): MendableRecords {
  return {
    async read(key, options) {
      checkRecordKey(key)
      const row = await place.read((db) => readRecord(db, key), options)
      return row === undefined || row.value === null ? undefined : { version: row.version, bytes: row.value }
    },

    async list(prefix, options) {
      checkRecordPrefix(prefix)
      return place.read((db) => listRecords(db, prefix), options)
    },

    async swap(key, expected, next, options) {
      checkRecordKey(key)
      const value = checkSwap(expected, next) ?? null
      return place.write((db) => swapRecord(db, key, expected, value), options)
    },

    async mend(key, next, options) {
      checkRecordKey(key)
      const value = checkSwap(0, next) ?? null
      return place.write((db) => mendRecord(db, key, value), options)
    },
  }
}

/** Checks and reads a row of the records. */
export function decodeRecord(row: Row): RecordRow {
  const reader = new RowReader('records', row, 'key')
  const key = reader.text('key')
  const version = reader.integer('version')
  const value = reader.optionalBlob('value')
  reader.verify([key, version, value])
  return { key, version, value }
}

function readRecord(db: Connection, key: string): RecordRow | undefined {
  const row = db.get('SELECT * FROM records WHERE key = ?', key)
  return row && decodeRecord(row)
}

/** Keys are ASCII, so those with a prefix are a range: DEL sorts after all of them. One row at a time: values may be long. */
function listRecords(db: Connection, prefix: string): readonly string[] {
  const keys: string[] = []
  const sql = 'SELECT * FROM records WHERE key >= ? AND key < ? ORDER BY key'
  for (const row of db.iterate(sql, prefix, `${prefix}\u007f`)) {
    const { key, value } = decodeRecord(row)
    if (value !== null) keys.push(key)
  }
  return keys
}

function swapRecord(db: Connection, key: string, expected: number, value: Uint8Array | null): number {
  const row = readRecord(db, key)
  const latest = row?.version ?? 0
  const version = row === undefined || row.value === null ? 0 : latest
  if (version !== expected) throw recordConflict(key, expected, version)
  if (version === 0 && value === null) return latest
  return writeRecord(db, key, latest + 1, value)
}

function mendRecord(db: Connection, key: string, value: Bytes | null): number {
  const row = db.get('SELECT * FROM records WHERE key = ?', key)
  if (row === undefined || unlessDamaged(() => decodeRecord(row)) !== undefined) throw soundRecord(key)
  const { version } = row
  const latest = Number.isSafeInteger(version) && (version as number) >= 0 ? (version as number) : 0
  return writeRecord(db, key, latest < Number.MAX_SAFE_INTEGER ? latest + 1 : 1, value)
}

function writeRecord(db: Connection, key: string, version: number, value: Uint8Array | null): number {
  const sql = 'INSERT OR REPLACE INTO records (key, version, "check", value) VALUES (?, ?, ?, ?)'
  db.run(sql, key, version, checksum([key, version, value]), value)
  return version
}
