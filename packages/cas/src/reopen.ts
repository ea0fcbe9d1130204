import type { AbortOptions } from '@vault/core'

/**
 * A store that keeps something open from one read to the next. Beside `Cas`, for those who are to say what the store has, and not what can
 * still be read of it: a file that was removed, or replaced, is read on by whoever has it open, and is gone when that one ends.
 */
export interface ReopenableCas {
  /** Reads that begin behind it find what the store has by now. Those under way go on. */
  reopen(options?: AbortOptions): Promise<void>
}

/** Lets a store that keeps something open begin anew; another one has nothing to let go. */
export async function reopen(objects: object | ReopenableCas, options?: AbortOptions): Promise<void> {
  if ('reopen' in objects) await objects.reopen(options)
}
