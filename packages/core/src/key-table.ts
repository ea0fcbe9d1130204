import type { Bytes } from './bytes.ts'
import type { ContentId } from './content-id.ts'
import { idBytes } from './content-id.ts'
import { hashBytes } from './hash.ts'
import type { AbortOptions } from './options.ts'

/** Length in bytes of every key and every value of a key table. */
export const KEY_LENGTH = 32

/** A key's leading bits as lower-case hexadecimal digits, at most 64; the empty text is the whole table. */
export type Prefix = string

/** Rows of a key table, packed so that a million of them cost no million objects. */
export interface KeyPage {
  readonly count: number
  /** `count` × 32 bytes, strictly ascending. */
  readonly keys: Bytes
  /** `count` × 32 bytes; absent where every value of the table is 32 zero bytes. */
  readonly values?: Bytes
}

/** What is known of all rows under a prefix: the hash of their tree and their number. */
export interface Subtree {
  readonly hash: Bytes
  readonly count: number
}

/**
 * One unchanging view of a sorted table of 32-byte keys and 32-byte values, over which `@vault/merkle` computes roots.
 * The soup implements it; the tree's structure is a pure function of the sorted keys, so the cached subtrees
 * are only ever a shortcut.
 */
export interface KeyTable {
  /** Rows under the prefix, strictly after `after` where it is given, at most `limit`. Fewer than `limit` means: the last. */
  scan(range: { prefix: Prefix; after?: Uint8Array; limit: number }, options?: AbortOptions): Promise<KeyPage>

  /** The kept subtrees of the sixteen prefixes one digit longer, each `undefined` where none is kept or a row under it has changed since. */
  children(prefix: Prefix, options?: AbortOptions): Promise<readonly (Subtree | undefined)[]>

  /**
   * Keeps subtrees computed over this view, to be returned by later views for as long as nothing under them changes.
   * May be forgotten at any time. A read-only view forgets at once.
   */
  keep(subtrees: ReadonlyMap<Prefix, Subtree>, options?: AbortOptions): Promise<void>
}

/** What one table has under a prefix: the sixteen subtrees one digit longer. */
export interface Span {
  readonly prefix: Prefix
  readonly children: readonly Subtree[]
}

/** Under which digits below the prefix of a span another table has something else. */
export interface SpanDifference {
  /** Ascending, from 0 to 15. */
  readonly digits: readonly number[]
  /** For each of them all rows that the other table has there, where they are few. */
  readonly rows: readonly (KeyPage | undefined)[]
}

/** A table that is far away: rather than being read subtree by subtree, it is told of many what the one who asks has, and says where it differs. */
export interface DistantTable extends KeyTable {
  /** In the order of the spans. */
  differences(spans: readonly Span[], options?: AbortOptions): Promise<readonly SpanDifference[]>
}

/**
 * The key of an object in the object table: SHA-256 of its id's 36 bytes. Codec and hash function are bound too, so equal
 * tables mean equal ids, and bytes that are held under two codecs are two objects.
 */
export function objectKey(id: ContentId): Bytes {
  return objectKeyOfBytes(idBytes(id))
}

/** As {@link objectKey}, of an id in its binary form, which is not checked. */
export function objectKeyOfBytes(id: Uint8Array): Bytes {
  return hashBytes('sha2-256', id)
}
