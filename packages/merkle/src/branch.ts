import type { Bytes, Prefix, Subtree } from '@vault/core'
import { copyBytes } from '@vault/core'
import { EMPTY_ROOT, type NodeHasher } from './node-hasher.ts'

/** The sixteen hexadecimal digits, in the order of the keys. */
export const DIGITS: readonly string[] = [...'0123456789abcdef']

/** The sixteen subtrees below a prefix, known. */
export interface Branch {
  readonly prefix: Prefix
  readonly children: readonly Subtree[]
}

/** The subtree that a branch makes up. */
export function joinBranch(hasher: NodeHasher, branch: Branch): Subtree {
  let count = 0
  for (const child of branch.children) count += child.count
  return { hash: hashSpan(hasher, branch, 0, 16) ?? copyBytes(EMPTY_ROOT), count }
}

/**
 * The hash over `size` children from `start` on, a power of two and a multiple of it; `undefined` where all are empty.
 * That a subtree's hash does not depend on where it hangs, because paths are compressed, is what makes this possible.
 */
export function hashSpan(hasher: NodeHasher, branch: Branch, start: number, size: number): Bytes | undefined {
  if (size === 1) {
    const { hash, count } = branch.children[start] as Subtree
    return count === 0 ? undefined : hash
  }
  const half = size / 2
  const left = hashSpan(hasher, branch, start, half)
  const right = hashSpan(hasher, branch, start + half, half)
  if (left === undefined || right === undefined) return left ?? right
  return hasher.inner(left, right, bitOfSpan(branch, size))
}

/** The key bit that tells the two halves of a span apart. */
export function bitOfSpan({ prefix }: Branch, size: number): number {
  return prefix.length * 4 + Math.clz32(size) - 27
}
