import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import type { HeldBlock } from './held-block.ts'
import { checkLimit } from './limit.ts'
import type { Committed, Member } from './soup.ts'
import { soupError } from './soup-error.ts'

/** Longest record of a batch, in bytes: as long as an audit event, which is made of it. */
export const MAX_BATCH_RECORD_LENGTH: number = 61_440

/**
 * What a migration writes into a vault that is not active here. Exact: it makes the target equal, so it asks no contract
 * and no reference count. Removals come first.
 */
export interface IntakeBatch {
  readonly migration: string
  /** The number of the driver that writes, where the tenure has one. */
  readonly driver?: number
  /** Segments in which the bytes of this batch lie: none may be condemned. */
  readonly segments?: readonly string[]
  readonly objects?: { readonly add?: readonly Member[]; readonly remove?: readonly ContentId[] }
  /** Entries in canonical bytes, decoded and checked where they enter. */
  readonly entries?: { readonly put?: readonly Uint8Array[]; readonly remove?: readonly string[] }
  /** Earlier versions of entries, in canonical bytes. */
  readonly versions?: readonly Uint8Array[]
  /** Blocks to hold, as in a change. They stay held if the migration is given up. */
  readonly hold?: readonly HeldBlock[]
  /**
   * What the source's log says of this batch, opaque here: 1 to 61,440 bytes. Where it is given, the batch gets the next
   * number of this migration in the same transaction, whether it changes anything or not. With the record of the latest batch it is that
   * one, given again because the answer was lost, and keeps its number.
   */
  readonly record?: Uint8Array
}

/** What a batch did. */
export interface Received extends Committed {
  /** The number of the batch in its migration, from 1, where it has a record. */
  readonly batch?: number
}

/** A numbered batch of a migration. */
export interface BatchRecord {
  readonly batch: number
  readonly record: Bytes
}

/** Which rows a migration puts back. */
export interface RestoreRequest {
  readonly migration: string
  /** The number of the driver that writes, where the tenure has one. */
  readonly driver?: number
  /** Rows in this step, at most. */
  readonly limit: number
}

/**
 * Writing into a vault that is being received. `SOUP_TENURE` in any other tenure, for another migration than the one
 * begun, and for another driver than the tenure's, where either has one.
 */
export interface Intake {
  receive(batch: IntakeBatch, options?: AbortOptions): Promise<Received>
  /**
   * The numbered batches of a migration after a number, ascending and without gaps, at most `limit`. They are kept until the
   * vault is received by another migration; of that one's predecessors there are none.
   */
  batches(
    migration: string,
    range: { readonly after: number; readonly limit: number },
    options?: AbortOptions,
  ): Promise<readonly BatchRecord[]>
  /**
   * Undoes what migrations wrote over a vault that was here before, step by step: while such a vault is received, every
   * member, entry and version that changes for the first time is remembered as it was. A step is one change with a number
   * of its own; when nothing remains, the vault is what it was, and its tenure may go back. Nothing remains from the
   * beginning where there was no vault before.
   */
  restore(request: RestoreRequest, options?: AbortOptions): Promise<{ readonly remaining: number }>
}

/** A copy of a batch's record. Throws `SOUP_INVALID` for one that is too long or empty. */
export function checkBatchRecord(record: Uint8Array | undefined): Bytes | undefined {
  if (record === undefined) return undefined
  if (record.length >= 1 && record.length <= MAX_BATCH_RECORD_LENGTH) return new Uint8Array(record)
  const message = `The record of a batch has 1 to ${MAX_BATCH_RECORD_LENGTH} bytes, not ${record.length}.`
  throw soupError('SOUP_INVALID', message)
}

/** Throws `SOUP_INVALID` for a number after which there can be no batch, and a `RangeError` for what is no limit. */
export function checkBatchRange({ after, limit }: { readonly after: number; readonly limit: number }): void {
  if (!Number.isSafeInteger(after) || after < 0) throw soupError('SOUP_INVALID', `${after} is no number of a batch.`)
  checkLimit(limit)
}
