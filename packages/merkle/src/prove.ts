import type { AbortOptions, Bytes, KeyTable } from '@vault/core'
import { copyBytes, equalBytes, KEY_LENGTH } from '@vault/core'
import type { Branch } from './branch.ts'
import { bitOfSpan, DIGITS, hashSpan } from './branch.ts'
import type { NodeHasher } from './node-hasher.ts'
import { hashRows } from './page-root.ts'
import type { Rows } from './rows.ts'
import { hasBit, scanRows, sharedBits, splitAt } from './rows.ts'
import type { AbsenceProof, PresenceProof, ProofStep } from './set-proof.ts'
import { BRANCH_ABOVE, SubtreeWalk } from './subtree-walk.ts'

/** The leaf at which a search for a key ends, and the way back to the root. */
interface Found {
  readonly key: Bytes
  readonly value: Bytes
  readonly path: readonly ProofStep[]
}

/** The proof that the table has a key; `undefined` where it has not. Throws `MERKLE_TABLE_INVALID`. */
export async function provePresence(
  table: KeyTable,
  key: Uint8Array,
  options?: AbortOptions,
): Promise<PresenceProof | undefined> {
  const found = await search(table, key, options)
  if (found === undefined || !equalBytes(found.key, key)) return undefined
  return { type: 'presence', value: found.value, path: found.path }
}

/** The proof that the table does not have a key; `undefined` where it has. Throws `MERKLE_TABLE_INVALID`. */
export async function proveAbsence(
  table: KeyTable,
  key: Uint8Array,
  options?: AbortOptions,
): Promise<AbsenceProof | undefined> {
  const found = await search(table, key, options)
  if (found === undefined) return { type: 'absence' }
  return equalBytes(found.key, key) ? undefined : { type: 'absence', found }
}

/** From the root down, at every inner node to the side that the key's bit names: this ends at exactly one leaf. */
async function search(table: KeyTable, key: Uint8Array, options?: AbortOptions): Promise<Found | undefined> {
  options?.signal?.throwIfAborted()
  if (key.length !== KEY_LENGTH) throw new RangeError(`A key has ${KEY_LENGTH} bytes, not ${key.length}.`)
  const walk = new SubtreeWalk(table, options)
  const path: ProofStep[] = []
  let prefix = ''
  let count = Number.POSITIVE_INFINITY
  while (count > BRANCH_ABOVE) {
    const branch = await walk.branch(prefix)
    const digit = searchBranch(walk.hasher, branch, key, path)
    prefix += DIGITS[digit]
    count = branch.children[digit]?.count as number
  }
  await walk.flush()
  const rows = await scanRows(table, { prefix, limit: BRANCH_ABOVE + 1 }, options)
  const leaf = searchRows(walk.hasher, rows, key, path)
  return leaf === undefined ? undefined : { ...leaf, path: path.reverse() }
}

/** The digit at which the search goes on. Adds a step for each of the up to four inner nodes inside the branch. */
function searchBranch(hasher: NodeHasher, branch: Branch, key: Uint8Array, path: ProofStep[]): number {
  let start = 0
  for (let size = 16; size > 1; size /= 2) {
    const half = size / 2
    const bit = bitOfSpan(branch, size)
    const [near, far] = hasBit(key, 0, bit) ? [start + half, start] : [start, start + half]
    const sibling = hashSpan(hasher, branch, far, half)
    const empty = branch.children.slice(near, near + half).every(({ count }) => count === 0)
    if (!empty && sibling !== undefined) path.push({ bit, sibling: copyBytes(sibling) })
    start = empty ? far : near
  }
  return start
}

function searchRows(
  hasher: NodeHasher,
  { page, from, to }: Rows,
  key: Uint8Array,
  path: ProofStep[],
): Omit<Found, 'path'> | undefined {
  if (from === to) return undefined
  let [first, end] = [from, to]
  while (end - first > 1) {
    const bit = sharedBits(page.keys, first, end - 1)
    const middle = splitAt({ page, from: first, to: end }, bit)
    const right = hasBit(key, 0, bit)
    const [siblingFrom, siblingTo] = right ? [first, middle] : [middle, end]
    path.push({ bit, sibling: hashRows(hasher, { page, from: siblingFrom, to: siblingTo }) })
    if (right) first = middle
    else end = middle
  }
  const [start, stop] = [first * KEY_LENGTH, end * KEY_LENGTH]
  return { key: page.keys.slice(start, stop), value: page.values?.slice(start, stop) ?? new Uint8Array(KEY_LENGTH) }
}
