import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** A vault that is not here has nothing that could rely on segments. */
export function condemn(db: Connection, vault: number | undefined, segments: readonly string[]): void {
  if (vault === undefined) return
  const sql = 'INSERT INTO condemned (vault, segment, "check") VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
  for (const segment of segments) db.run(sql, vault, segment, checksum([vault, segment]))
}

export function absolve(db: Connection, vault: number | undefined, segments: readonly string[]): void {
  if (vault === undefined) return
  for (const segment of segments) db.run('DELETE FROM condemned WHERE vault = ? AND segment = ?', vault, segment)
}

/** Those of the segments that are condemned. */
export function condemnedAmong(db: Connection, vault: number, segments: readonly string[]): readonly string[] {
  return segments.filter((segment) => {
    const row = db.get('SELECT * FROM condemned WHERE vault = ? AND segment = ?', vault, segment)
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
