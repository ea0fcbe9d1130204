import { equalBytes } from '@vault/core'
import type { BatchRecord } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'
import { damagedRow } from './sqlite-error.ts'

/** Keeps the record of a batch under the next number of its migration, and returns the number. That of the latest batch has one. */
export function appendBatch(db: Connection, vault: number, migration: string, record: Uint8Array): number {
  const row = db.get('SELECT * FROM batches WHERE vault = ? ORDER BY n DESC LIMIT 1', vault)
  const latest = row && decodeBatch(row)
  if (latest !== undefined && equalBytes(latest.record, record)) return latest.batch
  const n = 1 + (latest?.batch ?? 0)
  const check = checksum([vault, n, migration, record])
  const sql = 'INSERT INTO batches (vault, n, migration, "check", record) VALUES (?, ?, ?, ?, ?)'
  db.run(sql, vault, n, migration, check, record)
  return n
}

/** Forgets the batches of every other migration: only one is remembered. */
export function forgetBatches(db: Connection, vault: number, but: string): void {
  db.run('DELETE FROM batches WHERE vault = ? AND migration <> ?', vault, but)
}

/** The batches of a migration after a number. Throws `SOUP_CORRUPT` where one is missing. */
export function batchesAfter(
  db: Connection,
  vault: number,
  migration: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): readonly BatchRecord[] {
  const sql = 'SELECT * FROM batches WHERE vault = ? AND n > ? ORDER BY n LIMIT ?'
  const batches = db.all(sql, vault, after, limit).map(decodeBatch)
  if (batches.some((batch) => batch.migration !== migration)) return []
  const gap = batches.findIndex(({ batch }, i) => batch !== after + 1 + i)
  if (gap !== -1) throw damagedRow('batches', String(after + 1 + gap), 'it is missing')
  return batches.map(({ batch, record }) => ({ batch, record }))
}

/** Checks and reads a row of the batches. */
export function decodeBatch(row: Row): BatchRecord & { readonly migration: string } {
  const reader = new RowReader('batches', row, 'n')
  const batch = reader.integer('n')
  const migration = reader.text('migration')
  const record = reader.blob('record')
  reader.verify([reader.integer('vault'), batch, migration, record])
  return { batch, migration, record }
}
