import type { Bytes } from '@vault/core'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** Replaces the key events of a vault. */
export function writeKeyEvents(db: Connection, vault: number, envelopes: readonly Uint8Array[]): void {
  db.run('DELETE FROM key_events WHERE vault = ?', vault)
  for (const [n, envelope] of envelopes.entries()) {
    const check = checksum([vault, n, envelope])
    db.run('INSERT INTO key_events (vault, n, envelope, "check") VALUES (?, ?, ?, ?)', vault, n, envelope, check)
  }
}

/** The envelopes of a vault's key events, oldest first. */
export function readKeyEvents(db: Connection, vault: number): readonly Bytes[] {
  return db.all('SELECT * FROM key_events WHERE vault = ? ORDER BY n', vault).map(decodeKeyEvent)
}

/** Checks and reads a row of the key events. */
export function decodeKeyEvent(row: Row): Bytes {
  const reader = new RowReader('key_events', row, 'n')
  const envelope = reader.blob('envelope')
  reader.verify([reader.integer('vault'), reader.integer('n'), envelope])
  return envelope
}
