import type { ContentId } from '@vault/core'
import { ID_LENGTH, idBytes } from '@vault/core'
import type { HeldBlock } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** Holds blocks; those that are held already stay as they are. */
export function holdBlocks(db: Connection, vault: number, blocks: readonly HeldBlock[]): void {
  const sql = 'INSERT INTO held (vault, id, size, "check") VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'
  for (const { id, size } of blocks) {
    const bytes = idBytes(id)
    db.run(sql, vault, bytes, size, checksum([vault, bytes, size]))
  }
}

/** Held blocks ascending by the bytes of their ids. */
export function heldAfter(
  db: Connection,
  vault: number,
  after: ContentId | undefined,
  limit: number,
): readonly HeldBlock[] {
  const start = after === undefined ? new Uint8Array(0) : idBytes(after)
  return db
    .all('SELECT * FROM held WHERE vault = ? AND id > ? ORDER BY id LIMIT ?', vault, start, limit)
    .map(decodeHeld)
}

export function isHeld(db: Connection, vault: number, id: ContentId): boolean {
  const row = db.get('SELECT * FROM held WHERE vault = ? AND id = ?', vault, idBytes(id))
  return row !== undefined && decodeHeld(row).id === id
}

/** Checks and reads a row of the held blocks. */
export function decodeHeld(row: Row): HeldBlock {
  const reader = new RowReader('held', row, 'id')
  const id = reader.contentId('id')
  const size = reader.integer('size')
  reader.verify([reader.integer('vault'), reader.blob('id', ID_LENGTH), size])
  return { id, size }
}
