import type { CasErrorCode } from '@vault/cas'
import { compareIdsAt, crc32, idKey, PACK_ROW_LENGTH, type PackRows, rowOffset, rowStored, viewOf } from '@vault/cas'
import { VaultError } from '@vault/core'
import type { Coverage } from './coverage.ts'
import type { Fs, FsFile } from './fs.ts'
import { readFully, readFullySync } from './fs.ts'
import type { NamedCoverage } from './index-format.ts'
import {
  COVERAGE_LENGTH,
  checkIndexHeader,
  FENCE_LENGTH,
  INDEX_FOOTER_LENGTH,
  INDEX_HEADER_LENGTH,
  INDEX_PAGE_LENGTH,
  isPageSound,
  parseCoverage,
  parseIndexFooter,
  ROWS_PER_PAGE,
} from './index-format.ts'
import type { IndexPage, IndexPageCache } from './index-page-cache.ts'
import { RowCursor } from './row-cursor.ts'
import { MAX_COPIES } from './row-table.ts'
import type { Segment, SegmentTable } from './segment-table.ts'

/** One sorted file of index rows, read page by page. Only its fences, one id for each page, and its coverage are in memory. */
export class IndexRun {
  readonly path: string
  readonly rows: number
  readonly coverage: readonly Coverage[]
  readonly named: readonly NamedCoverage[]
  readonly #file: FsFile
  readonly #cache: IndexPageCache
  readonly #serial: number
  readonly #fences: DataView
  /** The fences as numbers that sort as they do, for the first steps of a search. */
  readonly #keys: Float64Array

  private constructor(
    path: string,
    file: FsFile,
    rows: number,
    named: readonly NamedCoverage[],
    fences: Uint8Array,
    segments: SegmentTable,
    cache: IndexPageCache,
  ) {
    this.path = path
    this.rows = rows
    this.named = named
    this.coverage = named.map(({ name, ...stretch }) => ({ ...stretch, segment: segments.named(name) }))
    this.#file = file
    this.#cache = cache
    this.#serial = cache.enrol()
    this.#fences = viewOf(fences)
    this.#keys = Float64Array.from({ length: fences.length / FENCE_LENGTH }, (_, page) =>
      idKey(this.#fences, page * FENCE_LENGTH),
    )
  }

  /** Opens a run and checks all of it but its pages. Throws `CAS_CORRUPT`, and `CAS_FORMAT` where a newer version wrote it. */
  static async open(fs: Fs, path: string, segments: SegmentTable, cache: IndexPageCache): Promise<IndexRun> {
    const file = await fs.open(path, 'read')
    try {
      const size = await file.size()
      const read = async (position: number, length: number) => {
        const bytes = new Uint8Array(length)
        return bytes.subarray(0, await readFully(file, bytes, position))
      }
      const header = await read(0, INDEX_HEADER_LENGTH)
      const end = size - INDEX_FOOTER_LENGTH
      const footer = checkIndexHeader(header, path)
        ? parseIndexFooter(await read(Math.max(0, end), INDEX_FOOTER_LENGTH), size)
        : undefined
      if (footer === undefined) throw damagedIndex(path, 'header or footer')
      const coverageStart = end - footer.coverage * COVERAGE_LENGTH
      const pages = Math.ceil(footer.rows / ROWS_PER_PAGE)
      const fencesStart = INDEX_HEADER_LENGTH + pages * INDEX_PAGE_LENGTH
      const coverage = await read(coverageStart, end - coverageStart)
      const fences = await read(fencesStart, coverageStart - fencesStart)
      if (crc32(coverage) !== footer.coverageCrc) throw damagedIndex(path, 'coverage')
      if (crc32(fences) !== footer.fencesCrc) throw damagedIndex(path, 'fences')
      return new IndexRun(path, file, footer.rows, parseCoverage(coverage), fences, segments, cache)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get pages(): number {
    return this.#keys.length
  }

  /** Appends every row of the id at `at` that lies in a segment the folder has to `found`, with the session's number of it. Throws `CAS_CORRUPT`. */
  collect(id: DataView, at: number, found: PackRows): void {
    let row = this.seek(id, at)
    for (let copies = 0; row < this.rows && copies < MAX_COPIES; row++) {
      const { bytes, view } = this.page(Math.floor(row / ROWS_PER_PAGE))
      const place = (row % ROWS_PER_PAGE) * PACK_ROW_LENGTH
      if (compareIdsAt(view, place, id, at) !== 0) return
      const { number, present } = this.segmentAt(view, place)
      if (!present) continue
      found.append(bytes.subarray(place, place + 36), rowOffset(view, place), rowStored(view, place), number)
      copies++
    }
  }

  /** Number of the first row whose id is not before the one at `at`. Throws `CAS_CORRUPT`. */
  seek(id: DataView, at: number): number {
    const key = idKey(id, at)
    // The last page whose first id is before this one: equal ids may begin at the end of the page before.
    let low = -1
    let high = this.#keys.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      const fence = this.#keys[middle] as number
      const before = fence < key || (fence === key && compareIdsAt(this.#fences, middle * FENCE_LENGTH, id, at) < 0)
      if (before) low = middle
      else high = middle
    }
    if (low < 0) return 0
    const { view } = this.page(low)
    const first = low * ROWS_PER_PAGE
    let from = 0
    let to = Math.min(ROWS_PER_PAGE, this.rows - first)
    while (from < to) {
      const middle = (from + to) >>> 1
      const place = middle * PACK_ROW_LENGTH
      const rowKey = idKey(view, place)
      if (rowKey < key || (rowKey === key && compareIdsAt(view, place, id, at) < 0)) from = middle + 1
      else to = middle
    }
    return first + from
  }

  /** A page, read and checked where it is not in memory. Throws `CAS_CORRUPT`. */
  page(page: number): IndexPage {
    return this.#cache.get(this.#serial, page) ?? this.#cache.keep(this.#serial, page, this.readPage(page))
  }

  /** A page past the cache, for whoever reads them all once. Throws `CAS_CORRUPT`. */
  readPage(page: number): Uint8Array {
    const bytes = new Uint8Array(INDEX_PAGE_LENGTH)
    const length = readFullySync(this.#file, bytes, INDEX_HEADER_LENGTH + page * INDEX_PAGE_LENGTH)
    if (length === bytes.length && isPageSound(bytes, viewOf(bytes))) return bytes
    throw damagedIndex(this.path, `page ${page}, offset ${INDEX_HEADER_LENGTH + page * INDEX_PAGE_LENGTH}`)
  }

  /** All rows in order, read past the cache. Its `next` throws `CAS_CORRUPT`. */
  cursor(): RowCursor {
    return new RowCursor(this.#blocks(0), (view, at) => this.segmentAt(view, at).number)
  }

  /** The rows from the first whose id is not before the one at `at`. Throws `CAS_CORRUPT`. */
  cursorFrom(id: DataView, at: number): RowCursor {
    return new RowCursor(this.#blocks(this.seek(id, at)), (view, place) => this.segmentAt(view, place).number)
  }

  *#blocks(from: number): Generator<Uint8Array> {
    for (let row = from; row < this.rows; row += ROWS_PER_PAGE - (row % ROWS_PER_PAGE)) {
      const page = Math.floor(row / ROWS_PER_PAGE)
      const rows = Math.min(ROWS_PER_PAGE, this.rows - page * ROWS_PER_PAGE)
      yield this.readPage(page).subarray((row % ROWS_PER_PAGE) * PACK_ROW_LENGTH, rows * PACK_ROW_LENGTH)
    }
  }

  /** The segment that a row of this run lies in. */
  segmentAt(view: DataView, at: number): Segment {
    const stretch = this.coverage[view.getUint32(at + 48)]
    if (stretch === undefined) throw damagedIndex(this.path, 'a row of no segment')
    return stretch.segment
  }

  /** Whether the fence of a page is the id of its first row. */
  isFenced(page: number, view: DataView): boolean {
    return compareIdsAt(this.#fences, page * FENCE_LENGTH, view, 0) === 0
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

function damagedIndex(path: string, part: string): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `The index file ${path} is damaged (${part}). It is derived: objects are found by reading the segments, and the next writer replaces it.`,
    details: { file: path },
  })
}
