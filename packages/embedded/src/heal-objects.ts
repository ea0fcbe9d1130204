import type { BulkCas, BulkCasReader } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import type { Reclaim } from '@vault/soup'
import { storeUncondemned } from '@vault/transfer'

/** Objects that are read and written at once: at most 256 MiB. */
const BATCH = 256

/** How far the healing of objects has come; what was stored is durable. */
export interface HealedObjects {
  readonly done: number
  readonly of: number
}

/**
 * Stores objects again that another store has. Nothing that it gives is trusted: each block is hashed as it is read, and again before
 * it is written. What neither has is passed over.
 */
export async function* healObjects(
  { objects: here, reclaim }: { readonly objects: BulkCas; readonly reclaim: Reclaim },
  elsewhere: BulkCasReader,
  ids: readonly ContentId[],
  options: AbortOptions,
): AsyncGenerator<HealedObjects> {
  for (let i = 0; i < ids.length; i += BATCH) {
    const batch = ids.slice(i, i + BATCH)
    const store = async (written: Set<string>) => {
      for await (const { blocks } of elsewhere.getMany([batch], options)) {
        for await (const { segment } of here.putMany([blocks], options)) if (segment !== '') written.add(segment)
      }
    }
    await storeUncondemned(reclaim, store, options)
    yield { done: i + batch.length, of: ids.length }
  }
}

/** Those that cannot be read here. */
export async function unreadable(
  here: BulkCasReader,
  ids: readonly ContentId[],
  options: AbortOptions,
): Promise<readonly ContentId[]> {
  const found: ContentId[] = []
  for (let i = 0; i < ids.length; i += BATCH) {
    for await (const { absent, damaged } of here.getMany([ids.slice(i, i + BATCH)], options)) {
      found.push(...absent, ...damaged)
    }
  }
  return found
}
