import type { Bytes, HashName } from '@vault/core'
import { equalBytes, hashBytes, ID_LENGTH, VaultError } from '@vault/core'
import type { CasErrorCode } from './cas.ts'
import { MAX_BLOCK_LENGTH } from './cas.ts'
import { crc32 } from './pack-crc.ts'
import { readUint64, viewOf, writeUint64 } from './pack-rows.ts'

// The layout is formats/pack.md; all numbers are big-endian.

/** The only version this software writes; it reads no higher one. */
const PACK_VERSION = 1
export const SEGMENT_HEADER_LENGTH = 32
export const RECORD_HEADER_LENGTH = 60
export const GROUP_END_LENGTH = 24
/** A segment's name: 128 random bits, in the file's name as 32 hexadecimal digits and in its header as bytes. */
export const SEGMENT_NAME_LENGTH = 16

/** `\x89vpack\r\n`: not text, and changed by anything that takes it for text. */
const SEGMENT_MAGIC = Uint8Array.of(0x89, 0x76, 0x70, 0x61, 0x63, 0x6b, 0x0d, 0x0a)
export const RECORD_TAG = 0x766f626a
export const GROUP_TAG = 0x76677270

/** Bytes being assembled for one write. */
export interface PackBuffer {
  readonly bytes: Uint8Array
  readonly view: DataView
  length: number
}

/** What has been appended since the last group end. */
export interface PackGroup {
  count: number
  /** Bytes of its records, headers included. */
  length: number
  /** CRC-32 over its record headers in order, and through their checksums over everything in it. */
  headers: number
}

/** What a record header says. */
export interface RecordHeader {
  /** Reserved for compression and encryption; this version knows none. */
  readonly flags: number
  readonly stored: number
  readonly content: number
  /** CRC-32 of the stored bytes. */
  readonly crc: number
}

export function createPackBuffer(bytes: Uint8Array): PackBuffer {
  return { bytes, view: viewOf(bytes), length: 0 }
}

export function createPackGroup(): PackGroup {
  return { count: 0, length: 0, headers: 0 }
}

/** The checksum that binds group ends and trailers to their segment: bytes of another one never validate here. */
export function segmentSeed(name: Uint8Array): number {
  return crc32(name)
}

export function encodeSegmentHeader(name: Uint8Array): Bytes {
  if (name.length !== SEGMENT_NAME_LENGTH) throw new RangeError('A segment name has 16 bytes')
  const header = new Uint8Array(SEGMENT_HEADER_LENGTH)
  const view = viewOf(header)
  header.set(SEGMENT_MAGIC)
  view.setUint32(8, PACK_VERSION)
  header.set(name, 12)
  view.setUint32(28, crc32(header.subarray(0, 28)))
  return header
}

/**
 * The name in a segment header, or `undefined` where the bytes are damaged or no segment.
 * Throws `CAS_FORMAT` where a newer version wrote it: its header has the same length, version and checksum.
 */
export function parseSegmentHeader(bytes: Uint8Array, file: string): Bytes | undefined {
  if (bytes.length < SEGMENT_HEADER_LENGTH) return undefined
  const view = viewOf(bytes)
  if (SEGMENT_MAGIC.some((byte, i) => bytes[i] !== byte) || view.getUint32(28) !== crc32(bytes.subarray(0, 28))) {
    return undefined
  }
  if (view.getUint32(8) !== PACK_VERSION) throw newerFormat(file, `pack version ${view.getUint32(8)}`)
  return bytes.slice(12, 28)
}

/** The error for a file that only a later version of this software can read. */
export function newerFormat(file: string, what: string): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_FORMAT',
    message: `${file} was written by a newer version of this software (${what}). Update to read it.`,
    details: { file },
  })
}

/** Room that a record with this content takes. */
export function recordLength(content: Uint8Array): number {
  return RECORD_HEADER_LENGTH + content.length
}

/** Appends a record; `into` must have {@link recordLength} bytes left. The content is copied, not hashed. */
export function appendRecord(into: PackBuffer, group: PackGroup, id: Uint8Array, content: Uint8Array): void {
  const { bytes, view, length: at } = into
  view.setUint32(at, RECORD_TAG)
  view.setUint32(at + 4, 0)
  bytes.set(id, at + 8)
  view.setUint32(at + 44, content.length)
  view.setUint32(at + 48, content.length)
  view.setUint32(at + 52, crc32(content))
  view.setUint32(at + 56, crc32(bytes.subarray(at, at + 56)))
  bytes.set(content, at + RECORD_HEADER_LENGTH)
  group.headers = crc32(bytes.subarray(at, at + RECORD_HEADER_LENGTH), group.headers)
  group.count += 1
  group.length += RECORD_HEADER_LENGTH + content.length
  into.length += RECORD_HEADER_LENGTH + content.length
}

/** Appends the end of a group; `position` is where it comes to stand in its segment. What follows is a new group. */
export function appendGroupEnd(into: PackBuffer, group: PackGroup, seed: number, position: number): void {
  const { view, length: at } = into
  view.setUint32(at, GROUP_TAG)
  view.setUint32(at + 4, group.count)
  writeUint64(view, at + 8, group.length)
  view.setUint32(at + 16, group.headers)
  view.setUint32(at + 20, placedCrc(into.bytes.subarray(at, at + 20), seed, position))
  into.length += GROUP_END_LENGTH
}

/** A checksum that holds only in this segment and at this position. */
export function placedCrc(bytes: Uint8Array, seed: number, position: number): number {
  const place = new Uint8Array(8)
  writeUint64(viewOf(place), 0, position)
  return crc32(bytes, crc32(place, seed))
}

/**
 * The record header at `at`, or `undefined` where there is none that is sound. Limits come first: a length over
 * {@link MAX_BLOCK_LENGTH} is not a record. With flags that this version does not know the lengths are not judged.
 */
export function parseRecordHeader(bytes: Uint8Array, view: DataView, at: number): RecordHeader | undefined {
  if (at + RECORD_HEADER_LENGTH > bytes.length || view.getUint32(at) !== RECORD_TAG) return undefined
  if (view.getUint32(at + 56) !== crc32(bytes.subarray(at, at + 56))) return undefined
  const flags = view.getUint32(at + 4)
  const stored = view.getUint32(at + 44)
  const content = view.getUint32(at + 48)
  const known = stored <= MAX_BLOCK_LENGTH && content === stored && hashNameOf(recordId(bytes, at)) !== undefined
  return flags !== 0 || known ? { flags, stored, content, crc: view.getUint32(at + 52) } : undefined
}

/** Throws `CAS_FORMAT` for flags that this version does not know: the stored bytes are not the content. */
export function checkFlags(header: RecordHeader, file: string): void {
  if (header.flags !== 0) throw newerFormat(file, `record flags ${header.flags}`)
}

/** The id in a record header, as a view. */
export function recordId(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at + 8, at + 8 + ID_LENGTH)
}

/** Whether bytes are what an id in binary form names. */
export function matchesIdBytes(id: Uint8Array, bytes: Uint8Array): boolean {
  const name = hashNameOf(id)
  return name !== undefined && equalBytes(id.subarray(4), hashBytes(name, bytes))
}

/** The hash function that a binary id names; `undefined` where it is no id. */
function hashNameOf(id: Uint8Array): HashName | undefined {
  if (id[0] !== 1 || (id[1] !== 0x55 && id[1] !== 0x71) || id[3] !== 32) return undefined
  return id[2] === 0x1e ? 'blake3' : id[2] === 0x12 ? 'sha2-256' : undefined
}

/** The group end at `at`, which stands at `position` of its segment, or `undefined` where there is none that is sound. */
export function parseGroupEnd(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  seed: number,
  position: number,
): PackGroup | undefined {
  if (at + GROUP_END_LENGTH > bytes.length || view.getUint32(at) !== GROUP_TAG) return undefined
  if (view.getUint32(at + 20) !== placedCrc(bytes.subarray(at, at + 20), seed, position)) return undefined
  return { count: view.getUint32(at + 4), length: readUint64(view, at + 8), headers: view.getUint32(at + 16) }
}
