import type { AbortOptions, Bytes } from '@vault/core'
import { LogHasher } from './log-hasher.ts'
import type { LogNode, LogNodes } from './log-node.ts'
import { checkSize, peaksOf, readNodes } from './log-node.ts'
import { joinPeaks } from './log-root.ts'

/** What lies beside the way from a complete subtree up to the root, in the order of a proof. */
interface Beside {
  /** The siblings inside the peak that the way begins in, upwards. */
  readonly inside: readonly LogNode[]
  /** The peaks to its right, from left to right. Joined they are one hash of the proof; none where there are none. */
  readonly right: readonly LogNode[]
  /** The peaks to its left, from right to left. */
  readonly left: readonly LogNode[]
}

/**
 * The proof that leaf `index`, from 0, is in the log of `size` leaves (RFC 9162, 2.1.3): at most 53 hashes, from the leaf
 * to the root, from one read. Throws a `RangeError` where the log has no such leaf, `MERKLE_NODES_INVALID`, and what
 * `nodes` throws. The nodes are taken as they are: damaged ones give a proof that does not hold.
 */
export async function proveInclusion(
  nodes: LogNodes,
  range: { readonly index: number; readonly size: number },
  options?: AbortOptions,
): Promise<readonly Bytes[]> {
  const { index, size } = range
  checkSize(size)
  checkSize(index)
  if (index >= size) throw new RangeError(`A log of ${size} leaves has no leaf ${index}.`)
  return readProof(nodes, { beside: besideWay({ level: 0, index }, size) }, options)
}

/**
 * The proof that the first `from` leaves of the log of `to` leaves are the log of that size (RFC 9162, 2.1.4): at most 54
 * hashes, from one read; none where `from` is 0 or equals `to`. Throws a `RangeError` where `from` is greater than `to`,
 * `MERKLE_NODES_INVALID`, and what `nodes` throws. The nodes are taken as they are: damaged ones give a proof that does
 * not hold.
 */
export async function proveConsistency(
  nodes: LogNodes,
  range: { readonly from: number; readonly to: number },
  options?: AbortOptions,
): Promise<readonly Bytes[]> {
  const { from, to } = range
  checkSize(from)
  checkSize(to)
  if (from > to) throw new RangeError(`A log of ${to} leaves has not grown from ${from}.`)
  options?.signal?.throwIfAborted()
  const last = peaksOf(from).at(-1)
  if (last === undefined || from === to) return []
  // The only peak of the old log is its root, which the verifier has.
  const beside = besideWay(last, to)
  return readProof(nodes, last.index === 0 ? { beside } : { first: last, beside }, options)
}

/** Every complete subtree lies in one peak of every log that has it. */
function besideWay(node: LogNode, size: number): Beside {
  const peaks = peaksOf(size)
  const start = node.index * 2 ** node.level
  const at = peaks.findIndex(({ level, index }) => (index + 1) * 2 ** level > start)
  const inside: LogNode[] = []
  let { level, index } = node
  for (const top = (peaks[at] as LogNode).level; level < top; level++) {
    inside.push({ level, index: index % 2 === 0 ? index + 1 : index - 1 })
    index = Math.floor(index / 2)
  }
  return { inside, right: peaks.slice(at + 1), left: peaks.slice(0, at).reverse() }
}

async function readProof(
  nodes: LogNodes,
  way: { readonly first?: LogNode; readonly beside: Beside },
  options?: AbortOptions,
): Promise<readonly Bytes[]> {
  const { inside, right, left } = way.beside
  const below = way.first === undefined ? inside : [way.first, ...inside]
  const hashes = await readNodes(nodes, [...below, ...right, ...left], options)
  if (right.length === 0) return hashes
  const end = below.length + right.length
  const joined = joinPeaks(new LogHasher(), hashes.slice(below.length, end))
  return [...hashes.slice(0, below.length), joined, ...hashes.slice(end)]
}
