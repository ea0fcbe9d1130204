import type { Bytes, ContentId } from '@vault/core'
import { utf8 } from '@vault/core'
import { decodeEntry } from '@vault/soup'

const NAME = utf8('previous')

/**
 * The version before an entry in canonical bytes. Most entries have none, and decoding is the dearest step of moving
 * one, so only those that have the field's name somewhere in their bytes are decoded.
 */
export function previousOf(bytes: Bytes): ContentId | undefined {
  return mentions(bytes, NAME) ? decodeEntry(bytes).previous : undefined
}

function mentions(bytes: Uint8Array, part: Uint8Array): boolean {
  const first = part[0] as number
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return true
  }
  return false
}
