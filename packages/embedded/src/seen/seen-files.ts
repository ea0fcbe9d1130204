import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Clock, type ContentId, isContentId, type VaultId } from '@vault/core'
import { createFolder } from '../durable-file.ts'
import type { SourceFile } from '../source-file.ts'

/** What a vault got of a file when it was put. */
export interface SeenFile {
  readonly object: ContentId
  /** So many objects. */
  readonly blocks: number
}

/** Milliseconds for which a file must have been left alone before its times tell that it is the same: file systems count in up to two seconds. */
const SETTLED = 2000
/** Milliseconds after which a file is read again in any case. */
const KEPT = 90 * 24 * 60 * 60 * 1000

// Result codes, https://sqlite.org/rescode.html.
const CORRUPT = 11
const NOT_A_DATABASE = 26

const SCHEMA = `
CREATE TABLE IF NOT EXISTS seen (
  path TEXT NOT NULL PRIMARY KEY,
  look TEXT NOT NULL,
  object TEXT NOT NULL,
  blocks INTEGER NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
`

interface Parts {
  readonly stateDir: string
  readonly instance: string
  readonly vault: VaultId
  readonly clock: Clock
}

/**
 * How files looked on this machine's disk when they were put: device, number, length, mode and times. One that looks the same is not
 * read again. It only ever saves work: whoever asks holds the answer against the vault, and without it, or where it is damaged, every file
 * is read.
 */
export class SeenFiles implements Disposable {
  readonly #db: DatabaseSync
  readonly #began: number
  readonly #find: StatementSync
  readonly #insert: StatementSync

  /** `undefined` where none can be kept. */
  static async open(parts: Parts): Promise<SeenFiles | undefined> {
    const folder = join(parts.stateDir, 'seen', parts.instance)
    const file = join(folder, `${parts.vault}.sqlite`)
    try {
      await createFolder(folder, 0o700)
      try {
        return new SeenFiles(file, parts.clock)
      } catch (error) {
        if (!isDamaged(error)) throw error
        // Nothing is lost with it.
        for (const end of ['', '-wal', '-shm']) await rm(`${file}${end}`, { force: true })
        return new SeenFiles(file, parts.clock)
      }
    } catch {
      return undefined
    }
  }

  private constructor(file: string, clock: Clock) {
    // Before any file is looked at: what is written from now on is not remembered.
    this.#began = clock().getTime()
    this.#db = new DatabaseSync(file, { timeout: 5, defensive: true })
    try {
      this.#db.exec(`PRAGMA trusted_schema = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`)
      this.#find = this.#db.prepare('SELECT look, object, blocks, at FROM seen WHERE path = ?')
      this.#insert = this.#db.prepare(
        'INSERT OR REPLACE INTO seen (path, look, object, blocks, at) VALUES (?, ?, ?, ?, ?)',
      )
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** What the vault got of a file that still looks as it did. */
  find(file: SourceFile): SeenFile | undefined {
    try {
      const row = this.#find.get(resolve(file.path))
      if (row?.look !== lookOf(file) || !isContentId(row.object) || Number(row.at) < this.#began - KEPT)
        return undefined
      return { object: row.object, blocks: Number(row.blocks) }
    } catch {
      return undefined
    }
  }

  /** Keeps files that the vault has now, but for those that may be written again without looking any different. */
  add(files: readonly { readonly file: SourceFile; readonly seen: SeenFile }[]): void {
    const settled = files.filter(
      ({ file: { stats } }) => Math.max(stats.mtimeMs, stats.ctimeMs) < this.#began - SETTLED,
    )
    if (settled.length === 0) return
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      for (const { file, seen } of settled) {
        this.#insert.run(resolve(file.path), lookOf(file), seen.object, seen.blocks, this.#began)
      }
      this.#db.exec('COMMIT')
    } catch {
      // Not remembered, and so read again the next time.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
  }

  /** What is too old to be asked for goes once, and not with every batch: it takes a look at everything. */
  [Symbol.dispose](): void {
    try {
      this.#db.prepare('DELETE FROM seen WHERE at < ?').run(this.#began - KEPT)
    } catch {
      // It goes the next time.
    }
    this.#db.close()
  }
}

/** Whether SQLite finds the file damaged, or no database. */
function isDamaged(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' && [CORRUPT, NOT_A_DATABASE].includes(errcode & 0xff)
}

function lookOf({ stats }: SourceFile): string {
  const { dev, ino, size, mode, mtimeMs, ctimeMs } = stats
  return [dev, ino, size, mode, mtimeMs, ctimeMs].join(' ')
}
