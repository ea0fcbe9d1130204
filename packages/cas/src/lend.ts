import type { AbortOptions, ContentId } from '@vault/core'
import type { BulkCasReader, ReadBatch } from './cas.ts'

/** An answer in memory of the store's: read it, keep nothing of it, and give it back. */
export interface LentBatch extends ReadBatch {
  /**
   * The bytes of the blocks may be anything from now on. Calling it twice is no error, and leaving it out loses no more than
   * the memory's next use.
   */
  release(): void
}

/**
 * Reading for those who use bytes up at once. A store that can lend uses the same memory again and again: the pages of a fresh
 * buffer have to be mapped and cleared first, which for a gibibyte took 2.5 of 4 seconds on a virtual machine.
 */
export interface LendingCas {
  /** As `getMany` of {@link BulkCasReader}, every block hashed again, but in memory that is the store's. */
  lendMany(
    batches: AsyncIterable<readonly ContentId[]> | Iterable<readonly ContentId[]>,
    options?: AbortOptions,
  ): AsyncIterable<LentBatch>
}

/** Borrows from a store that lends; from another one reads, and there is nothing to give back. */
export async function* lendMany(
  objects: BulkCasReader | (BulkCasReader & LendingCas),
  batches: AsyncIterable<readonly ContentId[]> | Iterable<readonly ContentId[]>,
  options?: AbortOptions,
): AsyncGenerator<LentBatch> {
  if ('lendMany' in objects) yield* objects.lendMany(batches, options)
  else for await (const batch of objects.getMany(batches, options)) yield { ...batch, release() {} }
}
