import type { AbortOptions, Bytes, ContentId, Finding, KeyTable } from '@vault/core'
import type { Entry } from './entry.ts'
import type { HeldBlock } from './held-block.ts'
import type { Query } from './query.ts'
import type { Tenure } from './tenures.ts'

/** An object under charge. */
export interface Member {
  readonly id: ContentId
  /** Length of its bytes. */
  readonly size: number
  /** The objects it is made of, for a manifest or a tree: under charge before it or with it, and as long as it is. */
  readonly links: readonly ContentId[]
}

/** A member with its key in the object table. */
export interface KeyedMember extends Member {
  readonly key: Bytes
}

/** An entry with its place in the entry table, in the form in which it is stored and travels. */
export interface KeyedEntry {
  readonly key: Bytes
  /** Canonical DAG-CBOR: {@link encodeEntry}. */
  readonly bytes: Bytes
}

/** A change of a vault, applied whole or not at all. */
export interface Change {
  /** The epoch of the tenure under which the change was made. */
  readonly epoch: number
  /** What must hold inside the transaction, else the change is refused. */
  readonly expect?: {
    /** Where refs point now; `null`: there is no such ref. */
    readonly refs?: Readonly<Record<string, ContentId | null>>
    /** What entries are now, refs among them: key → SHA-256 of the canonical bytes, 64 hexadecimal digits; `null`: there is none. */
    readonly entries?: Readonly<Record<string, string | null>>
    /** Objects that must be under charge, because their bytes were not put again. */
    readonly present?: readonly ContentId[]
    /** Segments in which the bytes of `objects.add` and `hold` lie: none may be condemned. */
    readonly segments?: readonly string[]
    /** How many audit events the vault has had: nobody has said anything since. */
    readonly events?: number
  }
  /**
   * Refs to move; `null` removes. Kept as entries `ref:<name>` of type `ref`, so the soup root proves them. `entries` does
   * not reach them.
   */
  readonly refs?: Readonly<Record<string, ContentId | null>>
  readonly entries?: {
    /** Entries to create or replace, without `previous`, which the soup fills in where the type keeps its history. */
    readonly put?: readonly Entry[]
    /**
     * Keys to remove; one that is not there is no error. Where the type keeps its history, what is left is a version with
     * `fields.removed: true`, from which the history is in reach.
     */
    readonly remove?: readonly string[]
  }
  readonly objects?: {
    /**
     * Objects that come under charge; their bytes are durable. One that is there already is no change. Equal bytes under
     * two codecs are two objects.
     */
    readonly add?: readonly Member[]
    /**
     * Objects that may leave charge, together with what only they link to. One that an entry, an earlier version of one,
     * or a member that stays still refers to stays, and so does one that this change adds or expects present; one that is
     * not there is no error. Members that claim to link to each other in a circle, which ids of content cannot, stay.
     */
    readonly release?: readonly ContentId[]
  }
  /**
   * Audit events in canonical bytes, opaque here: queued for the log in the same transaction, in this order. Each has 1
   * to 61,440 bytes, and there are at most 1,024 of them (`SOUP_INVALID`).
   */
  readonly events?: readonly Uint8Array[]
  /** Blocks to hold; their bytes are durable. One that is held already is no change. */
  readonly hold?: readonly HeldBlock[]
  /**
   * Says something of a vault that is frozen: the migration for which it is `quiesced`, else `SOUP_TENURE`. Such a change
   * has events and held blocks and nothing else (`SOUP_INVALID`).
   */
  readonly migration?: string
}

/**
 * What a change did. One that changed neither objects nor entries has the sequence that was there before it; what it
 * queued and holds is as durable.
 */
export interface Committed {
  readonly sequence: number
  /** Objects that came under charge. */
  readonly added: number
  /** Objects that left charge. */
  readonly released: number
}

/** Numbers of a vault's content. */
export interface Counts {
  readonly objects: number
  /** Sum of the objects' lengths. */
  readonly bytes: number
  readonly entries: number
}

/**
 * One item of the feed. All items of a change have its sequence number; within it objects come under charge first, then
 * entries are put and removed, then objects leave.
 */
export interface FeedItem {
  readonly sequence: number
  readonly type: 'object-added' | 'object-removed' | 'entry-put' | 'entry-removed'
  /** The content id, or the entry's key. Refs are entries `ref:<name>`. Each is named at most once in a change. */
  readonly subject: string
}

/** How far back the feed reaches: a cursor at or above it can be followed, an older one is `SOUP_FEED_EXPIRED`. */
export interface FeedRange {
  readonly oldest: number
  readonly latest: number
}

/** One unchanging view, valid while the function that received it runs. */
export interface SoupView {
  readonly sequence: number
  readonly counts: Counts
  /** Key: `objectKey(id)`; every value is 32 zero bytes. */
  readonly objects: KeyTable
  /** Key: `entryKey(entry.key)`; value: SHA-256 of the canonical entry. */
  readonly entries: KeyTable
}

/** Reading a vault's state, in any tenure. Trusted for completeness; every row read is checked against its hash (`SOUP_CORRUPT`). */
export interface SoupReader {
  tenure(options?: AbortOptions): Promise<Tenure>
  entry(key: string, options?: AbortOptions): Promise<Entry | undefined>
  /**
   * Earlier versions of an entry whose type keeps its history, newest first, without the present one. Throws
   * `SOUP_CORRUPT` where one is missing.
   */
  history(key: string, options?: AbortOptions): AsyncIterable<Entry>
  /** The earlier version of an entry under its id, as stored. */
  version(id: ContentId, options?: AbortOptions): Promise<Bytes | undefined>
  /** Matching entries in the order asked for, in pages that are not empty. Throws `SOUP_INVALID`. */
  query(query: Query, options?: AbortOptions): AsyncIterable<readonly Entry[]>
  /** For each id, in order, whether it is under charge. */
  charged(ids: readonly ContentId[], options?: AbortOptions): Promise<readonly boolean[]>
  /** Members ascending by key, strictly after `after`, at most `limit`. */
  members(range: { after?: Uint8Array; limit: number }, options?: AbortOptions): Promise<readonly KeyedMember[]>
  /** The members with these keys; keys without one are left out. */
  membersByKey(keys: readonly Uint8Array[], options?: AbortOptions): Promise<readonly KeyedMember[]>
  /** Entries ascending by table key, strictly after `after`, at most `limit`. */
  entriesAfter(range: { after?: Uint8Array; limit: number }, options?: AbortOptions): Promise<readonly KeyedEntry[]>
  /** The entries with these table keys; keys without one are left out. */
  entriesByKey(keys: readonly Uint8Array[], options?: AbortOptions): Promise<readonly KeyedEntry[]>
  /** Items after a sequence number, oldest first, in pages that end at the end of a change. Throws `SOUP_FEED_EXPIRED`. */
  changes(after: number, options?: AbortOptions): AsyncIterable<readonly FeedItem[]>
  feed(options?: AbortOptions): Promise<FeedRange>
  /** Held blocks ascending by the bytes of their ids, strictly after `after`, at most `limit`. */
  held(range: { after?: ContentId; limit: number }, options?: AbortOptions): Promise<readonly HeldBlock[]>
  /** For each id, in order, whether it is held. */
  holds(ids: readonly ContentId[], options?: AbortOptions): Promise<readonly boolean[]>
  /** Runs `read` over one unchanging view. The view may hold back clean-up in the store, so keep it short: seconds. */
  view<T>(read: (view: SoupView) => Promise<T>, options?: AbortOptions): Promise<T>
}

/** The vault's state and its only mutation. */
export interface Soup extends SoupReader {
  /**
   * The only way a vault changes. One transaction checks tenure, epoch and expectations, applies everything, gives the
   * change its number in the feed, and is durable when it resolves. Refused or failed, it has changed nothing.
   * Other writers may be other processes; it waits for them for a bounded time (`SOUP_BUSY`).
   */
  commit(change: Change, options?: AbortOptions): Promise<Committed>
}

/** Finding and mending damage of stored state. */
export interface Auditable {
  /** Every damaged row and every derived table that differs from what it is derived from. Reads everything, changes nothing. */
  check(options?: AbortOptions): AsyncIterable<Finding>
  /** Makes all derived tables anew from the rows they are derived from, in one transaction. */
  rebuild(options?: AbortOptions): Promise<void>
}
