import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Row } from './row.ts'

/**
 * How long SQLite itself waits for a lock, in milliseconds. Short, because it blocks the whole event loop meanwhile:
 * longer waits are made of retries between which other work runs.
 */
const BLOCKING_WAIT = 5

/** What a connection may do with the file. */
export type Access =
  | 'write'
  | 'read'
  /** Nobody writes: no locks, no shared memory. The only way to read in a folder that is not writable. */
  | 'immutable'

/** Longest value that is read or written, in bytes: twice the feed row of a million changes of entries with long keys. */
const MAX_VALUE_LENGTH = 512 * 1024 * 1024

// In KiB, for each connection. Writers insert in random order when files are put; readers go in the order of keys.
const WRITER_CACHE = 32_768
const READER_CACHE = 4_096

/** One connection to the file, with its statements kept ready. Everything is synchronous: nothing else of this process runs meanwhile. */
export class Connection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #tuples = new Map<string, StatementSync>()

  constructor(file: string, access: Access) {
    const location = access === 'immutable' ? new URL('?immutable=1', pathToFileURL(file)) : file
    this.#db = new DatabaseSync(location, {
      readOnly: access !== 'write',
      enableForeignKeyConstraints: false,
      timeout: BLOCKING_WAIT,
      defensive: true,
      limits: { length: MAX_VALUE_LENGTH, attach: 0, triggerDepth: 1 },
    })
    try {
      this.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
      this.exec(`PRAGMA cache_size = -${access === 'write' ? WRITER_CACHE : READER_CACHE}`)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** Runs statements that give no rows. */
  exec(sql: string): void {
    this.#db.exec(sql)
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values)
  }

  /** As {@link all}, each row the values of its columns in their order: for many short rows, which take half as long again with names. */
  tuples(sql: string, ...values: SQLInputValue[]): SQLOutputValue[][] {
    // The types of the driver do not know that rows may be arrays.
    return this.#statement(sql, this.#tuples).all(...values) as unknown as SQLOutputValue[][]
  }

  /** Rows one by one. To be used up or left before the next `await`: an open statement pins the write-ahead log. */
  iterate(sql: string, ...values: SQLInputValue[]): NodeJS.Iterator<Row> {
    return this.#statement(sql).iterate(...values)
  }

  /** Runs a statement that changes rows, and returns how many. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  /** Reads several things of one moment. */
  snapshot<T>(read: (db: this) => T): T {
    return this.#within('BEGIN', read)
  }

  /** Changes everything or, where `write` throws, nothing. Durable when it returns. */
  transaction<T>(write: (db: this) => T): T {
    return this.#within('BEGIN IMMEDIATE', write)
  }

  /** As {@link transaction}, but flushed with the next one that is: all that was committed before that one lies before it in the log. */
  transactionToFlush<T>(write: (db: this) => T): T {
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.#within('BEGIN IMMEDIATE', write)
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL')
    }
  }

  /** Begins a read transaction that lasts until {@link end}; `read` fixes its moment. */
  begin<T>(read: () => T): T {
    this.#db.exec('BEGIN')
    try {
      return read()
    } catch (error) {
      this.end()
      throw error
    }
  }

  /** Ends what {@link begin} has begun, if anything. */
  end(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
  }

  close(): void {
    this.#statements.clear()
    this.#tuples.clear()
    this.#db.close()
  }

  #within<T>(begin: string, work: (db: this) => T): T {
    this.#db.exec(begin)
    try {
      const result = work(this)
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // After some failures, as a full disk, SQLite has rolled back by itself.
      this.end()
      throw error
    }
  }

  #statement(sql: string, kept: Map<string, StatementSync> = this.#statements): StatementSync {
    let statement = kept.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      statement.setReturnArrays(kept === this.#tuples)
      kept.set(sql, statement)
    }
    return statement
  }
}
