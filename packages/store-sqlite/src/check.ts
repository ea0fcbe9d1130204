import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Connection } from './connection.ts'
import type { Moment } from './moment.ts'
import type { Place } from './place.ts'
import type { TableAudit } from './row-audit.ts'
import { RowAudit } from './row-audit.ts'
import { isBroken } from './sqlite-error.ts'
import { nextTurn } from './turn.ts'

/** Rows checked between two turns of the event loop. */
const STEP = 512

/**
 * Every damaged row of a vault, everything that does not fit together, and what SQLite finds in the structure of the
 * whole file. Holds one moment of the file all the while, on a connection of its own.
 */
export async function* checkVault(place: Place, vault: ContentId, options?: AbortOptions): AsyncGenerator<Finding> {
  options?.signal?.throwIfAborted()
  let moment: Moment
  try {
    moment = await place.hold(vault, options)
  } catch (error) {
    if (!isVaultError(error, 'SOUP_CORRUPT')) throw error
    yield findingOf(error)
    return
  }
  using held = moment
  const stillOfThisMoment = () => held.read(() => undefined)
  for await (const finding of checkMoment(held, options)) {
    // What does not fit together because somebody writes is no damage.
    stillOfThisMoment()
    yield finding
  }
  stillOfThisMoment()
}

async function* checkMoment(held: Moment, options: AbortOptions | undefined): AsyncGenerator<Finding> {
  yield* checkStructure(held.db)
  const audit = new RowAudit(held.db, held.at)
  for (const table of audit.tables) yield* checkRows(held, table, options)
  yield* audit.totals()
}

function* checkStructure(db: Connection): Generator<Finding> {
  try {
    for (const { integrity_check: message } of db.iterate('PRAGMA integrity_check')) {
      if (message !== 'ok') yield { code: 'SOUP_CORRUPT', message: `SQLite finds: ${message}` }
    }
  } catch (error) {
    if (!isBroken(error)) throw error
    yield { code: 'SOUP_CORRUPT', message: `SQLite cannot read the file: ${(error as Error).message}` }
  }
}

/** Statements stay open over `await` here: the connection is the check's own, and its moment is held anyway. */
async function* checkRows(
  { db, at }: Moment,
  { name: table, ofPlace, check }: TableAudit,
  options: AbortOptions | undefined,
): AsyncGenerator<Finding> {
  try {
    let count = 0
    // Not by an index, which may lead past a row.
    const scanned = table === 'entries' || table === 'versions' ? `${table} NOT INDEXED` : table
    const rows = ofPlace
      ? db.iterate(`SELECT * FROM ${scanned}`)
      : db.iterate(`SELECT * FROM ${scanned} WHERE vault = ?`, at.vault)
    for (const row of rows) {
      yield* findingsOf(() => check(row))
      if (++count % STEP !== 0) continue
      await nextTurn()
      options?.signal?.throwIfAborted()
    }
  } catch (error) {
    if (!isBroken(error)) throw error
    yield {
      code: 'SOUP_CORRUPT',
      message: `Table ${table} cannot be read: ${(error as Error).message}`,
      subject: table,
    }
  }
}

function* findingsOf(check: () => Iterable<Finding>): Generator<Finding> {
  try {
    yield* check()
  } catch (error) {
    if (!isVaultError(error, 'SOUP_CORRUPT')) throw error
    yield findingOf(error)
  }
}

function findingOf(error: {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}): Finding {
  const { table, key } = error.details
  return { code: error.code, message: error.message, subject: `${table}/${key}` }
}
