import {
  appendGroupEnd,
  encodeSegmentHeader,
  encodeTrailer,
  PackRows,
  SEGMENT_HEADER_LENGTH,
  SEGMENT_NAME_LENGTH,
  segmentSeed,
  TRAILER_FOOTER_LENGTH,
} from '@vault/cas'
import type { Random } from '@vault/core'
import { toHex } from '@vault/core'
import type { BatchEncoder } from './batch-encoder.ts'
import { makeFolder } from './durable.ts'
import type { Fs, FsFile } from './fs.ts'
import { writeFully } from './fs.ts'
import type { PackIndex } from './pack-index.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { Segment } from './segment-table.ts'

/** A segment is sealed at the first group's end behind either: its trailer then has at most some 13 MiB. */
const MAX_SEGMENT_LENGTH = 256 * 1024 * 1024
const MAX_SEGMENT_ROWS = 262_144

interface OpenSegment {
  readonly segment: Segment
  readonly file: FsFile
  readonly seed: number
  readonly rows: PackRows
  /** End of the last acknowledged group. */
  length: number
}

/**
 * Appends groups to a segment of its own, one after the other: a group is written only when the one before it is on
 * stable storage, so that after a crash only the last one can be torn. A segment with a failed write is never used again.
 */
export class SegmentWriter {
  readonly folder: string
  readonly #fs: Fs
  readonly #files: SegmentFiles
  readonly #index: PackIndex
  readonly #random: Random
  readonly #isCondemned: (segment: string) => Promise<boolean>
  #open: OpenSegment | undefined

  constructor(parts: {
    fs: Fs
    folder: string
    files: SegmentFiles
    index: PackIndex
    random: Random
    /** Asked of the segment before a further group goes into it. */
    isCondemned: (segment: string) => Promise<boolean>
  }) {
    this.#fs = parts.fs
    this.folder = parts.folder
    this.#files = parts.files
    this.#index = parts.index
    this.#random = parts.random
    this.#isCondemned = parts.isCondemned
  }

  /** Writes one group and resolves to the segment's name when it is durable. Calls must not overlap. Rejects with the system's error. */
  async append(batch: BatchEncoder): Promise<string> {
    // One that is condemned would take bytes that no change may rely on.
    if (this.#open !== undefined && (await this.#isCondemned(this.#open.segment.name))) await this.seal()
    const open = this.#open ?? (await this.#create())
    this.#open = undefined
    try {
      const end = await this.#writeGroup(open, batch)
      await open.file.datasync()
      const rows = batch.placedAt(open.length)
      open.rows.appendAll(rows)
      this.#index.add({ segment: open.segment, start: open.length, end, sealed: false }, rows)
      open.length = end
    } catch (error) {
      // What reached the disk has no group end that was flushed: readers pass it over, and nobody appends behind it.
      await open.file.close().catch(() => {})
      throw error
    }
    this.#open = open
    if (open.length >= MAX_SEGMENT_LENGTH || open.rows.count >= MAX_SEGMENT_ROWS) await this.seal()
    return open.segment.name
  }

  /**
   * Writes the trailer, after which the segment never changes. Where that fails the segment stays without:
   * its objects are durable and are found by reading it, so nobody is told.
   */
  async seal(): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    try {
      const trailer = encodeTrailer(open.rows.bytes, open.seed, open.length)
      const footer = trailer.length - TRAILER_FOOTER_LENGTH
      await writeFully(open.file, trailer.subarray(0, footer), open.length)
      await open.file.datasync()
      await writeFully(open.file, trailer.subarray(footer), open.length + footer)
      await open.file.datasync()
      this.#index.sealed(open.segment, open.length)
    } catch {
      // As said above.
    } finally {
      await open.file.close().catch(() => {})
    }
  }

  async #create(): Promise<OpenSegment> {
    await makeFolder(this.#fs, this.folder)
    const name = this.#random(SEGMENT_NAME_LENGTH)
    const segment = this.#index.segments.named(toHex(name))
    segment.own = true
    const file = await this.#fs.open(this.#files.path(segment.name), 'create')
    try {
      await this.#fs.syncDir(this.folder)
      await writeFully(file, encodeSegmentHeader(name), 0)
    } catch (error) {
      await file.close().catch(() => {})
      throw error
    }
    segment.present = true
    return { segment, file, seed: segmentSeed(name), rows: new PackRows(), length: SEGMENT_HEADER_LENGTH }
  }

  /** Encodes the next buffer while the last one is being written. Resolves to the group's end. */
  async #writeGroup(open: OpenSegment, batch: BatchEncoder): Promise<number> {
    let position = open.length
    let writing: Promise<void> = Promise.resolve()
    for (let buffer = batch.take(); buffer !== undefined; buffer = batch.take()) {
      await writing
      if (batch.finished) appendGroupEnd(buffer, batch.group, open.seed, position + buffer.length)
      writing = batch.write(buffer, open.file, position)
      // Awaited in the next round, where it may already have failed.
      writing.catch(() => {})
      position += buffer.length
    }
    await writing
    return position
  }
}
