import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { PackedItem } from './feed-items.ts'
import { unpackItems } from './feed-items.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** One change in the feed. */
export interface FeedRow {
  readonly sequence: number
  /** Items of this change and of all before it since the vault came here. */
  readonly total: number
  /** Throws `SOUP_CORRUPT` where the packed items are none. */
  items(): Iterable<PackedItem>
}

/** Adds a change to the feed. */
export function appendFeed(db: Connection, vault: number, sequence: number, total: number, items: Uint8Array): void {
  const check = checksum([vault, sequence, total, items])
  db.run(
    'INSERT INTO feed (vault, sequence, total, "check", items) VALUES (?, ?, ?, ?, ?)',
    vault,
    sequence,
    total,
    check,
    items,
  )
}

/**
 * Drops whole changes from the feed's far end, all of whose items are among the first `upTo` of the vault. Returns the
 * number of the newest one dropped, `undefined` where there was none. Believes `total` without its checksum, which
 * would need the items: too small a one only makes a cursor expire early, and a reader falls back to the diff walk.
 */
export function pruneFeed(db: Connection, vault: number, upTo: number): number | undefined {
  let dropped: number | undefined
  for (const { sequence, total } of db.iterate(
    'SELECT sequence, total FROM feed WHERE vault = ? ORDER BY sequence',
    vault,
  )) {
    if (Number(total) > upTo) break
    dropped = Number(sequence)
  }
  if (dropped !== undefined) db.run('DELETE FROM feed WHERE vault = ? AND sequence <= ?', vault, dropped)
  return dropped
}

/** Changes after a sequence number, oldest first, one by one. */
export function* feedAfter(db: Connection, vault: number, after: number): Generator<FeedRow> {
  for (const row of db.iterate('SELECT * FROM feed WHERE vault = ? AND sequence > ? ORDER BY sequence', vault, after)) {
    yield readFeedRow(row)
  }
}

/** Checks and reads a row of the feed. */
export function readFeedRow(row: Row): FeedRow {
  const reader = new RowReader('feed', row, 'sequence')
  const sequence = reader.integer('sequence')
  const total = reader.integer('total')
  const packed = reader.blob('items')
  reader.verify([reader.integer('vault'), sequence, total, packed])
  return {
    sequence,
    total,
    *items() {
      try {
        yield* unpackItems(packed)
      } catch (error) {
        throw reader.damaged('its items cannot be read', error)
      }
    },
  }
}
