import type { Bytes } from '@vault/core'
import type { QueuedEvent } from '@vault/soup'
import { checkSettled } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'
import { damagedRow } from './sqlite-error.ts'
import type { TenureRow } from './tenure-row.ts'
import { writeTenure } from './tenure-row.ts'

/** Queues events from this index on. */
export function queueEvents(db: Connection, vault: number, from: number, events: readonly Uint8Array[]): void {
  for (const [i, event] of events.entries()) {
    const n = from + i
    const check = checksum([vault, n, event])
    db.run('INSERT INTO outbox (vault, n, "check", event) VALUES (?, ?, ?, ?)', vault, n, check, event)
  }
}

/** The first events that wait. Throws `SOUP_CORRUPT` where one is missing: the log would be another one without it. */
export function queuedEvents(db: Connection, at: TenureRow, limit: number): readonly QueuedEvent[] {
  const rows = db.all('SELECT * FROM outbox WHERE vault = ? ORDER BY n LIMIT ?', at.vault, limit)
  const queued = rows.map(decodeQueued)
  const waiting = Math.min(limit, at.tenure.events - at.settled)
  for (let i = 0; i < Math.max(waiting, queued.length); i++) {
    if (queued[i]?.index !== at.settled + i) throw damagedRow('outbox', String(at.settled + i), 'it is missing')
  }
  return queued
}

/** Forgets the events below an index. Throws `SOUP_INVALID`. */
export function settleEvents(db: Connection, at: TenureRow, before: number): void {
  checkSettled(before, at.tenure.events)
  if (before <= at.settled) return
  db.run('DELETE FROM outbox WHERE vault = ? AND n < ?', at.vault, before)
  writeTenure(db, { ...at, settled: before })
}

/** Checks and reads a row of the outbox. */
export function decodeQueued(row: Row): QueuedEvent {
  const reader = new RowReader('outbox', row, 'n')
  const index = reader.integer('n')
  const bytes: Bytes = reader.blob('event')
  reader.verify([reader.integer('vault'), index, bytes])
  return { index, bytes }
}
