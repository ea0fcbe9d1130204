import type { PackRows } from '@vault/cas'
import { viewOf } from '@vault/cas'
import type { Bytes, Clock, Random } from '@vault/core'
import { equalBytes } from '@vault/core'
import type { Coverage } from './coverage.ts'
import { applyCoverage, joinCoverage } from './coverage.ts'
import type { Fs } from './fs.ts'
import type { IndexRun } from './index-run.ts'
import { IndexRuns } from './index-runs.ts'
import { arrayCursor, arrayCursorFrom, MergedCursors } from './row-cursor.ts'
import { RowTable } from './row-table.ts'
import { readNewRows } from './segment-catch-up.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { Segment } from './segment-table.ts'
import { SegmentTable } from './segment-table.ts'

/** So many times the rows that make a run may wait in memory; beyond that nothing is written before a run could be. */
const MAX_WAITING = 4
/** A session that leaves less than this unindexed leaves it to the next one: reading some trailers is cheap. */
const MIN_ROWS = 4096
const MIN_SEGMENTS = 64

interface IndexParts {
  readonly fs: Fs
  readonly files: SegmentFiles
  readonly folder: string
  readonly random: Random
  readonly clock: Clock
  readonly writes: boolean
  /** Rows in memory that become a run. */
  readonly tableRows: number
}

/** Rows in memory and what they cover. */
interface Level {
  readonly table: RowTable
  readonly stretches: Coverage[]
}

/**
 * Where every object lies: rows of this session in memory, older ones in sorted runs on disk that are merged as they
 * grow in number. All of it is derived: what the runs do not cover is read from the segments.
 */
export class PackIndex {
  readonly segments: SegmentTable = new SegmentTable()
  readonly #files: SegmentFiles
  readonly #random: Random
  readonly #writes: boolean
  readonly #tableRows: number
  readonly #runs: IndexRuns
  #level: Level
  /** Rows being written to a run, or waiting for another try. */
  #frozen: Level | undefined
  /** The last of the changes to runs and coverage, which happen one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  #refresh: Promise<void> | undefined
  #maintenance: Promise<void> | undefined

  private constructor(parts: IndexParts) {
    this.#files = parts.files
    this.#random = parts.random
    this.#writes = parts.writes
    this.#tableRows = parts.tableRows
    this.#runs = new IndexRuns({ ...parts, segments: this.segments, smallest: parts.tableRows })
    this.#level = this.#emptyLevel()
  }

  /** Reads the runs, and the segments as far as no run covers them. Throws `CAS_FORMAT` where a newer version wrote one. */
  static async open(parts: IndexParts): Promise<PackIndex> {
    const index = new PackIndex(parts)
    try {
      await index.#runs.load()
      index.#applyCoverage()
      await index.refresh()
    } catch (error) {
      await index.#runs.close()
      throw error
    }
    if (index.#worthWriting) await index.maintain().catch(() => {})
    return index
  }

  /** Rows that are durable in a segment, and the stretch that they fill, which begins where the known one ends. */
  add(stretch: Coverage, rows: Uint8Array): void {
    const { table, stretches } = this.#level
    table.add(rows, stretch.segment.number)
    const last = stretches.at(-1)
    const joined = last === undefined ? [stretch] : joinCoverage([last, stretch])
    stretches.splice(-1, 1, ...joined)
    stretch.segment.covered = stretch.end
    stretch.segment.sealed = stretch.sealed
  }

  /** Notes that nothing will follow in a segment of this session. */
  sealed(segment: Segment, end: number): void {
    this.add({ segment, start: end, end, sealed: true }, new Uint8Array(0))
  }

  /** Whether rows should be written to a run before more are added. */
  get full(): boolean {
    return this.#level.table.count >= this.#tableRows
  }

  /** Whether so many rows wait in memory that nothing may be added before a run is written. */
  get overfull(): boolean {
    return this.#level.table.count + (this.#frozen?.table.count ?? 0) >= MAX_WAITING * this.#tableRows
  }

  /** Appends the rows of the id at `at` that lie in segments the folder has. Only inside {@link search}. */
  collect(id: DataView, at: number, found: PackRows): void {
    this.#level.table.collect(id, at, found)
    this.#frozen?.table.collect(id, at, found)
    this.#runs.collect(id, at, found)
  }

  /** As {@link collect}, from the first of what it asks that has the id: for whoever needs one copy, and looks further only where that one is damaged. */
  collectFirst(id: DataView, at: number, found: PackRows): void {
    const before = found.count
    this.#level.table.collect(id, at, found)
    if (found.count === before) this.#frozen?.table.collect(id, at, found)
    if (found.count === before) this.#runs.collectFirst(id, at, found)
  }

  /** The next ids, 36 bytes each, strictly after this one, at most `limit`. Only inside {@link search}. */
  page(after: Uint8Array, limit: number): Bytes {
    const view = viewOf(after)
    const tables = this.#levels.map(({ table }) => arrayCursorFrom(table.sorted(), view))
    const merged = new MergedCursors([...tables, ...this.#runs.cursorsFrom(view)])
    const ids = new Uint8Array(limit * 36)
    let length = 0
    let last = after
    for (let row = merged.least; row !== undefined && length < ids.length; row = merged.least) {
      const id = row.bytes.subarray(row.at, row.at + 36)
      if (this.segments.numbered(row.segment).present && !equalBytes(id, last)) {
        ids.set(id, length)
        last = ids.subarray(length, length + 36)
        length += 36
      }
      merged.next(row)
    }
    return ids.subarray(0, length)
  }

  /** Runs a search; where it meets a damaged run, leaves that one out, reads what it covered from the segments and searches again. */
  async search<Result>(search: () => Result): Promise<Result> {
    for (;;) {
      try {
        return search()
      } catch (error) {
        const run = this.#runs.takeDamaged()
        if (run === undefined) throw error
        await this.#exclusively(() => this.#discard(run))
      }
    }
  }

  /** Looks for what other processes have written since. */
  refresh(): Promise<void> {
    // Whoever asks while one waits for its turn shares it; one that has begun may have missed what they look for.
    this.#refresh ??= this.#exclusively(async () => {
      this.#refresh = undefined
      await this.#catchUp()
    })
    return this.#refresh
  }

  /** Writes the rows in memory to a run and merges runs. Rejects with the system's error; nothing is lost then. */
  maintain(): Promise<void> {
    this.#maintenance ??= this.#exclusively(() => this.#tidy()).finally(() => {
      this.#maintenance = undefined
    })
    return this.#maintenance
  }

  /** Lets the runs say no more of segments that are gone. Rejects with the system's error; nothing is lost then. */
  async forgetAbsent(): Promise<void> {
    await this.refresh()
    await this.#exclusively(async () => {
      await this.#tidy()
      const damaged = await this.#runs.compact()
      if (damaged !== undefined) await this.#discard(damaged)
    })
  }

  /** Ends the session. An index that cannot be written is no failure: the next session reads the segments. */
  async close(): Promise<void> {
    if (this.#worthWriting) await this.maintain().catch(() => {})
    await this.#last
    await this.#runs.close()
  }

  get #levels(): readonly Level[] {
    return this.#frozen === undefined ? [this.#level] : [this.#level, this.#frozen]
  }

  get #worthWriting(): boolean {
    const { table, stretches } = this.#level
    const segments = new Set(stretches.map(({ segment }) => segment)).size
    const enough = table.count >= Math.min(MIN_ROWS, this.#tableRows) || segments >= MIN_SEGMENTS
    return this.#writes && (enough || this.#runs.hasObsolete)
  }

  #emptyLevel(): Level {
    const seed = this.#random(4).reduce((number, byte) => (number << 8) | byte, 0)
    return { table: new RowTable(this.segments, seed), stretches: [] }
  }

  #exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(run)
    this.#last = result.catch(() => {})
    return result
  }

  /** Sets how far each segment is covered, after runs or levels have been taken away or have come. */
  #applyCoverage(): void {
    const stretches = this.#levels.flatMap((level) => level.stretches)
    applyCoverage(this.segments.all(), [...this.#runs.coverage, ...stretches])
    for (const segment of this.segments.all()) segment.seen = 0
  }

  async #catchUp(): Promise<void> {
    await this.#followRuns()
    const names = new Set(await this.#files.list())
    for (const segment of this.segments.all()) {
      const present = names.delete(segment.name)
      if (segment.present && !present) await this.#files.forget(segment.name)
      segment.present = present
    }
    for (const name of names) this.segments.named(name).present = true
    for (const segment of this.segments.all()) {
      if (!segment.present || segment.own || segment.sealed) continue
      await readNewRows(this.#files, segment, (stretch, rows) => this.add(stretch, rows))
      // Where no run can be written the rows stay in memory: whoever only looks something up is not refused.
      if (this.#writes && this.full) await this.#tidy().catch(() => {})
    }
  }

  /** Takes the runs that other processes have written or merged since instead of those that are gone. */
  async #followRuns(): Promise<void> {
    const { added, gone } = await this.#runs.load()
    if (!added && gone.length === 0) return
    // A session that cannot write runs lets those of the writers take the place of its rows in memory.
    if (!this.#writes && this.full) this.#level = this.#emptyLevel()
    this.#applyCoverage()
    for (const { segment, end } of gone) if (segment.covered < end) segment.own = false
  }

  async #discard(run: IndexRun): Promise<void> {
    if (!(await this.#runs.discard(run))) return
    // What it alone told of this session's own segments is read back as if others had written it.
    for (const { segment } of run.coverage) segment.own = false
    this.#applyCoverage()
    await this.#catchUp()
  }

  async #tidy(): Promise<void> {
    if (!this.#writes) return
    if (this.#frozen === undefined && this.#level.stretches.length > 0) {
      this.#frozen = this.#level
      this.#level = this.#emptyLevel()
    }
    if (this.#frozen !== undefined) {
      const { table, stretches } = this.#frozen
      await this.#runs.write([arrayCursor(table.sorted())], stretches)
      this.#frozen = undefined
    }
    await this.#runs.sweep()
    const damaged = await this.#runs.merge()
    if (damaged !== undefined) await this.#discard(damaged)
  }
}
