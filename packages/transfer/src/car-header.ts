import { type Bytes, type ContentId, concatBytes, decode, encode, hasFields, isLink, link } from '@vault/core'
import { refuseForeignRoots } from './car-cid.ts'
import { invalidCar, tooLargeCar } from './car-error.ts'
import { encodeVarint } from './varint.ts'

/** A header is at most this long: some 1,500 roots. */
export const MAX_HEADER_LENGTH: number = 64 * 1024

/** The beginning of a CAR of version 1 with these roots, distinct and in this order. Throws `TRANSFER_CAR_TOO_LARGE`. */
export function encodeHeader(roots: readonly ContentId[]): Bytes {
  const header = encode({ version: 1, roots: roots.map(link) })
  if (header.length > MAX_HEADER_LENGTH)
    throw tooLargeCar(`its header is ${header.length} bytes long`, MAX_HEADER_LENGTH)
  return concatBytes(encodeVarint(header.length), header)
}

/** The roots that a header states, distinct, at least one. Throws `TRANSFER_CAR_INVALID`, `TRANSFER_CAR_FOREIGN`. */
export function decodeHeader(header: Uint8Array): readonly ContentId[] {
  const value = decoded(header)
  if (hasFields(value, 'version') && value.version === 2) {
    throw invalidCar('it is a CAR of version 2. Take the CAR of version 1 out of it, with the tool that made it', {})
  }
  if (!hasFields(value, 'roots', 'version') || value.version !== 1 || !Array.isArray(value.roots)) {
    throw invalidCar('its header is not a list of roots and version 1', {})
  }
  const roots = new Set<ContentId>()
  for (const root of value.roots as readonly unknown[]) {
    if (!isLink(root)) throw invalidCar('a root in its header is no link', {})
    roots.add(root.id)
  }
  if (roots.size === 0) throw invalidCar('its header names no root', {})
  return [...roots]
}

function decoded(header: Uint8Array): unknown {
  try {
    return decode(header, { maxBytes: MAX_HEADER_LENGTH })
  } catch (cause) {
    refuseForeignRoots(header)
    throw invalidCar('its header is not canonical DAG-CBOR', {}, cause)
  }
}
