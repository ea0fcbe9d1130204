import type { Bytes } from '@vault/core'
import { placedCrc } from './pack.ts'
import { crc32 } from './pack-crc.ts'
import { PACK_ROW_LENGTH, readUint64, sortRows, viewOf, writeUint64 } from './pack-rows.ts'

const HEAD_TAG = 0x7674726c
const FOOTER_TAG = 0x76656e64
export const TRAILER_HEAD_LENGTH = 12
export const TRAILER_FOOTER_LENGTH = 24

/** Where the trailer of a sealed segment stands, and how many rows it has. */
export interface TrailerPlace {
  readonly position: number
  readonly count: number
  /** CRC-32 of its rows. */
  readonly crc: number
}

/**
 * The trailer that seals a segment: head, rows sorted by id, footer. `rows` are unsorted, with the content length as
 * their last number; `position` is the end of the last group.
 */
export function encodeTrailer(rows: Uint8Array, seed: number, position: number): Bytes {
  const count = rows.length / PACK_ROW_LENGTH
  const trailer = new Uint8Array(trailerLength(count))
  const view = viewOf(trailer)
  const sorted = sortRows(rows)
  view.setUint32(0, HEAD_TAG)
  view.setUint32(4, count)
  view.setUint32(8, placedCrc(trailer.subarray(0, 8), seed, position))
  trailer.set(sorted, TRAILER_HEAD_LENGTH)
  trailer.set(encodeTrailerFooter(sorted, seed, position), TRAILER_HEAD_LENGTH + sorted.length)
  return trailer
}

/** The footer that belongs behind these sorted rows. */
export function encodeTrailerFooter(sorted: Uint8Array, seed: number, position: number): Bytes {
  const footer = new Uint8Array(TRAILER_FOOTER_LENGTH)
  const view = viewOf(footer)
  view.setUint32(0, FOOTER_TAG)
  view.setUint32(4, sorted.length / PACK_ROW_LENGTH)
  writeUint64(view, 8, position)
  view.setUint32(16, crc32(sorted))
  view.setUint32(20, placedCrc(footer.subarray(0, 20), seed, position))
  return footer
}

/** Length of a trailer with so many rows. */
export function trailerLength(count: number): number {
  return TRAILER_HEAD_LENGTH + count * PACK_ROW_LENGTH + TRAILER_FOOTER_LENGTH
}

/** The number of rows that the trailer head at `position` announces, or `undefined` where none stands there. */
export function parseTrailerHead(bytes: Uint8Array, seed: number, position: number): number | undefined {
  if (bytes.length < TRAILER_HEAD_LENGTH) return undefined
  const view = viewOf(bytes)
  const sound = view.getUint32(0) === HEAD_TAG && view.getUint32(8) === placedCrc(bytes.subarray(0, 8), seed, position)
  return sound ? view.getUint32(4) : undefined
}

/** What the last {@link TRAILER_FOOTER_LENGTH} bytes of a file of this size say, or `undefined` where they are no footer. */
export function parseTrailerFooter(bytes: Uint8Array, seed: number, size: number): TrailerPlace | undefined {
  if (bytes.length !== TRAILER_FOOTER_LENGTH) return undefined
  const view = viewOf(bytes)
  const count = view.getUint32(4)
  const position = readUint64(view, 8)
  if (view.getUint32(0) !== FOOTER_TAG || position + trailerLength(count) !== size) return undefined
  if (view.getUint32(20) !== placedCrc(bytes.subarray(0, 20), seed, position)) return undefined
  return { position, count, crc: view.getUint32(16) }
}

/** Whether these are the rows that the footer names. */
export function matchesTrailer(rows: Uint8Array, place: TrailerPlace): boolean {
  return rows.length === place.count * PACK_ROW_LENGTH && crc32(rows) === place.crc
}
