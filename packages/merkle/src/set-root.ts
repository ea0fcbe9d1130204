import type { AbortOptions, KeyTable, Subtree } from '@vault/core'
import { copyBytes } from '@vault/core'
import { SubtreeWalk } from './subtree-walk.ts'

/**
 * The root of a table and the number of its keys (M079). Subtrees that the table has kept are used, the rest is
 * computed in one pass over the rows and kept, so that asking again costs what changed. Memory does not grow with
 * the table. Throws `MERKLE_TABLE_INVALID`.
 */
export async function setRoot(table: KeyTable, options?: AbortOptions): Promise<Subtree> {
  options?.signal?.throwIfAborted()
  const walk = new SubtreeWalk(table, options)
  const { hash, count } = await walk.subtree('')
  await walk.flush()
  return { hash: copyBytes(hash), count }
}
