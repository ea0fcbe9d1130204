import type { AbortOptions, Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import { checkHashLength, LogHasher } from './log-hasher.ts'
import type { LogNode, LogNodes } from './log-node.ts'
import { checkSize, peaksOf, readNodes } from './log-node.ts'
import { joinPeaks } from './log-root.ts'

/** The right edge of a growing log: the few hashes from which it goes on, at most 53 for any size. */
export interface LogEdge {
  /** Number of leaves. */
  readonly size: number
  /** The hashes of its largest complete subtrees from left to right, one for each bit of the size. Copies. */
  readonly hashes: readonly Bytes[]
  /**
   * Adds a leaf by its hash, and calls `completed` for every subtree that it completes: first the leaf itself, then
   * upwards. Where `completed` throws, the edge stays as it was. Throws a `RangeError` for a hash of another length and
   * for the leaf that makes 2^53.
   */
  append(leaf: Uint8Array, completed?: (node: LogNode, hash: Bytes) => void): void
  /** The root of the log. */
  root(): Bytes
}

/** An edge from what `size` and `hashes` of another said. Throws a `RangeError` where the two do not fit together. */
export function createLogEdge(size: number, hashes: readonly Uint8Array[]): LogEdge {
  checkSize(size)
  const { length } = peaksOf(size)
  if (hashes.length !== length)
    throw new RangeError(`The edge of ${size} leaves has ${length} hashes, not ${hashes.length}.`)
  for (const hash of hashes) checkHashLength(hash)
  return new GrowingEdge(size, hashes)
}

/**
 * The edge of a log as it was at some size, from one read. Compare its root with the one that was signed: damaged nodes
 * give another. Throws a `RangeError` for what is no size, `MERKLE_NODES_INVALID`, and what `nodes` throws.
 */
export async function loadLogEdge(nodes: LogNodes, size: number, options?: AbortOptions): Promise<LogEdge> {
  checkSize(size)
  return createLogEdge(size, await readNodes(nodes, peaksOf(size), options))
}

class GrowingEdge implements LogEdge {
  readonly #hasher = new LogHasher()
  /** The hash of the peak of each level. The size says which levels have one; what others hold is left over. */
  readonly #peaks: Bytes[] = []
  #size: number

  constructor(size: number, hashes: readonly Uint8Array[]) {
    this.#size = size
    for (const [i, { level }] of peaksOf(size).entries()) this.#peaks[level] = copyBytes(hashes[i] as Uint8Array)
  }

  get size(): number {
    return this.#size
  }

  get hashes(): readonly Bytes[] {
    return this.#current().map((hash) => copyBytes(hash))
  }

  append(leaf: Uint8Array, completed?: (node: LogNode, hash: Bytes) => void): void {
    checkHashLength(leaf)
    if (this.#size === Number.MAX_SAFE_INTEGER) throw new RangeError('The log is full: it has 2^53 - 1 leaves.')
    let hash = copyBytes(leaf)
    let level = 0
    let index = this.#size
    completed?.({ level, index }, hash)
    while (index % 2 === 1) {
      hash = this.#hasher.node(this.#peaks[level] as Bytes, hash)
      level++
      index = Math.floor(index / 2)
      completed?.({ level, index }, hash)
    }
    this.#peaks[level] = copyBytes(hash)
    this.#size++
  }

  root(): Bytes {
    return joinPeaks(this.#hasher, this.#current())
  }

  #current(): Bytes[] {
    return peaksOf(this.#size).map(({ level }) => this.#peaks[level] as Bytes)
  }
}
