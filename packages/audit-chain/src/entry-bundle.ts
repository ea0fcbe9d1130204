import type { Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import { invalidTile } from './error.ts'
import { TILE_WIDTH } from './tile.ts'

/** Bytes of the longest entry of a log: its length is written in 16 bits. */
export const MAX_ENTRY_LENGTH = 65_535
/** Bytes of the longest entry bundle. */
export const MAX_ENTRY_BUNDLE_LENGTH: number = TILE_WIDTH * (2 + MAX_ENTRY_LENGTH)

/**
 * Entries as a bundle: each after its length in two bytes, big-endian. Throws `AUDIT_TILE_INVALID` for none or more than
 * 256 of them, and for one of more than {@link MAX_ENTRY_LENGTH} bytes.
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Bytes {
  checkWidth(entries.length)
  let length = 0
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_LENGTH) throw invalidTile(`an entry has more than ${MAX_ENTRY_LENGTH} bytes`)
    length += 2 + entry.length
  }
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let offset = 0
  for (const entry of entries) {
    view.setUint16(offset, entry.length)
    bytes.set(entry, offset + 2)
    offset += 2 + entry.length
  }
  return bytes
}

/** The entries of a bundle, 1 to 256. Throws `AUDIT_TILE_INVALID`, and nothing else. */
export function decodeEntryBundle(bytes: Uint8Array): readonly Bytes[] {
  if (bytes.length > MAX_ENTRY_BUNDLE_LENGTH) throw invalidTile(`it has more than ${MAX_ENTRY_BUNDLE_LENGTH} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Bytes[] = []
  for (let offset = 0; offset < bytes.length; ) {
    checkWidth(entries.length + 1)
    const start = offset + 2
    const end = start > bytes.length ? start : start + view.getUint16(offset)
    if (end > bytes.length) throw invalidTile('its last entry is cut short')
    entries.push(copyBytes(bytes.subarray(start, end)))
    offset = end
  }
  checkWidth(entries.length)
  return entries
}

function checkWidth(count: number): void {
  if (count < 1 || count > TILE_WIDTH) throw invalidTile(`a bundle holds 1 to ${TILE_WIDTH} entries`)
}
