import { compareIdsAt, crc32, PACK_ROW_LENGTH, rowOffset, viewOf } from '@vault/cas'
import type { Bytes } from '@vault/core'
import { concatBytes } from '@vault/core'
import type { Coverage } from './coverage.ts'
import { joinCoverage } from './coverage.ts'
import type { FsFile } from './fs.ts'
import { writeFully } from './fs.ts'
import {
  encodeCoverage,
  encodeIndexFooter,
  encodeIndexHeader,
  FENCE_LENGTH,
  INDEX_HEADER_LENGTH,
  INDEX_PAGE_LENGTH,
  ROWS_PER_PAGE,
  sealPage,
} from './index-format.ts'
import type { RowCursor } from './row-cursor.ts'
import { MergedCursors } from './row-cursor.ts'

/** Pages for one write: 1 MiB. */
const PAGES_PER_WRITE = 128

/**
 * Writes a run from sorted sources, in memory that does not grow with their rows but for one id in 157. Rows that two
 * sources have are written once; the stretches are joined.
 */
export async function writeRun(
  file: FsFile,
  sources: readonly RowCursor[],
  stretches: Iterable<Coverage>,
): Promise<void> {
  const writer = new RunWriter(file, joinCoverage(stretches))
  const cursors = new MergedCursors(sources)
  await writer.start()
  for (let row = cursors.least; row !== undefined; row = cursors.least) {
    writer.add(row)
    if (writer.full) await writer.flush()
    cursors.next(row)
  }
  await writer.finish()
}

class RunWriter {
  readonly #file: FsFile
  readonly #coverage: readonly Coverage[]
  readonly #counts: Uint32Array
  /** Places in the coverage by segment number. */
  readonly #ordinals = new Map<number, number[]>()
  readonly #pages: Bytes = new Uint8Array(PAGES_PER_WRITE * INDEX_PAGE_LENGTH)
  readonly #view: DataView = viewOf(this.#pages)
  readonly #fences: Bytes[] = []
  #position = INDEX_HEADER_LENGTH
  /** Rows in the pages not yet written. */
  #pending = 0
  #rows = 0
  /** The id written last and where its copies lie. */
  readonly #last: Bytes = new Uint8Array(FENCE_LENGTH)
  readonly #lastView: DataView = viewOf(this.#last)
  #first: { readonly segment: number; readonly offset: number } | undefined
  readonly #others = new Set<string>()

  constructor(file: FsFile, coverage: readonly Coverage[]) {
    this.#file = file
    this.#coverage = coverage
    this.#counts = new Uint32Array(coverage.length)
    for (const [ordinal, { segment }] of coverage.entries()) {
      const known = this.#ordinals.get(segment.number)
      if (known === undefined) this.#ordinals.set(segment.number, [ordinal])
      else known.push(ordinal)
    }
  }

  get full(): boolean {
    return this.#pending === PAGES_PER_WRITE * ROWS_PER_PAGE
  }

  start(): Promise<void> {
    return writeFully(this.#file, encodeIndexHeader(), 0)
  }

  add(row: RowCursor): void {
    const offset = rowOffset(row.view, row.at)
    const ordinal = this.#ordinal(row.segment, offset)
    // A row outside its stretches would be counted nowhere; whoever reads this run finds the object by the segment.
    if (ordinal === undefined || this.#repeats(row, offset)) return
    const page = Math.floor(this.#pending / ROWS_PER_PAGE) * INDEX_PAGE_LENGTH
    const at = page + (this.#pending % ROWS_PER_PAGE) * PACK_ROW_LENGTH
    for (let i = 0; i < PACK_ROW_LENGTH - 4; i += 4) this.#view.setUint32(at + i, row.view.getUint32(row.at + i))
    this.#view.setUint32(at + PACK_ROW_LENGTH - 4, ordinal)
    this.#counts[ordinal] = (this.#counts[ordinal] as number) + 1
    this.#pending += 1
  }

  /** Writes the pages so far. */
  async flush(): Promise<void> {
    const count = Math.ceil(this.#pending / ROWS_PER_PAGE)
    const fences = new Uint8Array(count * FENCE_LENGTH)
    for (let i = 0; i < count; i++) {
      const page = this.#pages.subarray(i * INDEX_PAGE_LENGTH, (i + 1) * INDEX_PAGE_LENGTH)
      sealPage(page)
      fences.set(page.subarray(0, FENCE_LENGTH), i * FENCE_LENGTH)
    }
    this.#fences.push(fences)
    await this.#write(this.#pages.subarray(0, count * INDEX_PAGE_LENGTH))
    this.#pages.fill(0)
    this.#rows += this.#pending
    this.#pending = 0
  }

  async finish(): Promise<void> {
    if (this.#pending > 0) await this.flush()
    const fences = concatBytes(...this.#fences)
    const coverage = encodeCoverage(
      this.#coverage.map(({ segment, ...stretch }, i) => ({
        ...stretch,
        name: segment.name,
        count: this.#counts[i] as number,
      })),
    )
    const footer = encodeIndexFooter({
      rows: this.#rows,
      coverage: this.#coverage.length,
      fencesCrc: crc32(fences),
      coverageCrc: crc32(coverage),
    })
    await this.#write(concatBytes(fences, coverage, footer))
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await writeFully(this.#file, bytes, this.#position)
    this.#position += bytes.length
  }

  #ordinal(segment: number, offset: number): number | undefined {
    const ordinals = this.#ordinals.get(segment)
    return ordinals?.find((ordinal) => {
      const { start, end } = this.#coverage[ordinal] as Coverage
      return start <= offset && offset < end
    })
  }

  /** Whether this very row has been written already. Two sources have it where two processes indexed one segment. */
  #repeats(row: RowCursor, offset: number): boolean {
    const place = { segment: row.segment, offset }
    if (this.#first === undefined || compareIdsAt(this.#lastView, 0, row.view, row.at) !== 0) {
      this.#last.set(row.bytes.subarray(row.at, row.at + FENCE_LENGTH))
      this.#first = place
      this.#others.clear()
      return false
    }
    const name = `${place.segment}:${offset}`
    if (this.#first.segment === place.segment && this.#first.offset === offset) return true
    if (this.#others.has(name)) return true
    this.#others.add(name)
    return false
  }
}
