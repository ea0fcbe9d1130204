import type { Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import { createLogEdge } from '@vault/merkle'
import { TILE_WIDTH } from './tile.ts'

const HASH_LENGTH = 32
/** A full tile has so many hashes with all those above them. */
const MAX_NODES = 2 * TILE_WIDTH - 1

/** The hashes of a tile and of all complete subtrees above them, computed once. Not to be changed. */
export class TileTree {
  /** Number of hashes in the tile itself. */
  readonly width: number
  /** The largest complete subtrees from left to right: for a full tile the one hash of the level above. */
  readonly peaks: readonly Bytes[]
  /** Level by level, each beginning where {@link startOf} says. */
  readonly #nodes: Uint8Array

  constructor(content: Uint8Array) {
    this.width = content.length / HASH_LENGTH
    this.#nodes = new Uint8Array(this.width === 0 ? 0 : MAX_NODES * HASH_LENGTH)
    const edge = createLogEdge(0, [])
    for (let i = 0; i < this.width; i++) {
      edge.append(content.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH), ({ level, index }, hash) => {
        this.#nodes.set(hash, (startOf(level) + index) * HASH_LENGTH)
      })
    }
    this.peaks = edge.hashes
  }

  /** The complete subtree over 2^`level` hashes of the tile, at this position in its level. */
  node(level: number, index: number): Bytes {
    const start = (startOf(level) + index) * HASH_LENGTH
    return copyBytes(this.#nodes.subarray(start, start + HASH_LENGTH))
  }

  /** The hash at a position of the tile. */
  at(position: number): Bytes {
    return this.node(0, position)
  }
}

/** How many nodes of a full tile lie on lower levels. */
function startOf(level: number): number {
  return 2 * TILE_WIDTH - 2 * (TILE_WIDTH >> level)
}
