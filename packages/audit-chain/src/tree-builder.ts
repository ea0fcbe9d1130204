import type { AbortOptions, Bytes } from '@vault/core'
import type { LogEdge } from '@vault/merkle'
import { leafHash, loadLogEdge } from '@vault/merkle'
import type { AuthenticTiles } from './authentic-tiles.ts'
import { tileOf } from './authentic-tiles.ts'
import { encodeEntryBundle } from './entry-bundle.ts'
import type { LogFile } from './log-store.ts'
import { entriesPath, TILE_WIDTH, tilePath } from './tile.ts'

const TILE_HEIGHT = 8

/** The hashes of a level's last tile. */
interface LevelEdge {
  /** Full tiles before it. */
  full: number
  hashes: Bytes[]
  /** Whether it has a hash that no file has yet. */
  changed: boolean
}

/** Turns entries, one after the other, into the files of the tree. Holds one tile for each level and one bundle. */
export class TreeBuilder {
  readonly #edge: LogEdge
  readonly #levels: LevelEdge[]
  #entries: Bytes[]
  #last: Bytes | undefined

  private constructor(edge: LogEdge, levels: LevelEdge[], entries: Bytes[], last: Bytes | undefined) {
    this.#edge = edge
    this.#levels = levels
    this.#entries = entries
    this.#last = last
  }

  /** A builder that goes on where this tree ends. */
  static async load(tiles: AuthenticTiles, options?: AbortOptions): Promise<TreeBuilder> {
    const { size } = tiles
    const levels: LevelEdge[] = []
    for (let count = size; count > 0; count = Math.floor(count / TILE_WIDTH)) {
      const full = Math.floor(count / TILE_WIDTH)
      const tile = await tiles.hashes(levels.length, full, options)
      const hashes = Array.from({ length: count % TILE_WIDTH }, (_, i) => tile.at(i))
      levels.push({ full, hashes, changed: false })
    }
    const rest = size % TILE_WIDTH === 0 ? [] : (await tiles.bundle(Math.floor(size / TILE_WIDTH), options)).entries
    const [last] = size === 0 ? [] : await tiles.read([{ level: 0, index: size - 1 }], options)
    return new TreeBuilder(await loadLogEdge(tiles, size, options), levels, [...rest], last)
  }

  get size(): number {
    return this.#edge.size
  }

  /** Leaf hash of the last entry; `null` where there is none. */
  get last(): Bytes | null {
    return this.#last ?? null
  }

  root(): Bytes {
    return this.#edge.root()
  }

  /** Adds an entry; returns the files that it made full: the bundle first, then the tiles from the lowest. */
  append(entry: Bytes): readonly LogFile[] {
    const files: LogFile[] = []
    const bundle = Math.floor(this.size / TILE_WIDTH)
    this.#last = leafHash(entry)
    this.#entries.push(entry)
    if (this.#entries.length === TILE_WIDTH) {
      files.push({ name: entriesPath(bundle), bytes: encodeEntryBundle(this.#entries) })
      this.#entries = []
    }
    this.#edge.append(this.#last, ({ level }, hash) => {
      if (level % TILE_HEIGHT === 0) files.push(...this.#push(level / TILE_HEIGHT, hash))
    })
    return files
  }

  /** The partial files that have changed since they were last asked for. */
  partial(): readonly LogFile[] {
    const files: LogFile[] = []
    for (const [level, tile] of this.#levels.entries()) {
      if (!tile.changed) continue
      tile.changed = false
      const { length } = tile.hashes
      if (level === 0) {
        files.push({ name: entriesPath(tile.full, length), bytes: encodeEntryBundle(this.#entries) })
      }
      files.push({ name: tilePath(level, tile.full, length), bytes: tileOf(tile.hashes) })
    }
    return files
  }

  #push(level: number, hash: Bytes): readonly LogFile[] {
    const tile = this.#levels[level] ?? { full: 0, hashes: [], changed: false }
    this.#levels[level] = tile
    tile.hashes.push(hash)
    tile.changed = tile.hashes.length < TILE_WIDTH
    if (tile.changed) return []
    const file = { name: tilePath(level, tile.full), bytes: tileOf(tile.hashes) }
    tile.full++
    tile.hashes = []
    return [file]
  }
}
