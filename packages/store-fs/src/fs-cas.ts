import { join } from 'node:path'
import type {
  BatchAck,
  Block,
  CasErrorCode,
  ContentStore,
  LendingCas,
  LentBatch,
  PlacingCas,
  ReadBatch,
  ReclaimableCas,
  ReopenableCas,
  ScrubbableCas,
  ScrubStep,
  StoredRecord,
  StoredSegment,
} from '@vault/cas'
import { checkBlock, checkLength } from '@vault/cas'
import type { AbortOptions, Bytes, Clock, Codec, ContentId, HashName, Random } from '@vault/core'
import { contentId, copyBytes, idBytes, idFromBytes, systemClock, systemRandom, VaultError } from '@vault/core'
import { BufferPool } from './batch-encoder.ts'
import type { Fs } from './fs.ts'
import { errorCode } from './fs.ts'
import { GroupCommit } from './group-commit.ts'
import { nodeFs } from './node-fs.ts'
import { ObjectReader } from './object-reader.ts'
import { inOrder } from './ordered-acks.ts'
import { PackIndex } from './pack-index.ts'
import type { MendablePacks } from './pack-mender.ts'
import { PackMender } from './pack-mender.ts'
import { scrubPacks } from './scrub.ts'
import { segmentContents } from './segment-contents.ts'
import { SegmentFiles } from './segment-files.ts'
import { SegmentWriter } from './segment-writer.ts'
import { readFailed, writeFailed } from './system-refusal.ts'

/** How a store of packs is opened. */
export interface FsCasOptions {
  /** The folder that holds `objects/`. It is made with the first object. */
  readonly dir: string
  /** `read` writes nothing at all, and works on a read-only disk. */
  readonly mode: 'read' | 'write'
  readonly fs?: Fs
  readonly random?: Random
  /** Tells the age of files that an interrupted session left. */
  readonly clock?: Clock
  /**
   * Whether the soup has condemned a segment. Asked before this session appends to one that it has written to already: it begins
   * another one then. Default: none ever is.
   */
  readonly isCondemned?: (segment: string) => Promise<boolean>
  /** Objects whose places are kept in memory before they go to the index on disk, some 100 bytes each. Default 65,536. */
  readonly indexRows?: number
}

/** A content store of append-only segments in a folder. Several processes may have it open, and write it, at once. */
export interface FsCas
  extends ContentStore,
    PlacingCas,
    LendingCas,
    ReopenableCas,
    ScrubbableCas,
    ReclaimableCas,
    AsyncDisposable {
  /** Takes damaged files out of use. Throws `CAS_WRITE_FAILED` in a store that was opened for reading. */
  mender(): MendablePacks
}

type OpenOptions = Required<Omit<FsCasOptions, 'indexRows' | 'clock'>>

/** Batches under way: one being written while the next one is hashed and encoded. */
const BATCHES_UNDER_WAY = 2

const IDS_PER_PAGE = 4096

/**
 * Opens the content store of a folder. Disposing of it seals the segment and closes the files. Creates no file before
 * the first object is stored. Throws `CAS_FORMAT` where a newer version wrote a segment, `CAS_READ_FAILED`.
 */
export async function openFsCas(options: FsCasOptions): Promise<FsCas> {
  const { dir, mode, fs = nodeFs, random = systemRandom, clock = systemClock } = options
  const { isCondemned = async () => false } = options
  const folder = join(dir, 'objects')
  const files = new SegmentFiles(fs, folder)
  try {
    const writes = mode === 'write'
    const index = await PackIndex.open({
      fs,
      files,
      folder: join(folder, 'index'),
      random,
      writes,
      clock,
      tableRows: options.indexRows ?? 65_536,
    })
    return new PackCas({ dir, mode, fs, random, isCondemned }, files, index)
  } catch (error) {
    await files.close()
    throw error
  }
}

class PackCas implements FsCas {
  readonly #options: OpenOptions
  readonly #files: SegmentFiles
  readonly #index: PackIndex
  readonly #reader: ObjectReader
  readonly #commits: GroupCommit
  #closed = false

  constructor(options: OpenOptions, files: SegmentFiles, index: PackIndex) {
    const { dir, fs, random, isCondemned } = options
    const pool = new BufferPool()
    const writer = new SegmentWriter({ fs, folder: join(dir, 'objects'), files, index, random, isCondemned })
    this.#options = options
    this.#files = files
    this.#index = index
    this.#reader = new ObjectReader(index, files)
    this.#commits = new GroupCommit(writer, index, pool)
  }

  async put(
    bytes: Uint8Array,
    options: AbortOptions & { readonly codec?: Codec; readonly hash?: HashName } = {},
  ): Promise<ContentId> {
    return (await this.putPlaced(bytes, options)).id
  }

  async putPlaced(
    bytes: Uint8Array,
    options: AbortOptions & { readonly codec?: Codec; readonly hash?: HashName } = {},
  ): Promise<{ readonly id: ContentId; readonly segment: string }> {
    this.#begin(options)
    this.#checkWritable()
    checkLength(bytes)
    const kept = copyBytes(bytes)
    const { codec = 'raw', hash = 'blake3' } = options
    const id = contentId(kept, { codec, hash })
    return { id, segment: await this.#commits.put({ id, bytes: kept }) }
  }

  async *putMany(
    batches: AsyncIterable<readonly Block[]> | Iterable<readonly Block[]>,
    options?: AbortOptions,
  ): AsyncGenerator<BatchAck> {
    this.#begin(options)
    this.#checkWritable()
    yield* inOrder(batches, BATCHES_UNDER_WAY, async (batch) => {
      this.#begin(options)
      let bytes = 0
      for (const block of batch) {
        checkBlock(block)
        bytes += block.bytes.length
      }
      const ids = batch.map(({ id }) => id)
      return { ids, segment: batch.length === 0 ? '' : await this.#commits.append(batch), bytes }
    })
  }

  async get(id: ContentId, options?: AbortOptions): Promise<Bytes | undefined> {
    this.#begin(options)
    return this.#reader.get(id)
  }

  async has(id: ContentId, options?: AbortOptions): Promise<boolean> {
    return (await this.hasMany([id], options))[0] === true
  }

  async hasMany(ids: readonly ContentId[], options?: AbortOptions): Promise<readonly boolean[]> {
    this.#begin(options)
    return this.#reader.hasMany(ids)
  }

  async *getMany(
    batches: AsyncIterable<readonly ContentId[]> | Iterable<readonly ContentId[]>,
    options?: AbortOptions,
  ): AsyncGenerator<ReadBatch> {
    this.#begin(options)
    for await (const ids of batches) {
      this.#begin(options)
      yield* this.#reader.getBatch(ids, options)
    }
  }

  async *lendMany(
    batches: AsyncIterable<readonly ContentId[]> | Iterable<readonly ContentId[]>,
    options?: AbortOptions,
  ): AsyncGenerator<LentBatch> {
    this.#begin(options)
    for await (const ids of batches) {
      this.#begin(options)
      yield* this.#reader.lendBatch(ids, options)
    }
  }

  async *list(options?: AbortOptions & { readonly after?: ContentId }): AsyncGenerator<readonly ContentId[]> {
    this.#begin(options)
    await this.#index.refresh()
    // Stands on the id before the page; no id is all zeros.
    let last: Bytes = options?.after === undefined ? new Uint8Array(36) : idBytes(options.after)
    for (;;) {
      options?.signal?.throwIfAborted()
      const after = last
      const page = await this.#index.search(() => this.#index.page(after, IDS_PER_PAGE))
      if (page.length === 0) return
      last = page.subarray(page.length - 36)
      yield Array.from({ length: page.length / 36 }, (_, i) => idFromBytes(page.subarray(i * 36, i * 36 + 36)))
    }
  }

  async reopen(options?: AbortOptions): Promise<void> {
    this.#begin(options)
    await this.#files.forgetAll()
  }

  async *scrub(options?: AbortOptions): AsyncGenerator<ScrubStep> {
    await this.reopen(options)
    yield* scrubPacks({ fs: this.#options.fs, dir: this.#options.dir, files: this.#files }, options)
  }

  async segments(options?: AbortOptions): Promise<readonly StoredSegment[]> {
    this.#begin(options)
    const segments: StoredSegment[] = []
    for (const segment of await this.#files.list()) {
      const bytes = await this.#files.size(segment).catch((error: unknown) => {
        if (errorCode(error) !== 'ENOENT') throw readFailed(this.#files.path(segment), error)
        return undefined
      })
      if (bytes !== undefined) segments.push({ segment, bytes })
    }
    return segments
  }

  async *contents(segment: string, options?: AbortOptions): AsyncGenerator<readonly StoredRecord[]> {
    this.#begin(options)
    yield* segmentContents(this.#files, segment, options)
  }

  async findElsewhere(
    ids: readonly ContentId[],
    except: ReadonlySet<string>,
    options: AbortOptions & { readonly check?: boolean } = {},
  ): Promise<readonly (string | undefined)[]> {
    this.#begin(options)
    return this.#reader.findElsewhere(ids, except, options)
  }

  async removeSegments(segments: readonly string[], options?: AbortOptions): Promise<void> {
    this.#begin(options)
    this.#checkWritable()
    const { fs, dir } = this.#options
    const folder = join(dir, 'objects')
    try {
      for (const segment of segments) {
        await fs.remove(this.#files.path(segment)).catch((error: unknown) => {
          if (errorCode(error) !== 'ENOENT') throw error
        })
        await this.#files.forget(segment)
      }
      if (segments.length > 0) await fs.syncDir(folder)
    } catch (error) {
      throw writeFailed(folder, error)
    }
    // Derived: where it cannot be written it goes on naming what is gone, and searches pass that over.
    if (segments.length > 0) await this.#index.forgetAbsent().catch(() => {})
  }

  mender(): MendablePacks {
    this.#begin(undefined)
    this.#checkWritable()
    const { fs, dir } = this.#options
    return new PackMender({ fs, dir, files: this.#files })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#commits.close()
    await this.#index.close()
    await this.#files.close()
  }

  #begin(options: AbortOptions | undefined): void {
    options?.signal?.throwIfAborted()
    if (this.#closed) throw new TypeError('This store has been closed')
  }

  #checkWritable(): void {
    if (this.#options.mode === 'write') return
    throw new VaultError<CasErrorCode>({
      code: 'CAS_WRITE_FAILED',
      message: `The store in ${this.#options.dir} was opened for reading. Open it with mode 'write'.`,
      details: { file: this.#options.dir },
    })
  }
}
