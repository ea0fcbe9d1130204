import { base58btc } from 'multiformats/bases/base58'
import type { Bytes } from './bytes.ts'
import { concatBytes, copyBytes } from './bytes.ts'
import { PUBLIC_KEY_LENGTH } from './ed25519.ts'
import { VaultError } from './error.ts'

/** An Ed25519 public key as text: `ed25519:` and the multikey (0xed 0x01, 32 bytes) in base58btc; always 56 characters. */
export type KeyId = `ed25519:z${string}`

/** The `code` of the errors of this module. */
export type KeyIdErrorCode = 'KEY_ID_INVALID'

const PREFIX = 'ed25519:'
const MULTICODEC = Uint8Array.of(0xed, 0x01)
const TEXT_LENGTH = 56

/** The name of this public key of 32 bytes; throws a `RangeError` for another length. */
export function keyId(publicKey: Uint8Array): KeyId {
  if (publicKey.length !== PUBLIC_KEY_LENGTH)
    throw new RangeError(`A public key has 32 bytes, not ${publicKey.length}.`)
  return `${PREFIX}${base58btc.encode(concatBytes(MULTICODEC, publicKey))}` as KeyId
}

/** Keys that were read lately: the same few are met again and again, and base58 is most of what it takes to read one. */
const known = new Map<KeyId, Bytes>()
const MOST_KNOWN = 1_024

/** The 32 bytes of the public key that an id names. Throws `KEY_ID_INVALID`. */
export function publicKeyOf(id: KeyId): Bytes {
  return copyBytes(knownKey(id))
}

function knownKey(id: KeyId): Bytes {
  const before = known.get(id)
  if (before !== undefined) return before
  const key = readKey(id)
  if (known.size === MOST_KNOWN) known.clear()
  known.set(id, key)
  return key
}

function readKey(id: KeyId): Bytes {
  const multikey = decodeText(id)
  if (multikey?.length !== MULTICODEC.length + PUBLIC_KEY_LENGTH || multikey[0] !== 0xed || multikey[1] !== 0x01) {
    throw new VaultError<KeyIdErrorCode>({
      code: 'KEY_ID_INVALID',
      message: `Not a key id: ${JSON.stringify(String(id).slice(0, 80))}. Expected "ed25519:z6Mk…" of ${TEXT_LENGTH} characters.`,
    })
  }
  return copyBytes(multikey.subarray(MULTICODEC.length))
}

/** A value from outside as a key id. Throws `KEY_ID_INVALID`. */
export function parseKeyId(text: unknown): KeyId {
  knownKey(text as KeyId)
  return text as KeyId
}

/** The length is fixed, so each key has one text, and base58, whose cost is quadratic, is never given a long one. */
function decodeText(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length !== TEXT_LENGTH || !text.startsWith(`${PREFIX}z`)) return undefined
  try {
    return base58btc.decode(text.slice(PREFIX.length))
  } catch {
    return undefined
  }
}
