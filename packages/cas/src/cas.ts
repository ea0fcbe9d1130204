import type { AbortOptions, Bytes, Codec, ContentId, Finding, HashName } from '@vault/core'

/** Blocks are at most this long; longer content is cut into blocks under a manifest. */
export const MAX_BLOCK_LENGTH: number = 1024 * 1024

/** The `code` of the errors of every content store. */
export type CasErrorCode =
  /** Stored bytes are not what their id names. `details.id` names the object, `details.file` the file where there is one. */
  | 'CAS_CORRUPT'
  /** An object that should be there is not. `details.id`. */
  | 'CAS_MISSING'
  /** A block is longer than {@link MAX_BLOCK_LENGTH}. */
  | 'CAS_TOO_LARGE'
  /** A stored format is foreign, or newer than this software. `details.file`, or `details.id` of the block. */
  | 'CAS_FORMAT'
  /** A block is no file or directory of the kind asked for, or contradicts itself; or a name cannot stand in a directory. `details.id`, `details.name`. */
  | 'CAS_MALFORMED'
  /** A segment ends with what was never finished, or is damaged: the bytes do not tell. `details.file`. */
  | 'CAS_UNACKNOWLEDGED'
  /** The store is full or refuses to write. `cause` has the system's error. */
  | 'CAS_WRITE_FAILED'
  /** The system refuses to read the store, which says nothing about what is stored. `details.file`, `cause`. */
  | 'CAS_READ_FAILED'

/** Immutable bytes and their name. */
export interface Block {
  readonly id: ContentId
  readonly bytes: Uint8Array
}

/** A block as a store answers it: its bytes are the caller's own. */
export interface ReadBlock extends Block {
  readonly bytes: Bytes
}

/** What became durable, and where. Once it is yielded, no crash loses these blocks. */
export interface BatchAck {
  /** The ids of the blocks that are durable, in the order in which they came. */
  readonly ids: readonly ContentId[]
  /** The segment they lie in: opaque, and stated in the `commit` that relies on it. Empty where nothing had to be written. */
  readonly segment: string
  /** Bytes of content written. */
  readonly bytes: number
}

/** An answer to a bulk read: every id asked for is in exactly one of the three. */
export interface ReadBatch {
  readonly blocks: readonly ReadBlock[]
  readonly absent: readonly ContentId[]
  /** Ids whose stored bytes are not what they name. */
  readonly damaged: readonly ContentId[]
}

/**
 * Reading. A store is not trusted: every read hashes the bytes again, and what does not match is `CAS_CORRUPT`, never
 * wrong bytes. Returned bytes are the caller's own.
 */
export interface CasReader {
  /** The bytes, or `undefined` where there are none under this id. Throws `CAS_CORRUPT`. */
  get(id: ContentId, options?: AbortOptions): Promise<Bytes | undefined>
  /** Whether bytes are held under this id. Does not read them. */
  has(id: ContentId, options?: AbortOptions): Promise<boolean>
  /** All ids held, ascending by their bytes, strictly after `after`, in pages. */
  list(options?: AbortOptions & { readonly after?: ContentId }): AsyncIterable<readonly ContentId[]>
}

/** Writing, one object at a time. Concurrent puts share one flush. */
export interface Cas extends CasReader {
  /**
   * Stores bytes and returns their id, by default raw and BLAKE3. Resolves when they are durable: file and directory flushed.
   * Throws `CAS_TOO_LARGE`, `CAS_WRITE_FAILED`.
   */
  put(
    bytes: Uint8Array,
    options?: AbortOptions & { readonly codec?: Codec; readonly hash?: HashName },
  ): Promise<ContentId>
}

/** Reading many objects without a promise for each. */
export interface BulkCasReader {
  /** For each id, in order, whether bytes are held under it. Does not read them. */
  hasMany(ids: readonly ContentId[], options?: AbortOptions): Promise<readonly boolean[]>
  /**
   * Reads batches of ids. Within a batch the store chooses the order and may answer in several pieces of some
   * mebibytes; batches are answered one after the other. Every block has been hashed again.
   */
  getMany(
    batches: AsyncIterable<readonly ContentId[]> | Iterable<readonly ContentId[]>,
    options?: AbortOptions,
  ): AsyncIterable<ReadBatch>
}

/** Writing many objects with one flush for a batch. */
export interface BulkCas extends BulkCasReader {
  /**
   * Stores batches of blocks, one ack for each, in order, yielded when it is durable. Every block is hashed before it is
   * written: one that is not what its id names is `CAS_CORRUPT`, and nothing of its batch is acknowledged. What is
   * stored already is written again: only the soup knows what is under charge, so whoever wants to skip asks there.
   */
  putMany(
    batches: AsyncIterable<readonly Block[]> | Iterable<readonly Block[]>,
    options?: AbortOptions,
  ): AsyncIterable<BatchAck>
}

/** Writing one object, for whoever relies on it in a `commit`: `put` does not say where it went. */
export interface PlacingCas {
  /** As `put` of {@link Cas}, and says where the bytes lie. Both share flushes. */
  putPlaced(
    bytes: Uint8Array,
    options?: AbortOptions & { readonly codec?: Codec; readonly hash?: HashName },
  ): Promise<{ readonly id: ContentId; readonly segment: string }>
}

/** All that a vault's content store does. */
export interface ContentStore extends Cas, BulkCas {}

/** Taking bytes away. A signature that asks for this can destroy. */
export interface ErasableCas {
  erase(ids: readonly ContentId[], options?: AbortOptions): Promise<void>
}

/** A segment of a store, as reclaim sees it. */
export interface StoredSegment {
  readonly segment: string
  /** Bytes that it takes up. */
  readonly bytes: number
}

/** One record of a segment. */
export interface StoredRecord {
  readonly id: ContentId
  /** Bytes that it takes up. */
  readonly bytes: number
}

/**
 * Bytes by the segments that they lie in, so that those which nobody needs can go. A signature that asks for this can destroy.
 */
export interface ReclaimableCas {
  /** All segments, in no stated order: others may be writing some of them. */
  segments(options?: AbortOptions): Promise<readonly StoredSegment[]>
  /**
   * The records of a segment in pages, ascending by their ids, whether their bytes are sound or not; one id may come more than once, and
   * a segment that is gone has none. Throws, after all that it found, `CAS_CORRUPT` where it cannot be told what else the segment held, and
   * `CAS_UNACKNOWLEDGED` where it ends with what may never have been finished; `CAS_FORMAT`.
   */
  contents(segment: string, options?: AbortOptions): AsyncIterable<readonly StoredRecord[]>
  /**
   * For each id, in order, a segment that has a record of it and is none of `except`, as far as the store can tell; with `check`, one whose
   * bytes were read, are what the id names, and are durable. `undefined` where there is none. Throws `CAS_READ_FAILED`, `CAS_WRITE_FAILED`.
   */
  findElsewhere(
    ids: readonly ContentId[],
    except: ReadonlySet<string>,
    options?: AbortOptions & { readonly check?: boolean },
  ): Promise<readonly (string | undefined)[]>
  /** Removes segments for good; one that is gone is no error. Durable when it resolves. Throws `CAS_WRITE_FAILED`. */
  removeSegments(segments: readonly string[], options?: AbortOptions): Promise<void>
}

/** What a scrub found in one stretch of the store. */
export interface ScrubStep {
  /** Objects whose bytes were read and hashed. */
  readonly checked: number
  /** Bytes read. */
  readonly bytes: number
  /** Ids without a sound copy, as far as the store can tell; an id may come up here and turn out sound in another segment. */
  readonly damaged: readonly ContentId[]
  /**
   * Every damaged file, derived ones too, with its name in `subject`. Where the step has damaged ids they are about these
   * objects and nothing else, so that they matter no more once each has a sound copy elsewhere.
   */
  readonly findings: readonly Finding[]
}

/** Reading back everything, in the order in which it lies. */
export interface ScrubbableCas {
  /** Reads and hashes every object and every derived file. Changes nothing. */
  scrub(options?: AbortOptions): AsyncIterable<ScrubStep>
}
