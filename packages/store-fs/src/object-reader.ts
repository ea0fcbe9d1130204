import { setImmediate } from 'node:timers/promises'
import type { CasErrorCode, LentBatch, ReadBatch, ReadBlock } from '@vault/cas'
import {
  PACK_ROW_LENGTH,
  PackRows,
  RECORD_HEADER_LENGTH,
  rowExtra,
  rowOffset,
  rowStored,
  sortRows,
  viewOf,
} from '@vault/cas'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { idBytes, VaultError } from '@vault/core'
import { errorCode, readFully, readFullySync } from './fs.ts'
import type { PackIndex } from './pack-index.ts'
import { PiecePool } from './piece-pool.ts'
import type { Extent } from './read-plan.ts'
import { ReadPlan } from './read-plan.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { Segment } from './segment-table.ts'
import { readRecord } from './stored-record.ts'
import { readFailed } from './system-refusal.ts'

/** Lookups and short reads between two turns of the event loop: about a millisecond where pages are in memory. */
const LOOKUPS_PER_TURN = 512
const READS_PER_TURN = 128

/** Reads up to this length are done at once: a promise costs more than copying them. */
const MAX_SYNC_READ = 64 * 1024

const NONE: ReadonlySet<string> = new Set()

/** What reading every copy of an object gave. */
type Outcome =
  | { readonly type: 'sound'; readonly bytes: Bytes; readonly segment: Segment }
  | { readonly type: 'absent' }
  | { readonly type: 'damaged'; readonly file: string; readonly cause?: unknown }

/** Whether all copies of an object are looked up, or those that come first. */
type Wanted = 'first' | 'all'

type Allocate = (length: number) => Bytes

/** A piece of an answer, and the memory that its blocks lie in. */
interface Piece {
  readonly answer: ReadBatch
  readonly memory: Bytes | undefined
}

/** Finds objects by the index and reads them from the segments, hashing each. */
export class ObjectReader {
  readonly #index: PackIndex
  readonly #files: SegmentFiles
  readonly #pool = new PiecePool()

  constructor(index: PackIndex, files: SegmentFiles) {
    this.#index = index
    this.#files = files
  }

  /** For each id, whether a segment that is there has it, as far as the index tells. */
  async hasMany(ids: readonly ContentId[]): Promise<boolean[]> {
    const held = ids.map(() => false)
    await this.#resolve(ids, 'first', (copies, asked) => {
      held[asked] = copies.length > 0
      return copies.length > 0
    })
    return held
  }

  /** For each id a segment that has a record of it and is none of these; with `check`, a record that is sound and durable. */
  async findElsewhere(
    ids: readonly ContentId[],
    except: ReadonlySet<string>,
    { signal, check = false }: AbortOptions & { readonly check?: boolean } = {},
  ): Promise<readonly (string | undefined)[]> {
    const found: (string | undefined)[] = ids.map(() => undefined)
    await this.#resolve(ids, 'all', (copies, asked) => {
      found[asked] = this.#segmentsOf(copies).find((segment) => !except.has(segment))
      return found[asked] !== undefined
    })
    if (!check) return found
    const open = new Set<string>()
    for (const [i, id] of ids.entries()) {
      if (found[i] === undefined) continue
      signal?.throwIfAborted()
      const outcome = await this.#readCopies(idBytes(id), except)
      found[i] = outcome.type === 'sound' ? outcome.segment.name : undefined
      if (outcome.type === 'sound' && !outcome.segment.sealed) open.add(outcome.segment.name)
    }
    if (open.size > 0) await this.#files.flush(open)
    return found
  }

  async get(id: ContentId): Promise<Bytes | undefined> {
    const outcome = await this.#readAny(idBytes(id))
    if (outcome.type === 'sound') return outcome.bytes
    if (outcome.type === 'absent') return undefined
    throw new VaultError<CasErrorCode>({
      code: 'CAS_CORRUPT',
      message: `No sound copy of ${id}: the one in ${outcome.file} is damaged. Store the object again from another place.`,
      details: { id, file: outcome.file },
      cause: outcome.cause,
    })
  }

  /** Answers one batch in pieces, in the order in which the objects lie. */
  async *getBatch(ids: readonly ContentId[], options?: AbortOptions): AsyncGenerator<ReadBatch> {
    for await (const { answer } of this.#answer(ids, (length) => new Uint8Array(length), options)) yield answer
  }

  /** As {@link getBatch}, in memory that is used again. */
  async *lendBatch(ids: readonly ContentId[], options?: AbortOptions): AsyncGenerator<LentBatch> {
    const allocate = (length: number) => this.#pool.take(length)
    for await (const { answer, memory } of this.#answer(ids, allocate, options)) {
      let lent = memory
      const release = () => {
        if (lent !== undefined) this.#pool.give(lent)
        lent = undefined
      }
      yield { ...answer, release }
    }
  }

  async *#answer(
    ids: readonly ContentId[],
    allocate: Allocate,
    options: AbortOptions | undefined,
  ): AsyncGenerator<Piece> {
    const plan = new ReadPlan()
    const absent = await this.#resolve(ids, 'first', (copies, asked) => {
      if (copies.length > 0) plan.add(copies.subarray(0, PACK_ROW_LENGTH), asked)
      return copies.length > 0
    })
    const pieces = plan.pieces()
    const read = (i: number) =>
      i < pieces.length ? this.#readPiece(pieces[i] as readonly Extent[], allocate) : undefined
    let reading = read(0)
    if (reading === undefined) yield { answer: { blocks: [], absent, damaged: [] }, memory: undefined }
    try {
      for (let i = 0; reading !== undefined; i++) {
        options?.signal?.throwIfAborted()
        const bytes: Bytes = await reading
        // The next piece is read while this one is hashed and used.
        reading = read(i + 1)
        reading?.catch(() => {})
        const answer = await this.#checkPiece(plan, pieces[i] as readonly Extent[], bytes, ids, i === 0 ? absent : [])
        yield { answer, memory: bytes }
      }
    } finally {
      await reading?.catch(() => {})
    }
  }

  /**
   * Looks up every id, a second time where its copies are not what `find` looks for, because others may have written one since; returns
   * those where they are not then, either.
   */
  async #resolve(
    ids: readonly ContentId[],
    wanted: Wanted,
    find: (copies: Bytes, asked: number) => boolean,
  ): Promise<readonly ContentId[]> {
    const asked = new PackRows()
    for (const [i, id] of ids.entries()) asked.append(idBytes(id), 0, 0, i)
    // By id, so that the pages of the index come one after the other.
    let requests = await this.#lookUp(sortRows(asked.bytes), wanted, find)
    if (requests.length > 0) {
      await this.#index.refresh()
      requests = await this.#lookUp(requests, wanted, find)
    }
    const view = viewOf(requests)
    return Array.from(
      { length: requests.length / PACK_ROW_LENGTH },
      (_, i) => ids[rowExtra(view, i * PACK_ROW_LENGTH)] as ContentId,
    )
  }

  /** Calls `find` for each request with the rows of its copies; returns those that it does not find. */
  async #lookUp(requests: Bytes, wanted: Wanted, find: (copies: Bytes, asked: number) => boolean): Promise<Bytes> {
    const view = viewOf(requests)
    const missing = new PackRows()
    const copies = new PackRows()
    for (let at = 0; at < requests.length; ) {
      const to = Math.min(requests.length, at + LOOKUPS_PER_TURN * PACK_ROW_LENGTH)
      // Repeated from where it stopped when a run turns out damaged.
      await this.#index.search(() => {
        for (; at < to; at += PACK_ROW_LENGTH) {
          copies.clear()
          if (wanted === 'all') this.#index.collect(view, at, copies)
          else this.#index.collectFirst(view, at, copies)
          if (!find(copies.bytes, rowExtra(view, at))) missing.appendAll(requests.subarray(at, at + PACK_ROW_LENGTH))
        }
      })
      if (at < requests.length) await setImmediate()
    }
    return missing.bytes
  }

  /** The bytes of a piece, extent after extent; zeros where a file is gone or shorter, which then is no record. */
  async #readPiece(piece: readonly Extent[], allocate: Allocate): Promise<Bytes> {
    const bytes = allocate(piece.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    let reads = 0
    for (let i = 0; i < piece.length; ) {
      const { segment } = piece[i] as Extent
      const known = this.#index.segments.numbered(segment)
      let end = i
      while (piece[end]?.segment === segment) end += 1
      const extents = piece.slice(i, end)
      const start = at
      const stop = start + extents.reduce((sum, { length }) => sum + length, 0)
      try {
        await this.#files.use(known.name, async (file) => {
          for (const { offset, length } of extents) {
            const into = bytes.subarray(at, at + length)
            at += length
            const got = length > MAX_SYNC_READ ? await readFully(file, into, offset) : readFullySync(file, into, offset)
            into.fill(0, got)
            if (++reads % READS_PER_TURN === 0) await setImmediate()
          }
        })
      } catch (error) {
        if (errorCode(error) === 'ENOENT') known.present = false
        else if (errorCode(error) !== 'EIO') throw readFailed(this.#files.path(known.name), error)
        bytes.fill(0, start, stop)
      }
      at = stop
      i = end
    }
    return bytes
  }

  async #checkPiece(
    plan: ReadPlan,
    piece: readonly Extent[],
    bytes: Bytes,
    ids: readonly ContentId[],
    absentBefore: readonly ContentId[],
  ): Promise<ReadBatch> {
    const view = viewOf(bytes)
    const blocks: ReadBlock[] = []
    const absent = [...absentBefore]
    const damaged: ContentId[] = []
    let start = 0
    for (const extent of piece) {
      const file = this.#files.path(this.#index.segments.numbered(extent.segment).name)
      for (let row = extent.first; row < extent.last; row++) {
        const place = plan.at(row)
        const id = ids[place.asked] as ContentId
        const content = readRecord(bytes, view, start + place.offset - extent.offset, { ...place, file })
        if (content !== undefined) {
          blocks.push({ id, bytes: content })
          continue
        }
        const outcome = await this.#readAny(place.id)
        if (outcome.type === 'sound') blocks.push({ id, bytes: outcome.bytes })
        else if (outcome.type === 'absent') absent.push(id)
        else damaged.push(id)
      }
      start += extent.length
    }
    return { blocks, absent, damaged }
  }

  /** The segment of each row. */
  #segmentsOf(copies: Bytes): string[] {
    const view = viewOf(copies)
    return Array.from(
      { length: copies.length / PACK_ROW_LENGTH },
      (_, i) => this.#index.segments.numbered(rowExtra(view, i * PACK_ROW_LENGTH)).name,
    )
  }

  /** The rows of all copies in segments that are there. */
  async #copies(id: Bytes): Promise<PackRows> {
    const view = viewOf(id)
    return this.#index.search(() => {
      const found = new PackRows()
      this.#index.collect(view, 0, found)
      return found
    })
  }

  /** Reads copy after copy until one is sound; where none is, looks once for what other processes have changed. */
  async #readAny(id: Bytes): Promise<Outcome> {
    const first = await this.#readCopies(id)
    if (first.type === 'sound') return first
    await this.#index.refresh()
    return this.#readCopies(id)
  }

  async #readCopies(id: Bytes, except: ReadonlySet<string> = NONE): Promise<Outcome> {
    const rows = (await this.#copies(id)).bytes
    const view = viewOf(rows)
    let outcome: Outcome = { type: 'absent' }
    for (let at = 0; at < rows.length; at += PACK_ROW_LENGTH) {
      const segment = this.#index.segments.numbered(rowExtra(view, at))
      if (except.has(segment.name)) continue
      const file = this.#files.path(segment.name)
      const stored = rowStored(view, at)
      const record = new Uint8Array(RECORD_HEADER_LENGTH + stored)
      try {
        await this.#files.use(segment.name, (open) => readFully(open, record, rowOffset(view, at)))
        const bytes = readRecord(record, viewOf(record), 0, { id, stored, file })
        if (bytes !== undefined) return { type: 'sound', bytes, segment }
        outcome = { type: 'damaged', file }
      } catch (error) {
        if (errorCode(error) === 'ENOENT') segment.present = false
        else if (errorCode(error) === 'EIO') outcome = { type: 'damaged', file, cause: error }
        else throw readFailed(file, error)
      }
    }
    return outcome
  }
}
