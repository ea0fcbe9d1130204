import type { AbortOptions, KeyTable, Prefix } from '@vault/core'
import type { Branch } from './branch.ts'
import { DIGITS } from './branch.ts'
import { BRANCH_ABOVE, SubtreeWalk } from './subtree-walk.ts'

/** Some of the branches of a table. */
export interface BranchPage {
  /** Ascending by prefix, a prefix before those that it begins. */
  readonly branches: readonly Branch[]
  /** Go on after this prefix; absent: these were the last. */
  readonly next?: Prefix
}

/**
 * The branches of a table in the order of their prefixes: one for each subtree of more than {@link BRANCH_ABOVE} keys, so which they are
 * depends on the keys alone; {@link setRoot} has a table keep them all, and more. What the table has not kept is computed from
 * its rows and given to it; call `setRoot` over an earlier view, or each branch that is asked for costs a scan of what lies below it.
 * To go on, pass `next` as `after`, with a view of the same rows. Throws `MERKLE_TABLE_INVALID`.
 */
export async function readBranches(
  table: KeyTable,
  { after, limit }: { readonly after?: Prefix; readonly limit: number },
  options?: AbortOptions,
): Promise<BranchPage> {
  options?.signal?.throwIfAborted()
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`limit is a positive integer, not ${limit}`)
  const walk = new SubtreeWalk(table, options)
  const branches: Branch[] = []
  const { count } = await walk.subtree('')
  const waiting: Prefix[] = count > BRANCH_ABOVE ? [''] : []
  for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
    const wanted = after === undefined || prefix > after
    if (wanted && branches.length === limit) break
    // A branch that was returned before is read again only for what lies below it.
    if (!wanted && !after.startsWith(prefix)) continue
    const branch = await walk.branch(prefix)
    if (wanted) branches.push(branch)
    for (const [i, digit] of [...DIGITS.entries()].reverse()) {
      if ((branch.children[i]?.count ?? 0) > BRANCH_ABOVE) waiting.push(prefix + digit)
    }
  }
  await walk.flush()
  const last = branches.at(-1)
  return branches.length < limit || last === undefined ? { branches } : { branches, next: last.prefix }
}
