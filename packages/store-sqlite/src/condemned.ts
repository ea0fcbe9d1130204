import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** In the column `vault`: marks are the place's, because its vaults share the segments. No vault has this number. */
const PLACE = 0

export function condemn(db: Connection, segments: readonly string[]): void {
  // One that is marked already is marked anew, which mends a damaged row.
  const sql =
    'INSERT INTO condemned (vault, segment, "check") VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "check" = excluded."check"'
  for (const segment of segments) db.run(sql, PLACE, segment, checksum([PLACE, segment]))
}

/** Those of the segments that are condemned. */
export function condemnedAmong(db: Connection, segments: readonly string[]): readonly string[] {
  return segments.filter((segment) => {
    const row = db.get('SELECT * FROM condemned WHERE vault = ? AND segment = ?', PLACE, segment)
    return row !== undefined && decodeCondemned(row) === segment
  })
}

/** Checks and reads a row of the condemned segments. */
export function decodeCondemned(row: Row): string {
  const reader = new RowReader('condemned', row, 'segment')
  const segment = reader.text('segment')
  reader.verify([reader.integer('vault'), segment])
  return segment
}
