import { dirname, join } from 'node:path'
import type { LogFile } from '@vault/audit-chain'
import { MAX_ENTRY_BUNDLE_LENGTH } from '@vault/audit-chain'
import type { Bytes, Clock, Random } from '@vault/core'
import { toHex } from '@vault/core'
import { makeFolder } from './durable.ts'
import type { Fs } from './fs.ts'
import { errorCode, readFully, writeFully } from './fs.ts'

/** Files written or removed at once. */
const AT_ONCE = 16
/** When a temporary file is none that another process may be writing now. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000

/** Small whole files in the folders of a log. Rejects with the system's own errors. */
export class LogFiles {
  readonly #fs: Fs
  readonly #dir: string
  readonly #random: Random
  /** Folders that were made, or found, and are durable. */
  readonly #folders = new Set<string>()
  /** Paths of files that have their names and may not be durable, each with the number of its staging. */
  readonly #staged = new Map<string, number>()
  #stagings = 0

  constructor(fs: Fs, dir: string, random: Random) {
    this.#fs = fs
    // Without what the paths of its files have not: a slash at its end.
    this.#dir = dirname(join(dir, 'checkpoint'))
    this.#random = random
  }

  path(name: string): string {
    return join(this.#dir, name)
  }

  /** The content of a file; `undefined` where there is none. A longer one than a log has is cut, and so refused by whoever parses it. */
  async read(name: string): Promise<Bytes | undefined> {
    const file = await absentAs(undefined, this.#fs.open(this.path(name), 'read'))
    if (file === undefined) return undefined
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), MAX_ENTRY_BUNDLE_LENGTH + 1))
      return bytes.subarray(0, await readFully(file, bytes, 0))
    } finally {
      await file.close()
    }
  }

  async has(name: string): Promise<boolean> {
    return await absentAs(
      false,
      this.#fs.size(this.path(name)).then(() => true),
    )
  }

  async list(folder: string): Promise<readonly string[]> {
    return await absentAs([], this.#fs.list(this.path(folder)))
  }

  /** Makes a folder and those above it, durable: also those that another process has made, and was killed before they were. */
  async makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return
    const above = dirname(path)
    if (path !== this.#dir && above !== this.#dir) await this.makeFolder(above)
    await makeFolder(this.#fs, path)
    this.#folders.add(path)
  }

  /** Writes each file whole, and flushes them and their folders. */
  async write(files: readonly LogFile[]): Promise<void> {
    const folders = await this.#makeFoldersOf(files)
    await severalAtOnce(files, async ({ name, bytes }) => {
      await this.#fs.rename(await this.writeTemporary(bytes), this.path(name))
    })
    await severalAtOnce([...folders], (folder) => this.#fs.syncDir(folder))
  }

  /** Writes each file whole; {@link flushStaged} flushes them. */
  async stage(files: readonly LogFile[]): Promise<void> {
    await this.#makeFoldersOf(files)
    await severalAtOnce(files, async ({ name, bytes }) => {
      const path = this.path(name)
      this.#staged.set(path, ++this.#stagings)
      const temporary = await this.#create(bytes, false)
      if (await this.link(temporary, path)) return await this.#fs.remove(temporary)
      // It may be a file that is durable and published, so what takes its place is durable before it does.
      await this.#flushFile(temporary)
      await this.#fs.rename(temporary, path)
    })
  }

  /** Flushes what was staged, all at once: flushes that wait together share a commit of the file system's journal. */
  async flushStaged(): Promise<void> {
    const staged = [...this.#staged]
    const folders = new Set(staged.map(([path]) => dirname(path)))
    await severalAtOnce(
      [
        ...staged.map(
          ([path]) =>
            () =>
              this.#flushFile(path),
        ),
        ...[...folders].map((folder) => () => this.#fs.syncDir(folder)),
      ],
      (flush) => flush(),
    )
    for (const [path, number] of staged) if (this.#staged.get(path) === number) this.#staged.delete(path)
  }

  /** One that is gone was removed by another process, which has published more: the head is no longer the one that is expected. */
  async #flushFile(path: string): Promise<void> {
    const file = await absentAs(undefined, this.#fs.open(path, 'read'))
    if (file === undefined) return
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  async #makeFoldersOf(files: readonly LogFile[]): Promise<ReadonlySet<string>> {
    const folders = new Set(files.map(({ name }) => dirname(this.path(name))))
    for (const folder of folders) await this.makeFolder(folder)
    return folders
  }

  /** A new file with this content, flushed but for its name. Returns its path. */
  async writeTemporary(bytes: Uint8Array): Promise<string> {
    return await this.#create(bytes, true)
  }

  async #create(bytes: Uint8Array, flush: boolean): Promise<string> {
    const path = this.temporary()
    const file = await this.#fs.open(path, 'create')
    try {
      await writeFully(file, bytes, 0)
      if (flush) await file.datasync()
    } finally {
      await file.close()
    }
    return path
  }

  /** A further name for a file; false where the name is taken. */
  async link(existing: string, path: string): Promise<boolean> {
    try {
      await this.#fs.link(existing, path)
      return true
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false
      throw error
    }
  }

  /** A path that nobody else uses, on the same file system. */
  temporary(): string {
    return join(this.#dir, TEMPORARY, toHex(this.#random(16)))
  }

  async remove(names: readonly string[]): Promise<void> {
    await severalAtOnce(names, (name) => absentAs(undefined, this.#fs.remove(this.path(name))))
  }

  /** Removes the temporary files that interrupted sessions have left. */
  async sweep(clock: Clock): Promise<void> {
    const folder = this.path(TEMPORARY)
    for (const name of await this.#fs.list(folder)) {
      const path = join(folder, name)
      const written = await absentAs(Number.POSITIVE_INFINITY, this.#fs.modified(path))
      if (written < clock().getTime() - ABANDONED_AFTER) await absentAs(undefined, this.#fs.remove(path))
    }
  }
}

/** What belongs to no reader of the log. */
export const STATE = '.state'
/** Where files are made before they get their name. */
export const TEMPORARY = '.state/tmp'

async function absentAs<Result, Instead>(instead: Instead, result: Promise<Result>): Promise<Result | Instead> {
  return await result.catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return instead
    throw error
  })
}

/** Waits for all that were begun, and rejects with the first failure. */
async function severalAtOnce<Item>(items: readonly Item[], run: (item: Item) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    const outcomes = await Promise.allSettled(items.slice(i, i + AT_ONCE).map(run))
    const failed = outcomes.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }
}
