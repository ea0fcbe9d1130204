import { invalidTile } from './error.ts'

/** Hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 256

/** A file of a tiled log (C2SP tlog-tiles), by what is in it. */
export type Tile = HashTile | EntryBundleTile

/** Consecutive hashes of the Merkle tree: of leaves at level 0, of full tiles of the level below at any other. */
export interface HashTile {
  readonly kind: 'hashes'
  /** 0 to 63. */
  readonly level: number
  /** Position in its level, from 0. */
  readonly index: number
  /** Number of hashes, 1 to 256; the tile is full at 256 and partial below. */
  readonly width: number
}

/** Consecutive entries of the log. */
export interface EntryBundleTile {
  readonly kind: 'entries'
  /** Position among the bundles, from 0. */
  readonly index: number
  /** Number of entries, 1 to 256; the bundle is full at 256 and partial below. */
  readonly width: number
}

const MAX_LEVEL = 63
/** Characters; the longest path of a safe index has 45. */
const MAX_PATH_LENGTH = 64

/** The path of a hash tile below the log, as `tile/0/x001/x234/067.p/8`. Throws a `RangeError` for what no tile has. */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  if (!Number.isInteger(level) || level < 0 || level > MAX_LEVEL) throw new RangeError(`Not a level: ${level}.`)
  return `tile/${level}/${indexPath(index)}${widthSuffix(width)}`
}

/** The path of an entry bundle below the log, as `tile/entries/000.p/8`. Throws a `RangeError` for what no bundle has. */
export function entriesPath(index: number, width: number = TILE_WIDTH): string {
  return `tile/entries/${indexPath(index)}${widthSuffix(width)}`
}

/** The path of either. */
export function pathOfTile(tile: Tile): string {
  const { index, width } = tile
  return tile.kind === 'entries' ? entriesPath(index, width) : tilePath(tile.level, index, width)
}

/** What the file at a path below the log holds. Every tile has one path. Throws `AUDIT_TILE_INVALID`, and nothing else. */
export function parseTilePath(path: string): Tile {
  if (path.length > MAX_PATH_LENGTH) throw invalidTile(`its path has more than ${MAX_PATH_LENGTH} characters`)
  const match = /^tile\/(?<level>\d+|entries)\/(?<index>(x\d{3}\/)*\d{3})(\.p\/(?<width>\d+))?$/.exec(path)?.groups
  if (match === undefined) throw invalidTile(`${JSON.stringify(path)} is not the path of one`)
  const index = Number(match.index?.replaceAll(/[x/]/g, ''))
  const width = match.width === undefined ? TILE_WIDTH : Number(match.width)
  const tile: Tile =
    match.level === 'entries'
      ? { kind: 'entries', index, width }
      : { kind: 'hashes', level: Number(match.level), index, width }
  if (canonicalPath(tile) !== path) throw invalidTile(`${JSON.stringify(path)} is not the path of one`)
  return tile
}

/**
 * What must be written when a log grows from size `from` to size `to`: all tiles and bundles that `to` has and `from` has
 * not, partial ones included. Bundles first, then levels upwards, each by index, so that whatever a tile is computed from
 * comes before it. One at a time: a log may grow by more than fits in memory. Throws a `RangeError` for sizes
 * that are not whole numbers of at most 2^53 - 1, or that fall.
 */
export function* tilesFor(from: number, to: number): Generator<Tile, void, void> {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to < from) {
    throw new RangeError(`A log does not grow from ${from} to ${to}.`)
  }
  for (const { index, width } of columns(from, to)) yield { kind: 'entries', index, width }
  for (let level = 0; from < to; level++) {
    for (const { index, width } of columns(from, to)) yield { kind: 'hashes', level, index, width }
    from = Math.floor(from / TILE_WIDTH)
    to = Math.floor(to / TILE_WIDTH)
  }
}

/** The tiles of one level that change where it grows from `from` to `to` hashes. */
function* columns(from: number, to: number): Generator<{ readonly index: number; readonly width: number }> {
  const full = Math.floor(to / TILE_WIDTH)
  for (let index = Math.floor(from / TILE_WIDTH); index < full; index++) yield { index, width: TILE_WIDTH }
  const width = to % TILE_WIDTH
  if (width > 0 && from < to) yield { index: full, width }
}

function canonicalPath(tile: Tile): string | undefined {
  try {
    return pathOfTile(tile)
  } catch {
    return undefined
  }
}

function indexPath(index: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`Not the index of a tile: ${index}.`)
  const digits = `${index}`
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}/` : group)).join('')
}

function widthSuffix(width: number): string {
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) throw new RangeError(`Not a width: ${width}.`)
  return width === TILE_WIDTH ? '' : `.p/${width}`
}
