import { join } from 'node:path'
import type { PackRows } from '@vault/cas'
import type { Clock, Random } from '@vault/core'
import { isVaultError, toHex } from '@vault/core'
import type { Coverage } from './coverage.ts'
import { makeFolder, replaceFile } from './durable.ts'
import type { Fs } from './fs.ts'
import { errorCode } from './fs.ts'
import { writeRun } from './index-merge.ts'
import { IndexPageCache } from './index-page-cache.ts'
import { IndexRun } from './index-run.ts'
import type { RowCursor } from './row-cursor.ts'
import type { SegmentTable } from './segment-table.ts'
import { readFailed } from './system-refusal.ts'

/** So many runs of about one size are merged into one. */
const FAN_IN = 4

/** Milliseconds after which nobody is still writing a temporary file: the largest run takes minutes. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000

const RUN_FILE = /\b[0-9a-f]{32}\.idx$/
const TEMPORARY_FILE = /\b[0-9a-f]{32}\.tmp$/

/** The runs of a folder: which there are, and new ones from old ones. Changes must not overlap; searches may come between. */
export class IndexRuns {
  readonly #fs: Fs
  readonly #folder: string
  readonly #random: Random
  readonly #clock: Clock
  readonly #segments: SegmentTable
  readonly #cache = new IndexPageCache()
  /** Rows of the smallest runs that are written. */
  readonly #smallest: number
  /** The smallest first: they are the newest. */
  #runs: readonly IndexRun[] = []
  #damaged: IndexRun | undefined
  /** Files in the way: damaged ones, and what an interrupted session left. */
  #obsolete: string[] = []

  constructor(parts: {
    fs: Fs
    folder: string
    random: Random
    clock: Clock
    segments: SegmentTable
    smallest: number
  }) {
    this.#fs = parts.fs
    this.#folder = parts.folder
    this.#random = parts.random
    this.#clock = parts.clock
    this.#segments = parts.segments
    this.#smallest = parts.smallest
  }

  get coverage(): readonly Coverage[] {
    return this.#runs.flatMap(({ coverage }) => coverage)
  }

  /** Whether there are files that the next {@link sweep} removes. */
  get hasObsolete(): boolean {
    return this.#obsolete.length > 0
  }

  /**
   * Opens the runs that are not open yet, and lets go of those that other processes have merged and removed. Says whether
   * any came, and what those covered that went. A damaged one is left out until a run takes its place; one of a newer
   * version is only left out. Throws `CAS_READ_FAILED`.
   */
  async load(): Promise<{ readonly added: boolean; readonly gone: readonly Coverage[] }> {
    const known = new Set([...this.#runs.map(({ path }) => path), ...this.#obsolete])
    const paths = (await this.#names()).map((name) => join(this.#folder, name))
    const opened: IndexRun[] = []
    for (const path of paths) {
      if (known.has(path)) continue
      try {
        if (TEMPORARY_FILE.test(path) && (await this.#isAbandoned(path))) this.#obsolete.push(path)
        if (RUN_FILE.test(path)) opened.push(await IndexRun.open(this.#fs, path, this.#segments, this.#cache))
      } catch (error) {
        if (isVaultError(error, 'CAS_CORRUPT')) this.#obsolete.push(path)
        // Gone: another process has merged it. What it covered is in a run that the next look finds, or in the segments.
        else if (!isVaultError(error, 'CAS_FORMAT') && errorCode(error) !== 'ENOENT') {
          for (const run of opened) await run.close()
          throw readFailed(path, error)
        }
      }
    }
    const there = new Set(paths)
    const gone = this.#runs.filter(({ path }) => !there.has(path))
    this.#runs = bySize([...this.#runs.filter((run) => !gone.includes(run)), ...opened])
    for (const run of gone) await run.close()
    return { added: opened.length > 0, gone: gone.flatMap(({ coverage }) => coverage) }
  }

  /** Appends the rows of the id at `at`. Throws where a run is damaged, which {@link takeDamaged} then names. */
  collect(id: DataView, at: number, found: PackRows): void {
    for (const run of this.#runs) this.#noting(run, () => run.collect(id, at, found))
  }

  /** As {@link collect}, of one run alone, the smallest that has the id: each run asked costs the reading of a page. */
  collectFirst(id: DataView, at: number, found: PackRows): void {
    const before = found.count
    for (const run of this.#runs) {
      this.#noting(run, () => run.collect(id, at, found))
      if (found.count > before) return
    }
  }

  /** Cursors from the first row whose id is not before this one. They throw as {@link collect} does. */
  cursorsFrom(id: DataView): RowCursor[] {
    return this.#runs.map((run) => {
      const cursor = this.#noting(run, () => run.cursorFrom(id, 0))
      const next = cursor.next.bind(cursor)
      cursor.next = () => this.#noting(run, next)
      return cursor
    })
  }

  /** The run that made a search throw, once. */
  takeDamaged(): IndexRun | undefined {
    const run = this.#damaged
    this.#damaged = undefined
    return run
  }

  /** Leaves a run out, to be removed when others cover what it did. False where it was left out already. */
  async discard(run: IndexRun): Promise<boolean> {
    if (!this.#runs.includes(run)) return false
    this.#runs = this.#runs.filter((other) => other !== run)
    this.#obsolete.push(run.path)
    await run.close()
    return true
  }

  /** Writes a run from sorted rows. */
  async write(rows: readonly RowCursor[], stretches: readonly Coverage[]): Promise<void> {
    const run = await this.#write(rows, stretches)
    this.#runs = bySize([run, ...this.#runs])
  }

  /** Merges runs of about one size until there are few. Returns a run that turns out damaged instead of going on. */
  async merge(): Promise<IndexRun | undefined> {
    for (let runs = this.#mergeable(); runs !== undefined; runs = this.#mergeable()) {
      const damaged = await this.#mergeInto(runs)
      if (damaged !== undefined) return damaged
    }
    return undefined
  }

  /** Writes the runs that name segments which are gone anew, without them. Returns a run that turns out damaged. */
  async compact(): Promise<IndexRun | undefined> {
    const stale = this.#runs.filter(({ coverage }) => coverage.some(({ segment }) => !segment.present))
    return stale.length === 0 ? undefined : await this.#mergeInto(stale)
  }

  /** Removes the files that are in the way. */
  async sweep(): Promise<void> {
    await this.#remove(this.#obsolete.splice(0))
  }

  async close(): Promise<void> {
    const runs = this.#runs
    this.#runs = []
    for (const run of runs) await run.close()
  }

  async #names(): Promise<readonly string[]> {
    return this.#fs.list(this.#folder).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return []
      throw readFailed(this.#folder, error)
    })
  }

  /** Whether a temporary file is none that another process may be writing now. */
  async #isAbandoned(path: string): Promise<boolean> {
    return (await this.#fs.modified(path)) < this.#clock().getTime() - ABANDONED_AFTER
  }

  #noting<Result>(run: IndexRun, search: () => Result): Result {
    try {
      return search()
    } catch (error) {
      this.#damaged = run
      throw error
    }
  }

  #mergeable(): readonly IndexRun[] | undefined {
    const tierOf = ({ rows }: IndexRun) => Math.max(0, Math.floor(Math.log(rows / this.#smallest) / Math.log(FAN_IN)))
    return [...Map.groupBy(this.#runs, tierOf).values()].find((runs) => runs.length >= FAN_IN)
  }

  /** Rows of segments that are gone are left out. */
  async #mergeInto(merging: readonly IndexRun[]): Promise<IndexRun | undefined> {
    try {
      const cursors = merging.map((run) => run.cursor())
      const stretches = merging.flatMap(({ coverage }) => coverage).filter(({ segment }) => segment.present)
      const merged = await this.#write(cursors, stretches)
      this.#runs = bySize([...this.#runs.filter((run) => !merging.includes(run)), merged])
    } catch (error) {
      const damaged = merging.find(({ path }) => isVaultError(error, 'CAS_CORRUPT') && error.details.file === path)
      if (damaged === undefined) throw error
      return damaged
    }
    for (const run of merging) await run.close()
    await this.#remove(merging.map(({ path }) => path))
    return undefined
  }

  async #write(rows: readonly RowCursor[], stretches: readonly Coverage[]): Promise<IndexRun> {
    await makeFolder(this.#fs, this.#folder)
    const name = toHex(this.#random(16))
    const path = join(this.#folder, `${name}.idx`)
    await replaceFile(this.#fs, path, join(this.#folder, `${name}.tmp`), (file) => writeRun(file, rows, stretches))
    return IndexRun.open(this.#fs, path, this.#segments, this.#cache)
  }

  /** Another process may have removed them already, or the disk may refuse: they are only in the way. */
  async #remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.#fs.remove(path).catch(() => {})
  }
}

function bySize(runs: readonly IndexRun[]): readonly IndexRun[] {
  return runs.toSorted((a, b) => a.rows - b.rows)
}
