import type { Bytes } from '@vault/core'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** Replaces the document of a vault's latest move that had one. */
export function writeEvidence(db: Connection, vault: number, document: Uint8Array): void {
  const sql = 'INSERT OR REPLACE INTO evidence (vault, "check", document) VALUES (?, ?, ?)'
  db.run(sql, vault, checksum([vault, document]), document)
}

export function readEvidence(db: Connection, vault: number): Bytes | undefined {
  const row = db.get('SELECT * FROM evidence WHERE vault = ?', vault)
  return row && decodeEvidence(row)
}

/** Checks and reads a row of the evidence. */
export function decodeEvidence(row: Row): Bytes {
  const reader = new RowReader('evidence', row, 'vault')
  const document = reader.blob('document')
  reader.verify([reader.integer('vault'), document])
  return document
}
