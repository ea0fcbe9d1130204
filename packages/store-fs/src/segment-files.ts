import { join } from 'node:path'
import type { PackSource } from '@vault/cas'
import type { Fs, FsFile } from './fs.ts'
import { errorCode, readFully } from './fs.ts'
import { readFailed, writeFailed } from './system-refusal.ts'

/** Open files kept for the next read. Systems commonly allow a process 1,024. */
const MAX_OPEN = 64

const SEGMENT_FILE = /^[0-9a-f]{32}\.pack$/

interface OpenFile {
  readonly file: Promise<FsFile>
  users: number
}

/** The segments of a folder as files; the ones used last stay open. */
export class SegmentFiles {
  readonly #fs: Fs
  readonly #folder: string
  readonly #open = new Map<string, OpenFile>()

  constructor(fs: Fs, folder: string) {
    this.#fs = fs
    this.#folder = folder
  }

  path(name: string): string {
    return join(this.#folder, `${name}.pack`)
  }

  /** Names of all segments; none where the folder has not been made. Throws `CAS_READ_FAILED`. */
  async list(): Promise<string[]> {
    const names = await this.#fs.list(this.#folder).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return []
      throw readFailed(this.#folder, error)
    })
    return names.filter((name) => SEGMENT_FILE.test(name)).map((name) => name.slice(0, 32))
  }

  size(name: string): Promise<number> {
    return this.#fs.size(this.path(name))
  }

  /** Runs with the segment's file, which stays open meanwhile. Rejects with the system's `ENOENT` where it is gone. */
  async use<Result>(name: string, run: (file: FsFile) => Promise<Result>): Promise<Result> {
    const entry = this.#open.get(name) ?? { file: this.#fs.open(this.path(name), 'read'), users: 0 }
    // Back to the end: a Map keeps the order of insertion.
    this.#open.delete(name)
    this.#open.set(name, entry)
    entry.users += 1
    try {
      return await run(await entry.file)
    } catch (error) {
      await entry.file.catch(() => this.#letGo(name, entry))
      throw error
    } finally {
      entry.users -= 1
      // Let go meanwhile: the last one who reads it closes it.
      if (entry.users === 0 && this.#open.get(name) !== entry) await closeQuietly(entry)
      await this.#trim()
    }
  }

  /** Runs with the segment as the pack codec reads it. */
  source<Result>(name: string, run: (source: PackSource) => Promise<Result>): Promise<Result> {
    return this.use(name, async (file) => {
      const size = await file.size()
      return run({ file: this.path(name), size, read: (into, position) => readFully(file, into, position) })
    })
  }

  /** Makes durable what others may just have written; passes over what is gone. Throws `CAS_WRITE_FAILED`. */
  async flush(names: Iterable<string>): Promise<void> {
    try {
      for (const name of names) {
        await this.use(name, (file) => file.datasync()).catch((error: unknown) => {
          if (errorCode(error) !== 'ENOENT') throw error
        })
      }
      await this.#fs.syncDir(this.#folder)
    } catch (error) {
      throw writeFailed(this.#folder, error)
    }
  }

  /** Lets go of a file that is gone or about to go, so that the system can free its room. Whoever is reading it reads on. */
  async forget(name: string): Promise<void> {
    const entry = this.#open.get(name)
    if (entry !== undefined) await this.#letGo(name, entry)
  }

  /** Lets go of all files: a file that is open can be read when its name is gone, or is that of another one, and says nothing of the folder. */
  async forgetAll(): Promise<void> {
    for (const [name, entry] of [...this.#open]) await this.#letGo(name, entry)
  }

  async close(): Promise<void> {
    const files = [...this.#open.values()]
    this.#open.clear()
    for (const { file } of files) await (await file).close()
  }

  async #letGo(name: string, entry: OpenFile): Promise<void> {
    if (this.#open.get(name) !== entry) return
    this.#open.delete(name)
    if (entry.users === 0) await closeQuietly(entry)
  }

  async #trim(): Promise<void> {
    for (const [name, entry] of this.#open) {
      if (this.#open.size <= MAX_OPEN) return
      if (entry.users > 0) continue
      this.#open.delete(name)
      await (await entry.file).close()
    }
  }
}

/** What was only read loses nothing when closing it fails. */
async function closeQuietly({ file }: OpenFile): Promise<void> {
  await file.then((opened) => opened.close()).catch(() => {})
}
