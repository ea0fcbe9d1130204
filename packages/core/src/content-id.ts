import type { Bytes } from './bytes.ts'
import { compareBytes } from './bytes.ts'
import { VaultError } from './error.ts'
import type { HashName } from './hash.ts'
import { hashBytes } from './hash.ts'

/** How the bytes of an object are to be read. */
export type Codec = 'raw' | 'dag-cbor'

/**
 * The name of immutable bytes: a CIDv1 in lower-case base32, always of 32-byte hashes and so always 59 characters.
 * A string, so that it keys a `Map`, survives JSON and compares with `===`. Sort with {@link compareIds}, not as text.
 */
export type ContentId = `b${string}`

/** The `code` of the errors of this module. */
export type ContentIdErrorCode = 'CONTENT_ID_INVALID'

/** Length of an id's binary form: version, codec, hash function, hash length, hash. */
export const ID_LENGTH = 36

const CODECS: Readonly<Record<Codec, number>> = { raw: 0x55, 'dag-cbor': 0x71 }
const HASHES: Readonly<Record<HashName, number>> = { blake3: 0x1e, 'sha2-256': 0x12 }
const TEXT_LENGTH = 59

// 36 bytes are 288 bits: 57 full digits and one with three bits. Two digits at a time from a table, because ids are
// converted several times for every object that moves.
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const PAIRS = Array.from({ length: 1024 }, (_, n) => `${ALPHABET[n >> 5]}${ALPHABET[n & 31]}`)
const DIGITS = new Int8Array(128).fill(-1)
for (let i = 0; i < 32; i++) DIGITS[ALPHABET.charCodeAt(i)] = i

/** The id of these bytes. Defaults: BLAKE3, raw. */
export function contentId(bytes: Uint8Array, options: { hash?: HashName; codec?: Codec } = {}): ContentId {
  const { hash = 'blake3', codec = 'raw' } = options
  const id = new Uint8Array(ID_LENGTH)
  id.set([1, CODECS[codec], HASHES[hash], 32])
  id.set(hashBytes(hash, bytes), 4)
  return encodeBase32(id)
}

/** Whether these bytes are what the id names. */
export function matchesId(id: ContentId, bytes: Uint8Array): boolean {
  const binary = idBytes(id)
  return compareBytes(binary.subarray(4), hashBytes(hashOf(id), bytes)) === 0
}

/** The 36-byte form of an id. Throws `CONTENT_ID_INVALID`. */
export function idBytes(id: ContentId): Bytes {
  return decodeBase32(id)
}

/** The id with this 36-byte form. Throws `CONTENT_ID_INVALID`. */
export function idFromBytes(bytes: Uint8Array): ContentId {
  checkBinary(bytes, bytes)
  return encodeBase32(bytes)
}

/** A text from outside as an id. Throws `CONTENT_ID_INVALID`. */
export function parseContentId(text: string): ContentId {
  decodeBase32(text)
  return text as ContentId
}

/** Whether a value is the text of an id. */
export function isContentId(value: unknown): value is ContentId {
  if (typeof value !== 'string' || value.length !== TEXT_LENGTH) return false
  try {
    decodeBase32(value)
    return true
  } catch {
    return false
  }
}

/** The codec that an id names. */
export function codecOf(id: ContentId): Codec {
  return idBytes(id)[1] === CODECS.raw ? 'raw' : 'dag-cbor'
}

/** The hash function that an id names. */
export function hashOf(id: ContentId): HashName {
  return idBytes(id)[2] === HASHES.blake3 ? 'blake3' : 'sha2-256'
}

/** Order of ids by their bytes, which is not the order of their texts: the digit `2` stands for more than `z`. */
export function compareIds(a: ContentId, b: ContentId): number {
  return a === b ? 0 : compareBytes(idBytes(a), idBytes(b))
}

function encodeBase32(bytes: Uint8Array): ContentId {
  let text = 'b'
  let buffer = 0
  let bits = 0
  for (let i = 0; i < ID_LENGTH; i++) {
    buffer = ((buffer << 8) | (bytes[i] as number)) & 0x3ffff
    bits += 8
    if (bits >= 10) {
      bits -= 10
      text += PAIRS[(buffer >> bits) & 1023]
    }
  }
  // 288 bits leave eight after 28 pairs: one whole digit and three bits of the last.
  return `${text}${PAIRS[(buffer << 2) & 1023]}` as ContentId
}

function decodeBase32(text: string): Bytes {
  if (text.length !== TEXT_LENGTH || text.charCodeAt(0) !== 0x62) throw invalid(text)
  const bytes = new Uint8Array(ID_LENGTH)
  let buffer = 0
  let bits = 0
  let length = 0
  for (let i = 1; i < TEXT_LENGTH; i++) {
    const code = text.charCodeAt(i)
    const digit = code < 128 ? (DIGITS[code] as number) : -1
    if (digit < 0) throw invalid(text)
    buffer = ((buffer << 5) | digit) & 0x1fff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = (buffer >> bits) & 255
    }
  }
  if ((buffer & 3) !== 0) throw invalid(text)
  checkBinary(bytes, text)
  return bytes
}

function checkBinary(bytes: Uint8Array, given: Uint8Array | string): void {
  const known =
    bytes.length === ID_LENGTH &&
    bytes[0] === 1 &&
    (bytes[1] === CODECS.raw || bytes[1] === CODECS['dag-cbor']) &&
    (bytes[2] === HASHES.blake3 || bytes[2] === HASHES['sha2-256']) &&
    bytes[3] === 32
  if (!known) throw invalid(given)
}

function invalid(given: Uint8Array | string): VaultError<ContentIdErrorCode> {
  const shown = typeof given === 'string' ? given.slice(0, 80) : `${given.length} bytes`
  return new VaultError({
    code: 'CONTENT_ID_INVALID',
    message: `Not a content id: ${JSON.stringify(shown)}. Expected a CIDv1 in base32 with codec raw or dag-cbor and hash blake3 or sha2-256.`,
  })
}
