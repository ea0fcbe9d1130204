import type { ContentId } from '@vault/core'
import { idBytes } from '@vault/core'
import type { Counts, Tenure, TenureState } from '@vault/soup'
import { noTenure, TENURE_STATES } from '@vault/soup'
import type { Column } from './checksum.ts'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** What the database holds of a vault as a whole. */
export interface TenureRow {
  /** The vault's number in every other table. */
  readonly vault: number
  readonly tenure: Tenure
  readonly counts: Counts
  /** Items that the feed ever had. */
  readonly fed: number
  /** Cursors before this one have expired. */
  readonly oldest: number
  /** Audit events that the log has: those from this index on wait. */
  readonly settled: number
  /** Rows that are remembered as they were before receiving. */
  readonly displaced: number
}

/** The row of a vault, `undefined` where it is not here. */
export function readTenure(db: Connection, id: ContentId): TenureRow | undefined {
  const row = db.get('SELECT * FROM tenures WHERE id = ?', idBytes(id))
  return row && decodeTenure(row)
}

/** What is to be read of a vault that is not here: its number is that of no row. */
export function absentTenure(id: ContentId): TenureRow {
  const counts = { objects: 0, bytes: 0, entries: 0 }
  return { vault: 0, tenure: noTenure(id), counts, fed: 0, oldest: 0, settled: 0, displaced: 0 }
}

/** Every vault of the place. */
export function allTenures(db: Connection): readonly TenureRow[] {
  return db.all('SELECT * FROM tenures ORDER BY vault').map((row) => decodeTenure(row))
}

/** Writes a vault's row, new or not. */
export function writeTenure(db: Connection, row: TenureRow): void {
  const columns = columnsOf(row)
  db.run(
    `INSERT OR REPLACE INTO tenures
      (vault, id, state, epoch, sequence, migration, driver, before_state, before_sequence, before_migration,
       objects, bytes, entries, fed, oldest, events, settled, displaced, "check")
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...columns,
    checksum(columns),
  )
}

/**
 * A number that no vault of this database has or had: what was begun for a vault that is gone since must not come to
 * mean another one.
 */
export function freshNumber(db: Connection): number {
  return 1 + Number(db.get("SELECT max(seq) AS latest FROM sqlite_sequence WHERE name = 'tenures'")?.latest ?? 0)
}

/** Checks and reads a row of the tenures. */
function decodeTenure(row: Row): TenureRow {
  const reader = new RowReader('tenures', row, 'id')
  const decoded: TenureRow = {
    vault: reader.integer('vault'),
    tenure: {
      vault: reader.contentId('id'),
      state: stateOf(reader, 'state'),
      epoch: reader.integer('epoch'),
      sequence: reader.integer('sequence'),
      events: reader.integer('events'),
      ...migrationOf(reader, 'migration'),
      ...driverOf(reader),
      ...beforeOf(reader),
    },
    counts: { objects: reader.integer('objects'), bytes: reader.integer('bytes'), entries: reader.integer('entries') },
    fed: reader.integer('fed'),
    oldest: reader.integer('oldest'),
    settled: reader.integer('settled'),
    displaced: reader.integer('displaced'),
  }
  reader.verify(columnsOf(decoded))
  return decoded
}

function migrationOf(reader: RowReader, column: string): Pick<Tenure, 'migration'> {
  const migration = reader.optionalText(column)
  return migration === null ? {} : { migration }
}

function driverOf(reader: RowReader): Pick<Tenure, 'driver'> {
  const driver = reader.optionalInteger('driver')
  return driver === null ? {} : { driver }
}

function beforeOf(reader: RowReader): Pick<Tenure, 'before'> {
  const remembers = reader.optionalText('before_state') !== null
  const receives = ['receiving', 'prepared'].includes(reader.text('state'))
  if (remembers !== receives) throw reader.damaged('what was before it and its state contradict each other')
  if (!remembers) return {}
  const before = {
    state: stateOf(reader, 'before_state'),
    sequence: reader.integer('before_sequence'),
    ...migrationOf(reader, 'before_migration'),
  }
  return { before }
}

function stateOf(reader: RowReader, column: string): TenureState {
  const state = TENURE_STATES.find((known) => known === reader.text(column))
  if (state === undefined) throw reader.damaged('there is no such state')
  return state
}

function columnsOf({ vault, tenure, counts, fed, oldest, settled, displaced }: TenureRow): Column[] {
  const { state, epoch, sequence, migration = null, driver = null, before, events } = tenure
  const found = [before?.state ?? null, before?.sequence ?? null, before?.migration ?? null]
  const { objects, bytes, entries } = counts
  return [
    vault,
    idBytes(tenure.vault),
    state,
    epoch,
    sequence,
    migration,
    driver,
    ...found,
    objects,
    bytes,
    entries,
    fed,
    oldest,
    events,
    settled,
    displaced,
  ]
}
