import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Access } from './connection.ts'
import { Connection } from './connection.ts'
import { APPLICATION_ID, FORMAT_VERSION, PAGE_SIZE, TABLES } from './schema.ts'
import { cannotOpen, isNoDatabase, storeError } from './sqlite-error.ts'
import { stateOfUnwritten, whileUnwritten } from './unwritten-file.ts'

/** `create` opens what is there too, so that an interrupted creation may be repeated. */
export type Mode = 'create' | 'write' | 'read'

/** A connection whose file has been found to be ours, of a version we know. */
export interface OpenedDatabase {
  readonly connection: Connection
  readonly access: Access
  /** The file as it was found, where nothing but its looks tells that it is not being written. */
  readonly unwritten?: string
}

/**
 * Opens the file. Throws `SOUP_FORMAT`, `SOUP_CORRUPT`, and SQLite's error where it is busy.
 * Only the file's existence is asked with `node:fs`: closing a descriptor of the file drops SQLite's locks on it.
 */
export function openDatabase(file: string, mode: Mode): OpenedDatabase {
  if (mode !== 'create' && !existsSync(file)) throw formatError(file, 'there is no such file')
  try {
    if (mode === 'read') return openForReading(file)
    return opened(file, 'write', (connection) => prepareForWriting(connection, file, mode))
  } catch (error) {
    if (!isNoDatabase(error)) throw error
    throw formatError(file, 'it is no database, or its first page is damaged', error)
  }
}

/**
 * Readers share an index of the write-ahead log in a file beside it. Where that cannot be made, because the folder is not
 * writable, a database without a log can still be read while nobody writes it.
 */
function openForReading(file: string): OpenedDatabase {
  try {
    return opened(file, 'read', (connection) => checkFormat(connection, file))
  } catch (error) {
    if (!cannotOpen(error)) throw error
    const unwritten = stateOfUnwritten(file)
    const check = (connection: Connection) => whileUnwritten(file, unwritten, () => checkFormat(connection, file))
    return { ...opened(file, 'immutable', check), unwritten }
  }
}

function opened(file: string, access: Access, prepare: (connection: Connection) => void): OpenedDatabase {
  const connection = new Connection(file, access)
  try {
    prepare(connection)
    return { connection, access }
  } catch (error) {
    connection.close()
    throw error
  }
}

function prepareForWriting(connection: Connection, file: string, mode: Mode): void {
  if (mode === 'create' && isBlank(connection)) {
    connection.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA journal_mode = WAL`)
    connection.transaction(() => {
      // Another process may have been faster.
      if (!isBlank(connection)) return
      connection.exec(TABLES)
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`)
    })
  }
  checkFormat(connection, file)
  const { journal_mode: journal } = connection.get('PRAGMA journal_mode') ?? {}
  if (journal !== 'wal') throw formatError(file, 'it has no write-ahead log')
  // FULL flushes the log at every commit; the two others make macOS flush through the drive's cache as well.
  // Larger logs than SQLite's 1,000 pages, because bulk changes are of some mebibytes; cut back when they are written home.
  connection.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864`)
}

function isBlank(connection: Connection): boolean {
  return readIdentity(connection).application === 0 && connection.all('SELECT name FROM sqlite_schema').length === 0
}

/** Refuses a file that is not ours, is newer, or whose tables are not exactly those of the format: a trigger in it would run in our transactions. */
function checkFormat(connection: Connection, file: string): void {
  const { application, version } = readIdentity(connection)
  if (application !== APPLICATION_ID) throw formatError(file, 'another program wrote it')
  if (version > FORMAT_VERSION) throw formatError(file, `its format is ${version}; newer software wrote it`)
  if (version < FORMAT_VERSION) throw formatError(file, `there is no format ${version}`)
  if (schemaOf(connection) !== expectedSchema()) {
    const details = { file, table: 'sqlite_schema', key: '' }
    throw storeError(
      'SOUP_CORRUPT',
      `The tables of ${file} are not those of its format. Receive the vault from another place.`,
      { details },
    )
  }
}

function readIdentity(connection: Connection): { readonly application: unknown; readonly version: number } {
  const application = connection.get('PRAGMA application_id')?.application_id
  return { application, version: Number(connection.get('PRAGMA user_version')?.user_version) }
}

function expectedSchema(): string {
  const memory = new DatabaseSync(':memory:')
  try {
    memory.exec(TABLES)
    return JSON.stringify(memory.prepare(SCHEMA).all())
  } finally {
    memory.close()
  }
}

function schemaOf(connection: Connection): string {
  return JSON.stringify(connection.all(SCHEMA))
}

const SCHEMA = 'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name'

function formatError(file: string, why: string, cause?: unknown): Error {
  const more = { details: { file }, ...(cause === undefined ? {} : { cause }) }
  return storeError('SOUP_FORMAT', `${file} cannot be opened as a soup: ${why}.`, more)
}
