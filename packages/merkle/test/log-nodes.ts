import type { Bytes } from '@vault/core'
import type { LogNode, LogNodes } from '../src/index.ts'
import { sha256 } from './log-reference.ts'

/** Nodes of a log in memory, computed by their definition. Counts reads; throws for subtrees that the log has not. */
export class MemoryNodes implements LogNodes {
  reads = 0
  readonly #levels: Bytes[][]

  constructor(data: readonly Uint8Array[]) {
    const levels = [data.map((leaf) => sha256(new Uint8Array([0]), leaf))]
    for (let below = levels[0] as Bytes[]; below.length > 1; below = levels.at(-1) as Bytes[]) {
      const pairs = Array.from({ length: below.length >> 1 }, (_, i) => below.slice(2 * i, 2 * i + 2))
      levels.push(pairs.map((pair) => sha256(new Uint8Array([1]), ...pair)))
    }
    this.#levels = levels
  }

  async read(nodes: readonly LogNode[]): Promise<readonly Bytes[]> {
    this.reads++
    return nodes.map((node) => this.hash(node))
  }

  hash({ level, index }: LogNode): Bytes {
    const hash = this.#levels[level]?.[index]
    if (hash === undefined) throw new Error(`the log has no node ${index} of level ${level}`)
    return hash
  }
}

/**
 * A log of 2^53 - 1 leaves, all alike but those at some positions: only the subtrees above these are computed. `root` is the
 * recursive definition over it, in BigInt, so that nothing is lost above 2^31 or 2^53.
 */
export class SparseNodes implements LogNodes {
  /** The most nodes that were asked for at once. */
  most = 0
  readonly #special: readonly bigint[]
  readonly #alike: Bytes[] = [leafAt(undefined)]

  constructor(special: readonly number[]) {
    this.#special = special.map(BigInt)
    for (let level = 1; level <= 53; level++) {
      const below = this.#alike[level - 1] as Bytes
      this.#alike.push(sha256(new Uint8Array([1]), below, below))
    }
  }

  async read(nodes: readonly LogNode[]): Promise<readonly Bytes[]> {
    this.most = Math.max(this.most, nodes.length)
    return nodes.map(({ level, index }) => {
      if (!Number.isSafeInteger(level) || !Number.isSafeInteger(index)) throw new Error('not a node')
      const start = BigInt(index) << BigInt(level)
      const end = start + (1n << BigInt(level))
      if (level < 0 || index < 0 || end > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('beyond the log')
      return this.#hash(start, end)
    })
  }

  root(size: number): Bytes {
    return this.#hash(0n, BigInt(size))
  }

  leaf(index: number): Bytes {
    return this.#hash(BigInt(index), BigInt(index) + 1n)
  }

  #hash(start: bigint, end: bigint): Bytes {
    const width = end - start
    if (width === 1n) return leafAt(this.#special.includes(start) ? start : undefined)
    const isComplete = (width & (width - 1n)) === 0n
    if (isComplete && !this.#special.some((at) => at >= start && at < end)) {
      return this.#alike[width.toString(2).length - 1] as Bytes
    }
    const half = 1n << BigInt((width - 1n).toString(2).length - 1)
    return sha256(new Uint8Array([1]), this.#hash(start, start + half), this.#hash(start + half, end))
  }
}

function leafAt(special: bigint | undefined): Bytes {
  return sha256(new Uint8Array([0]), new TextEncoder().encode(special === undefined ? 'alike' : `${special}`))
}
