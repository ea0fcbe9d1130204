import type { Bytes } from '@vault/core'
import { VaultError } from '@vault/core'
import type { CasErrorCode } from './cas.ts'
import { viewOf } from './pack-rows.ts'
import type { TrailerPlace } from './pack-trailer.ts'
import {
  encodeTrailerFooter,
  matchesTrailer,
  parseTrailerFooter,
  parseTrailerHead,
  TRAILER_FOOTER_LENGTH,
  TRAILER_HEAD_LENGTH,
  trailerLength,
} from './pack-trailer.ts'

/** A segment being read: a file, or an object in a remote store. */
export interface PackSource {
  /** What errors call it. */
  readonly file: string
  readonly size: number
  /** Fills `into` from this position and resolves to the number of bytes read: fewer only at the end. */
  read(into: Uint8Array, position: number): Promise<number>
}

/** A part of a source, shorter only at its end. */
export async function readPart(source: PackSource, position: number, length: number): Promise<Bytes> {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - position)))
  return bytes.subarray(0, await source.read(bytes, position))
}

/** A trailer as far as it could be read. */
export interface Trailer extends TrailerPlace {
  /** Sorted by id, the content length as their last number; absent where head or rows are damaged. */
  readonly rows?: Bytes
}

/** The trailer of a sealed segment; `undefined` where the file does not end with a footer. */
export async function readTrailer(source: PackSource, seed: number): Promise<Trailer | undefined> {
  const { size } = source
  const shortest = trailerLength(0)
  if (size < shortest) return undefined
  const footer = await readPart(source, size - TRAILER_FOOTER_LENGTH, TRAILER_FOOTER_LENGTH)
  const place = parseTrailerFooter(footer, seed, size)
  if (place === undefined) return undefined
  const bytes = await readPart(source, place.position, size - TRAILER_FOOTER_LENGTH - place.position)
  const rows = bytes.subarray(TRAILER_HEAD_LENGTH)
  const whole = parseTrailerHead(bytes, seed, place.position) === place.count && matchesTrailer(rows, place)
  return whole ? { ...place, rows } : place
}

/**
 * Whether the trailer that begins here may be one whose sealing never ended: of its footer every byte is as it would have
 * been written, zero or missing. Anything else was sealed and has been changed since.
 */
export async function isUnfinishedTrailer(
  source: PackSource,
  seed: number,
  position: number,
  count: number,
): Promise<boolean> {
  const end = position + trailerLength(count)
  if (source.size > end) return false
  const footer = await readPart(source, end - TRAILER_FOOTER_LENGTH, TRAILER_FOOTER_LENGTH)
  if (footer.every((byte) => byte === 0)) return true
  const rows = await readPart(source, position + TRAILER_HEAD_LENGTH, trailerLength(count) - trailerLength(0))
  return isTorn(footer, encodeTrailerFooter(rows, seed, position))
}

/** Whether a write of these bytes may have been cut short: what did not arrive is missing or zero. */
export function isTorn(bytes: Uint8Array, written: Uint8Array): boolean {
  return bytes.every((byte, i) => byte === 0 || byte === written[i])
}

/** Long sequential reads: 8 MiB cost no more than their copying. */
const WINDOW_LENGTH = 8 * 1024 * 1024

/** The part of a source that is in memory. */
export class PackWindow {
  readonly #source: PackSource
  readonly #buffer: Bytes
  #start = 0
  bytes: Bytes = new Uint8Array(0)
  view: DataView = viewOf(this.bytes)

  constructor(source: PackSource) {
    this.#source = source
    this.#buffer = new Uint8Array(Math.min(WINDOW_LENGTH, source.size))
  }

  /** Whether the window has these bytes, or all of them that the source has. */
  covers(position: number, length: number): boolean {
    const end = Math.min(position + length, this.#source.size)
    return position >= this.#start && end <= this.#start + this.bytes.length
  }

  /** Index in `bytes` of a position it covers. */
  at(position: number): number {
    return position - this.#start
  }

  /** Moves the window so that it begins here. */
  async load(position: number): Promise<void> {
    const length = await this.#source.read(this.#buffer, position)
    this.bytes = this.#buffer.subarray(0, length)
    this.view = viewOf(this.bytes)
    this.#start = position
    if (length >= Math.min(this.#buffer.length, this.#source.size - position)) return
    throw new VaultError<CasErrorCode>({
      code: 'CAS_CORRUPT',
      message: `${this.#source.file} became shorter while it was read. Segments are only ever appended to: look for what else writes there.`,
      details: { file: this.#source.file },
    })
  }

  /** Position behind the last byte in memory. */
  get end(): number {
    return this.#start + this.bytes.length
  }
}
