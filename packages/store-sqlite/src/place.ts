import type { AbortOptions, ContentId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { SoupView, SwapOptions } from '@vault/soup'
import { Connection } from './connection.ts'
import type { Moment } from './moment.ts'
import type { OpenedDatabase } from './open-database.ts'
import { openDatabase } from './open-database.ts'
import type { Patience } from './patience.ts'
import { whenFree } from './patience.ts'
import { isFull, soupErrorFrom, storeError } from './sqlite-error.ts'
import { absentTenure, readTenure } from './tenure-row.ts'
import { isUnwritten, whileUnwritten } from './unwritten-file.ts'
import { openView } from './view.ts'

/** Connections kept for the next view. More views at once each open one, so that a view inside a view cannot wait for itself. */
const MAX_IDLE = 2

/**
 * Milliseconds after which whoever held on to a moment brings home what was written meanwhile. Until then nobody could, and otherwise one who
 * makes a change would, before that is acknowledged: after minutes that is seconds.
 */
const LONG = 1_000

/** How long a reader waits to keep what it has computed, in milliseconds: it can be computed again. */
const KEEPING_PATIENCE = 200

/** The open file: one connection for changes and short reads, and one for every view. */
export class Place {
  #opened: OpenedDatabase
  readonly #patience: Patience
  #idle: Connection[] = []
  #closed = false

  constructor(opened: OpenedDatabase, patience: Patience) {
    this.#opened = opened
    this.#patience = patience
  }

  /** Reads things of one moment, synchronously. */
  read<T>(work: (db: Connection) => T, options?: AbortOptions): Promise<T> {
    const reading = () => {
      const { connection, unwritten } = this.#upToDate()
      return whileUnwritten(this.#patience.file, unwritten, () => connection.snapshot(work))
    }
    return whenFree(this.#patience, 'read', reading, options)
  }

  /** Changes everything or nothing, synchronously; durable when it resolves, unless `durable` is `false`: then when a later change is. */
  async write<T>(work: (db: Connection) => T, { durable = true, ...options }: SwapOptions = {}): Promise<T> {
    options.signal?.throwIfAborted()
    this.#requireWritable()
    const write = () => (durable ? this.#open().transaction(work) : this.#open().transactionToFlush(work))
    return whenFree(this.#patience, 'write', write, options)
  }

  /** Runs `read` over one unchanging view, and keeps what it has computed. */
  async view<T>(vault: ContentId, read: (view: SoupView) => Promise<T>, options?: AbortOptions): Promise<T> {
    using moment = await this.hold(vault, options)
    const { view, finish, end } = openView(moment, (work) => this.#writeIfFree(work))
    try {
      const result = await read(view)
      await finish()
      return result
    } finally {
      end()
    }
  }

  /** Holds on to one moment of a vault, with a connection of its own, until it is disposed of. */
  hold(vault: ContentId, options?: AbortOptions): Promise<Moment> {
    const { file } = this.#patience
    const begin = (): Moment => {
      const opened = this.#upToDate()
      const db = this.#idle.pop() ?? new Connection(file, opened.access === 'immutable' ? 'immutable' : 'read')
      const whole = <T>(work: () => T): T => whileUnwritten(file, opened.unwritten, work)
      const began = this.#patience.clock().getTime()
      const giveBack = () => {
        this.#giveBack(db, opened)
        if (this.#patience.clock().getTime() - began >= LONG) this.#bringHome()
      }
      try {
        const at = whole(() => db.begin(() => readTenure(db, vault) ?? absentTenure(vault)))
        return { db, at, read: (work) => inOurCodes(file, () => whole(work)), [Symbol.dispose]: giveBack }
      } catch (error) {
        giveBack()
        throw error
      }
    }
    return whenFree(this.#patience, 'read', begin, options)
  }

  /** Writes the log home and lets go of the file. Views that are still running keep their own connections until they end. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const db of this.#idle.splice(0)) db.close()
    try {
      // Whoever closes last does this anyway; while others have the file open, it leaves as little in the log as can be.
      if (this.#opened.access === 'write') this.#opened.connection.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch (error) {
      // With no room for it, everything stays in the log, where it is as durable.
      if (!isFull(error)) throw soupErrorFrom(error, this.#patience.file, 'write')
    } finally {
      this.#opened.connection.close()
    }
  }

  /** For what can be computed again: written, unless the store is only read, or busy, or full; flushed with a later change. */
  async #writeIfFree(work: (db: Connection) => void): Promise<void> {
    if (this.#opened.access !== 'write') return
    try {
      const patience = { ...this.#patience, busyTimeout: KEEPING_PATIENCE }
      await whenFree(patience, 'write', () => this.#open().transactionToFlush(work), undefined)
    } catch (error) {
      if (!isVaultError(error, 'SOUP_BUSY') && !isVaultError(error, 'SOUP_WRITE_FAILED')) throw error
    }
  }

  /** Others go on writing meanwhile. */
  #bringHome(): void {
    const { access, connection } = this.#opened
    if (this.#closed || access !== 'write') return
    try {
      connection.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // What cannot be brought home now stays in the log, where it is as durable.
    }
  }

  #open(): Connection {
    this.#requireOpen()
    return this.#opened.connection
  }

  #requireOpen(): void {
    if (this.#closed) throw new TypeError(`${this.#patience.file} is closed`)
  }

  /** The file, opened again where it is read without locks and somebody has written it since. */
  #upToDate(): OpenedDatabase {
    this.#requireOpen()
    const { file } = this.#patience
    const { connection, unwritten } = this.#opened
    if (unwritten !== undefined && !isUnwritten(file, unwritten)) {
      this.#opened = openDatabase(file, 'read')
      for (const db of [connection, ...this.#idle.splice(0)]) db.close()
    }
    return this.#opened
  }

  #requireWritable(): void {
    if (this.#opened.access === 'write') return
    const { file } = this.#patience
    throw storeError('SOUP_WRITE_FAILED', `${file} is open for reading only; nothing was changed.`, {
      details: { file },
    })
  }

  #giveBack(db: Connection, opened: OpenedDatabase): void {
    db.end()
    if (this.#closed || opened !== this.#opened || this.#idle.length >= MAX_IDLE) db.close()
    else this.#idle.push(db)
  }
}

function inOurCodes<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw soupErrorFrom(error, file, 'read')
  }
}
