import type { AbortOptions, Bytes } from '@vault/core'
import { concatBytes, copyBytes, equalBytes, isVaultError, Recent } from '@vault/core'
import type { LogNode, LogNodes } from '@vault/merkle'
import { createLogEdge, leafHash, logRoot } from '@vault/merkle'
import { decodeEntryBundle } from './entry-bundle.ts'
import type { LogReader } from './log-store.ts'
import { entriesPath, TILE_WIDTH, tilePath } from './tile.ts'
import { TileTree } from './tile-tree.ts'
import { missing, tampered } from './trail-error.ts'

const HASH_LENGTH = 32
/** Levels of the binary tree in one tile. */
const TILE_HEIGHT = 8
/** Full tiles kept: 16 MiB, which is the lowest level of 262,144 entries. */
const MAX_CACHED = 1024

/** The entries of a bundle, each with its leaf hash. */
export interface AuthenticBundle {
  readonly entries: readonly Bytes[]
  readonly hashes: readonly Bytes[]
}

/**
 * The tree of a log at one size and root. Whatever it returns has been hashed up to that root, from the top down, so it does
 * not matter who serves the files. Throws `AUDIT_MISSING` and `AUDIT_TAMPERED` with the file in `details`, and never returns
 * anything else than what the root stands for.
 */
export class AuthenticTiles implements LogNodes {
  readonly size: number
  readonly root: Bytes
  readonly #reader: LogReader
  /** The partial tile of each level, empty where the level ends with a full one. */
  readonly #edge: readonly TileTree[]
  /** Full tiles that were hashed up to the root. They stay what they are when the log grows. */
  readonly #full: Recent<TileTree>

  private constructor(
    reader: LogReader,
    size: number,
    root: Uint8Array,
    edge: readonly TileTree[],
    full: Recent<TileTree>,
  ) {
    this.#reader = reader
    this.size = size
    this.root = copyBytes(root)
    this.#edge = edge
    this.#full = full
  }

  /** Reads the partial tiles and hashes them up to the root. `earlier`: the same log at a smaller size, whose full tiles need no second reading. */
  static async load(
    reader: LogReader,
    { size, root, earlier }: { readonly size: number; readonly root: Uint8Array; readonly earlier?: AuthenticTiles },
    options?: AbortOptions,
  ): Promise<AuthenticTiles> {
    const edge: TileTree[] = []
    for (let count = size, level = 0; count > 0; count = Math.floor(count / TILE_WIDTH), level++) {
      const width = count % TILE_WIDTH
      const index = Math.floor(count / TILE_WIDTH)
      edge.push(new TileTree(width === 0 ? new Uint8Array(0) : await readTile(reader, level, index, width, options)))
    }
    if (!equalBytes(rootOfEdge(size, edge), root)) {
      const lowest = edge.findIndex(({ width }) => width > 0)
      const index = Math.floor(size / TILE_WIDTH ** (lowest + 1))
      const file = lowest < 0 ? 'checkpoint' : tilePath(lowest, index, edge[lowest]?.width)
      throw tampered(file, `the partial tiles of size ${size} do not give its root`)
    }
    return new AuthenticTiles(reader, size, root, edge, earlier === undefined ? new Recent(MAX_CACHED) : earlier.#full)
  }

  /** The same tree, whose entries come from another copy of the log. */
  withEntriesOf(reader: LogReader): AuthenticTiles {
    const split: LogReader = {
      read: (name, options) => (name.startsWith('tile/entries/') ? reader : this.#reader).read(name, options),
    }
    return new AuthenticTiles(split, this.size, this.root, this.#edge, this.#full)
  }

  /** Hashes of complete subtrees within the size. Throws a `RangeError` for others. */
  async read(nodes: readonly LogNode[], options?: AbortOptions): Promise<readonly Bytes[]> {
    const hashes: Bytes[] = []
    for (const { level, index } of nodes) {
      if ((index + 1) * 2 ** level > this.size)
        throw new RangeError(`No complete subtree ${level}/${index} in ${this.size}.`)
      const tileLevel = Math.floor(level / TILE_HEIGHT)
      const within = level % TILE_HEIGHT
      const perTile = TILE_WIDTH / 2 ** within
      const tile = await this.hashes(tileLevel, Math.floor(index / perTile), options)
      hashes.push(tile.node(within, index % perTile))
    }
    return hashes
  }

  /** The root of the first `size` entries. */
  async rootAt(size: number, options?: AbortOptions): Promise<Bytes> {
    return size === this.size ? copyBytes(this.root) : await logRoot(this, size, options)
  }

  /** A hash tile, as wide as this size makes it. */
  async hashes(level: number, index: number, options?: AbortOptions): Promise<TileTree> {
    const count = Math.floor(this.size / TILE_WIDTH ** level)
    if (index === Math.floor(count / TILE_WIDTH)) return this.#edge[level] as TileTree
    const name = tilePath(level, index)
    const known = this.#full.get(name)
    if (known !== undefined) return known
    const above = await this.hashes(level + 1, Math.floor(index / TILE_WIDTH), options)
    const tile = new TileTree(await readTile(this.#reader, level, index, TILE_WIDTH, options))
    if (!equalBytes(tile.peaks[0] as Bytes, above.at(index % TILE_WIDTH))) {
      throw tampered(name, 'its hashes do not give the one above them')
    }
    this.#full.keep(name, tile)
    return tile
  }

  /** The entries of a bundle, as many as this size gives it. */
  async bundle(index: number, options?: AbortOptions): Promise<AuthenticBundle> {
    const tile = await this.hashes(0, index, options)
    const { name, entries } = await readBundle(this.#reader, index, tile.width, options)
    const hashes = entries.map(leafHash)
    for (const [i, hash] of hashes.entries()) {
      if (!equalBytes(hash, tile.at(i))) throw tampered(name, 'its hash is another', index * TILE_WIDTH + i)
    }
    return { entries, hashes }
  }
}

/** The root of a log whose levels end with these partial tiles, the lowest first. */
function rootOfEdge(size: number, edge: readonly TileTree[]): Bytes {
  return createLogEdge(
    size,
    edge.toReversed().flatMap(({ peaks }) => peaks),
  ).root()
}

/** A tile of this width; where the log has grown over it, what the full one begins with. */
async function readTile(
  reader: LogReader,
  level: number,
  index: number,
  width: number,
  options: AbortOptions | undefined,
): Promise<Uint8Array> {
  for (const stored of new Set([width, TILE_WIDTH])) {
    const name = tilePath(level, index, stored)
    const bytes = await reader.read(name, options)
    if (bytes === undefined) continue
    if (bytes.length !== stored * HASH_LENGTH) throw tampered(name, `it has ${bytes.length} bytes`)
    return bytes.subarray(0, width * HASH_LENGTH)
  }
  throw missing(tilePath(level, index, width))
}

async function readBundle(
  reader: LogReader,
  index: number,
  width: number,
  options: AbortOptions | undefined,
): Promise<{ readonly name: string; readonly entries: readonly Bytes[] }> {
  for (const stored of new Set([width, TILE_WIDTH])) {
    const name = entriesPath(index, stored)
    const bytes = await reader.read(name, options)
    if (bytes === undefined) continue
    const entries = decodeBundle(name, bytes, index)
    if (entries.length !== stored) throw tampered(name, `it has ${entries.length} entries`, index * TILE_WIDTH)
    return { name, entries: entries.slice(0, width) }
  }
  throw missing(entriesPath(index, width))
}

function decodeBundle(name: string, bytes: Uint8Array, index: number): readonly Bytes[] {
  try {
    return decodeEntryBundle(bytes)
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw tampered(name, 'it is no entry bundle', index * TILE_WIDTH, cause)
  }
}

/** Hashes as the content of a tile. */
export function tileOf(hashes: readonly Uint8Array[]): Bytes {
  return concatBytes(...hashes)
}
