import type { AbortOptions, Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import { invalidNodes } from './error.ts'

/**
 * A complete subtree of the log: level 0 are leaf hashes, and it covers the 2^level leaves from `index` * 2^level on.
 * Complete subtrees never change while the log grows.
 */
export interface LogNode {
  /** 0 to 52. */
  readonly level: number
  /** Position in its level, from 0. */
  readonly index: number
}

/** Where hashes of complete subtrees come from, such as the tiles of a log. */
export interface LogNodes {
  /** The 32-byte hashes of these nodes, in the order asked; throws where one is missing. */
  read(nodes: readonly LogNode[], options?: AbortOptions): Promise<readonly Bytes[]>
}

/** A safe integer is below 2^53, so no complete subtree has more than 2^52 leaves. */
const MAX_LEVEL = 52

/** Whether a number can be the size of a log. Sizes are not 32-bit integers: shifts would cut them. */
export function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

/** Throws a `RangeError` for what cannot be the size of a log. */
export function checkSize(size: number): void {
  if (!isSize(size)) throw new RangeError(`The size of a log is a whole number below 2^53, not ${size}.`)
}

/** The largest complete subtrees that a log of some size consists of, from left to right: one for each bit of the size. */
export function peaksOf(size: number): readonly LogNode[] {
  const peaks: LogNode[] = []
  let start = 0
  for (let level = MAX_LEVEL; level >= 0; level--) {
    const width = 2 ** level
    if (size - start < width) continue
    peaks.push({ level, index: start / width })
    start += width
  }
  return peaks
}

/** `LogNodes.read`, with what it owes checked, and copied, since a hash may be a slice of a tile that is used again. */
export async function readNodes(
  nodes: LogNodes,
  wanted: readonly LogNode[],
  options?: AbortOptions,
): Promise<readonly Bytes[]> {
  options?.signal?.throwIfAborted()
  if (wanted.length === 0) return []
  const hashes = await nodes.read(wanted, options)
  if (hashes.length !== wanted.length) throw invalidNodes(`${hashes.length} hashes for ${wanted.length} nodes`)
  return hashes.map((hash) => {
    if (hash.length !== 32) throw invalidNodes(`a hash of ${hash.length} bytes`)
    return copyBytes(hash)
  })
}
