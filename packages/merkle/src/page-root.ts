import type { Bytes, KeyPage } from '@vault/core'
import { copyBytes } from '@vault/core'
import { EMPTY_ROOT, NodeHasher } from './node-hasher.ts'
import type { Rows } from './rows.ts'
import { pageFault, sharedBits, splitAt } from './rows.ts'

/** The root of a set that is in memory as one page. Throws a `RangeError` where its keys do not strictly ascend. */
export function rootOfPage(page: KeyPage): Bytes {
  const fault = pageFault(page)
  if (fault !== undefined) throw new RangeError(`Not a key page: ${fault}.`)
  return hashRows(new NodeHasher(), { page, from: 0, to: page.count })
}

/** The hash of the tree over some rows. Recursion is at most 257 deep: every step down goes on at a later bit. */
export function hashRows(hasher: NodeHasher, rows: Rows): Bytes {
  const { page, from, to } = rows
  if (from === to) return copyBytes(EMPTY_ROOT)
  if (from + 1 === to) return hasher.leaf(page, from)
  const bit = sharedBits(page.keys, from, to - 1)
  const middle = splitAt(rows, bit)
  const left = hashRows(hasher, { page, from, to: middle })
  return hasher.inner(left, hashRows(hasher, { page, from: middle, to }), bit)
}
