import type { Bytes } from '@vault/core'
import type { LogEdge } from '@vault/merkle'
import { createLogEdge } from '@vault/merkle'
import { TILE_WIDTH } from './tile.ts'

const TILE_HEIGHT = 8

/** The hashes of a tile. */
export interface TrackedTile {
  readonly level: number
  readonly index: number
  readonly hashes: readonly Bytes[]
}

/** Grows a tree from leaf hashes: its root at every size, and the content of each of its tiles. */
export class RootTracker {
  readonly #edge: LogEdge = createLogEdge(0, [])
  /** The last tile of each level. */
  readonly #last: { index: number; hashes: Bytes[] }[] = []
  #full: TrackedTile[] = []

  get size(): number {
    return this.#edge.size
  }

  root(): Bytes {
    return this.#edge.root()
  }

  append(hash: Bytes): void {
    this.#edge.append(hash, (node, subtree) => {
      if (node.level % TILE_HEIGHT === 0) this.#push(node.level / TILE_HEIGHT, subtree)
    })
  }

  /** The tiles that have become full since this was last asked. */
  takeFullTiles(): readonly TrackedTile[] {
    const full = this.#full
    this.#full = []
    return full
  }

  /** The tiles at the end that are not full. */
  partialTiles(): readonly TrackedTile[] {
    return this.#last.flatMap(({ index, hashes }, level) => (hashes.length === 0 ? [] : [{ level, index, hashes }]))
  }

  #push(level: number, hash: Bytes): void {
    const tile = this.#last[level] ?? { index: 0, hashes: [] }
    this.#last[level] = tile
    tile.hashes.push(hash)
    if (tile.hashes.length < TILE_WIDTH) return
    this.#full.push({ level, index: tile.index, hashes: tile.hashes })
    tile.index++
    tile.hashes = []
  }
}
