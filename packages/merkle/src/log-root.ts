import type { AbortOptions, Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import { LogHasher } from './log-hasher.ts'
import type { LogNodes } from './log-node.ts'
import { checkSize, peaksOf, readNodes } from './log-node.ts'
import { EMPTY_ROOT } from './node-hasher.ts'

/**
 * The root of the first `size` leaves of a log (RFC 9162, 2.1.1), from one read of at most 53 nodes; `EMPTY_ROOT` for
 * size 0. Throws a `RangeError` for what is no size, `MERKLE_NODES_INVALID`, and what `nodes` throws.
 */
export async function logRoot(nodes: LogNodes, size: number, options?: AbortOptions): Promise<Bytes> {
  checkSize(size)
  return joinPeaks(new LogHasher(), await readNodes(nodes, peaksOf(size), options))
}

/** The root over neighbouring complete subtrees, given from left to right, each smaller than the one before. */
export function joinPeaks(hasher: LogHasher, peaks: readonly Uint8Array[]): Bytes {
  let root = peaks.at(-1) ?? EMPTY_ROOT
  for (let i = peaks.length - 2; i >= 0; i--) root = hasher.node(peaks[i] as Uint8Array, root)
  return copyBytes(root)
}
