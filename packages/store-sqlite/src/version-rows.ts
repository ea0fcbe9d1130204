import type { Bytes, ContentId } from '@vault/core'
import { equalBytes, ID_LENGTH, idBytes, KEY_LENGTH, objectKey } from '@vault/core'
import { versionId } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** An earlier version of an entry. */
export interface VersionRow {
  readonly id: Bytes
  /** The key of the object it names, which stays under charge with it. */
  readonly object: Bytes | null
  /** Canonical bytes of the entry as it was. */
  readonly bytes: Bytes
}

/** An earlier version to keep: canonical bytes, and the object they name. */
export interface NewVersion {
  readonly bytes: Uint8Array
  readonly object: ContentId | undefined
}

/** Keeps a version, once; its id where it was not there. */
export function insertVersion(db: Connection, vault: number, { bytes, object }: NewVersion): Bytes | undefined {
  const id = idBytes(versionId(bytes))
  const named = object === undefined ? null : objectKey(object)
  const sql = 'INSERT INTO versions (vault, id, object, "check", bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'
  return db.run(sql, vault, id, named, checksum([vault, id, named]), bytes) > 0 ? id : undefined
}

export function deleteVersion(db: Connection, vault: number, id: Uint8Array): void {
  db.run('DELETE FROM versions WHERE vault = ? AND id = ?', vault, id)
}

/** Whether an earlier version names the object under this key. */
export function isNamedByVersion(db: Connection, vault: number, object: Uint8Array): boolean {
  return db.get('SELECT 1 FROM versions WHERE vault = ? AND object = ? LIMIT 1', vault, object) !== undefined
}

export function versionById(db: Connection, vault: number, id: ContentId): VersionRow | undefined {
  const row = db.get('SELECT * FROM versions WHERE vault = ? AND id = ?', vault, idBytes(id))
  return row && decodeVersion(row)
}

/** Checks and reads a row of the versions. */
export function decodeVersion(row: Row): VersionRow {
  const reader = new RowReader('versions', row, 'id')
  const id = reader.blob('id', ID_LENGTH)
  const object = reader.optionalBlob('object', KEY_LENGTH)
  const bytes = reader.blob('bytes')
  reader.verify([reader.integer('vault'), id, object])
  if (!equalBytes(idBytes(versionId(bytes)), id)) throw reader.damaged('its bytes are not those of its id')
  return { id, object, bytes }
}
