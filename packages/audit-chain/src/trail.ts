import type { AbortOptions, Bytes, Clock, Signer } from '@vault/core'
import type { LogKey } from './checkpoint.ts'
import type { AuditEntry } from './entry.ts'
import type { LogStore } from './log-store.ts'
import type { AuditQuery } from './query.ts'
import { StoredTrail } from './stored-trail.ts'

/** What a trail is at one moment. */
export interface Head {
  /** Number of entries. */
  readonly size: number
  /** Root of the tree over them. */
  readonly root: Bytes
  /** The signed note of this size and root; `undefined` while the trail is empty. */
  readonly checkpoint: Bytes | undefined
}

/** An entry with its place and bytes, which have been hashed up to the root of the trail. */
export interface IndexedEntry {
  readonly index: number
  /** RFC 9162 leaf hash. */
  readonly hash: Bytes
  readonly bytes: Bytes
  readonly entry: AuditEntry
}

/** Entries from `from` on and before `to`; of all where left out. */
export interface EntryRange extends AbortOptions {
  readonly from?: number
  readonly to?: number
  /** The last one first. */
  readonly reverse?: boolean
}

/** Entries that fit a query. */
export interface QueryOptions extends AbortOptions {
  /** The last one first. */
  readonly reverse?: boolean
  readonly limit?: number
}

/** A trail to read. What it says is the state of its head as it was last loaded; see {@link TrailReader.refresh}. */
export interface TrailReader {
  readonly origin: string
  readonly size: number
  readonly root: Bytes
  readonly checkpoint: Bytes | undefined
  /**
   * Takes in what other processes have appended. Throws `AUDIT_ROLLBACK` and `AUDIT_FORK` where the store has another
   * history than this trail has seen.
   */
  refresh(options?: AbortOptions): Promise<Head>
  /** Entries in pages of at most 256. Throws `AUDIT_TAMPERED`, `AUDIT_MISSING`, `AUDIT_ENTRY_INVALID`. */
  entries(range?: EntryRange): AsyncIterable<readonly IndexedEntry[]>
  /** The entries that fit, in pages. Relative times count from the clock. Throws as `entries`, and `AUDIT_QUERY_INVALID`. */
  query(query: AuditQuery, options?: QueryOptions): AsyncIterable<readonly IndexedEntry[]>
  /**
   * The proof that the entry is in the trail, as a file for others (C2SP tlog-proof), under the checkpoint of `size`, by
   * default the head's. Throws a `RangeError` where there is no such entry, `AUDIT_MISSING` where no checkpoint of that size is kept.
   */
  prove(index: number, size?: number, options?: AbortOptions): Promise<Bytes>
  /** The hashes of the proof that the trail at size `from` is the beginning of the one at `to`, by default the head's. */
  consistency(from: number, to?: number, options?: AbortOptions): Promise<readonly Bytes[]>
  /** The root over the first `size` entries. Throws a `RangeError` above the size. */
  rootAt(size: number, options?: AbortOptions): Promise<Bytes>
  /** The signed note that was published at this size, verified; `undefined` where none is kept. */
  checkpointAt(size: number, options?: AbortOptions): Promise<Bytes | undefined>
}

/** A trail that can grow. */
export interface Trail extends TrailReader {
  /**
   * Makes these events, as bytes of `encodeEvent`, the entries from index `from` on: those that the trail has already must be the
   * same (else `AUDIT_FORK`), the others are appended, signed and published together. So it may be repeated, after a crash too,
   * and several processes that take events from one queue may all do it. Resolves when everything is durable.
   * Everyone who extends a store must agree on the event of each index: rivals that do not can overwrite each other's files.
   *
   * Throws `AUDIT_GAP` where `from` is behind the end, `AUDIT_READ_ONLY` without a signer, `AUDIT_ENTRY_INVALID`, `AUDIT_ROLLBACK`,
   * and `AUDIT_TAMPERED` or `AUDIT_MISSING` where the store does not give back what it took: then nothing is signed.
   */
  extend(from: number, events: readonly Uint8Array[], options?: AbortOptions): Promise<Head>
}

/** What a trail needs. */
export interface TrailOptions {
  /** The name of the log, as it stands in its checkpoints; also the name of its keys. */
  readonly origin: string
  readonly store: LogStore
  /** Every key that may have signed checkpoints that are met; that of the signer need not be among them. */
  readonly keys: readonly LogKey[]
  /** Signs the checkpoints. Without one the trail can only be read. */
  readonly signer?: Signer
  /** For the relative times of queries. */
  readonly clock: Clock
}

/**
 * Opens the trail of a store; an empty store has an empty trail. Whether it ought to be empty is for the high-water mark
 * to say. Throws what is wrong with its checkpoint (`AUDIT_NOTE_INVALID`, `AUDIT_CHECKPOINT_INVALID`,
 * `AUDIT_CHECKPOINT_UNTRUSTED`) and with the tiles at its end (`AUDIT_MISSING`, `AUDIT_TAMPERED`).
 */
export async function openTrail(options: TrailOptions, abort?: AbortOptions): Promise<Trail> {
  return await StoredTrail.open(options, abort)
}
