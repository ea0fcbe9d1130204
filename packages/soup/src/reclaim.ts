import type { AbortOptions, ContentId } from '@vault/core'

/**
 * What reclaim asks of the soups of a place, for all vaults that lie there, because these share one store of bytes. Trusted: what it does
 * not call needed is destroyed.
 */
export interface Reclaim {
  /**
   * Marks segments whose bytes are about to move or go. From then on no change of any vault of the place, present or to come, may newly
   * rely on them (`SOUP_CONDEMNED`). For good: a name is never used again, and a writer may hold on to one for any time. Durable
   * when it resolves; those that are marked already are no error.
   */
  condemn(segments: readonly string[], options?: AbortOptions): Promise<void>
  /** Those of the segments that are marked, whoever marked them. */
  condemned(segments: readonly string[], options?: AbortOptions): Promise<readonly string[]>
  /**
   * For each id, in order, whether its bytes are needed here: a vault has it under charge, holds it, or goes back to it if a migration
   * is given up. Each answer is of one moment, and in doubt it is yes.
   */
  needed(ids: readonly ContentId[], options?: AbortOptions): Promise<readonly boolean[]>
  /**
   * All ids whose bytes are needed here, in pages, each of one moment; one may come more than once. What is needed from before the first
   * page until after the last is among them.
   */
  list(options?: AbortOptions): AsyncIterable<readonly ContentId[]>
}
