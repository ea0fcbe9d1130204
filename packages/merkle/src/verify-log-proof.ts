import { equalBytes } from '@vault/core'
import { invalidProof } from './error.ts'
import { LogHasher } from './log-hasher.ts'
import { isSize } from './log-node.ts'
import { EMPTY_ROOT } from './node-hasher.ts'

/** Returns where the leaf is at `index`, from 0, of the log of this size and root; else throws `MERKLE_PROOF_INVALID`. */
export function verifyInclusion(
  claim: {
    readonly index: number
    readonly size: number
    /** The leaf's hash, not its data. */
    readonly leaf: Uint8Array
    readonly root: Uint8Array
  },
  proof: readonly Uint8Array[],
): void {
  const { index, size, leaf, root } = claim
  if (!isSize(index) || !isSize(size) || index >= size) throw invalidProof(`a log of ${size} has no leaf ${index}`)
  checkHash(leaf)
  const hasher = new LogHasher()
  let hash = leaf
  climb({ index, last: size - 1 }, proof, 0, (sibling, isLeft) => {
    hash = isLeft ? hasher.node(sibling, hash) : hasher.node(hash, sibling)
  })
  if (!equalBytes(hash, root)) throw invalidProof('it leads to another root')
}

/**
 * Returns where the log of size `to` begins with the log of size `from`; else throws `MERKLE_PROOF_INVALID`. Every log
 * begins with the empty one: then, and where the sizes are equal, only the empty proof holds.
 */
export function verifyConsistency(
  claim: {
    readonly from: number
    readonly to: number
    readonly fromRoot: Uint8Array
    readonly toRoot: Uint8Array
  },
  proof: readonly Uint8Array[],
): void {
  const { from, to, fromRoot, toRoot } = claim
  if (!isSize(from) || !isSize(to) || from > to) throw invalidProof(`no log of ${to} begins with one of ${from}`)
  checkHash(fromRoot)
  checkHash(toRoot)
  if (from === 0 && !equalBytes(fromRoot, EMPTY_ROOT)) throw invalidProof('an empty log has another root')
  if (from === to && !equalBytes(fromRoot, toRoot)) throw invalidProof('two logs of one size have two roots')
  if (from === 0 || from === to) {
    if (proof.length > 0) throw tooLong()
    return
  }
  checkGrowth(claim, proof)
}

/** Climbs from the last complete subtree of the old log, and computes the roots of both logs on the way. */
function checkGrowth(claim: Parameters<typeof verifyConsistency>[0], proof: readonly Uint8Array[]): void {
  let [index, last] = [claim.from - 1, claim.to - 1]
  while (index % 2 === 1) [index, last] = [Math.floor(index / 2), Math.floor(last / 2)]
  // The old log of a power of two is that subtree: its hash is not in the proof, for the verifier has it.
  const start = index === 0 ? claim.fromRoot : proof[0]
  if (start === undefined) throw tooShort()
  checkHash(start)
  const hasher = new LogHasher()
  let [before, after] = [start, start]
  climb({ index, last }, proof, index === 0 ? 0 : 1, (sibling, isLeft) => {
    if (isLeft) before = hasher.node(sibling, before)
    after = isLeft ? hasher.node(sibling, after) : hasher.node(after, sibling)
  })
  if (!equalBytes(before, claim.fromRoot)) throw invalidProof('it leads to another root of the smaller log')
  if (!equalBytes(after, claim.toRoot)) throw invalidProof('it leads to another root of the larger log')
}

/**
 * The way from a node up to the root, both named by their positions in a level of which `last` is the last (RFC 9162,
 * 2.1.3.2): calls `step` with each hash from `proof[first]` on. Stops with an error where the proof does not have exactly
 * the hashes of that way, after at most 53 of them.
 */
function climb(
  from: { readonly index: number; readonly last: number },
  proof: readonly Uint8Array[],
  first: number,
  step: (sibling: Uint8Array, isLeft: boolean) => void,
): void {
  let { index, last } = from
  const up = () => {
    index = Math.floor(index / 2)
    last = Math.floor(last / 2)
  }
  for (let i = first; i < proof.length; i++) {
    if (last === 0) throw tooLong()
    const sibling = proof[i] as Uint8Array
    checkHash(sibling)
    const isLeft = index % 2 === 1 || index === last
    step(sibling, isLeft)
    // The last node of a level may have no sibling there: it is its own parent until it is a right child.
    while (isLeft && index % 2 === 0 && index > 0) up()
    up()
  }
  if (last > 0) throw tooShort()
}

/** Hashes come from outside: a wrong length is a claim that cannot be proven, not a caller's mistake. */
function checkHash(hash: Uint8Array): void {
  if (hash.length !== 32) throw invalidProof(`a hash has 32 bytes, not ${hash.length}`)
}

const tooLong = () => invalidProof('it has more hashes than the sizes allow')
const tooShort = () => invalidProof('it has fewer hashes than the sizes require')
