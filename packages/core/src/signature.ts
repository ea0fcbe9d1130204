import type { Bytes } from './bytes.ts'
import { copyBytes, toHex } from './bytes.ts'
import type { Verifier } from './ed25519.ts'
import { nativeEd25519, portableEd25519, SECRET_KEY_LENGTH } from './ed25519.ts'
import type { KeyId } from './key-id.ts'
import { keyId, publicKeyOf } from './key-id.ts'
import type { AbortOptions, Random } from './options.ts'
import { Recent } from './recent.ts'

const ed25519 = nativeEd25519() ?? portableEd25519()

/** Signs with one key. A daemon is given one of these, never a passphrase; it may ask a person or a device, and so take long. */
export interface Signer {
  readonly key: KeyId
  sign(message: Uint8Array, options?: AbortOptions): Promise<Bytes>
}

/**
 * The bytes that are signed for a payload: `"vault/<type>/v1\0"`, then the payload. A signature made for one type of
 * document is thus none for another. Throws a `TypeError` for a type that is not lower-case letters, digits and hyphens.
 */
export function signedMessage(type: string, payload: Uint8Array): Bytes {
  const head = headOf(type)
  return writeMessage(new Uint8Array(head.length + payload.length), head, payload)
}

/**
 * The same for the verification that follows at once: its bytes are those of the next message as soon as there is one. To get memory for
 * 300 bytes takes 3.4 µs on Node 24, which has it outside its own heap, and to fill it 0.1.
 */
export function messageToVerify(type: string, payload: Uint8Array): Uint8Array {
  const head = headOf(type)
  const length = head.length + payload.length
  return length > lastMessage.length
    ? signedMessage(type, payload)
    : writeMessage(lastMessage.subarray(0, length), head, payload)
}

const lastMessage = new Uint8Array(4_096)

function headOf(type: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(type)) throw new TypeError(`Not a signature type: ${JSON.stringify(type)}.`)
  return `vault/${type}/v1\0`
}

/** The head is ASCII. */
function writeMessage(message: Bytes, head: string, payload: Uint8Array): Bytes {
  for (let i = 0; i < head.length; i++) message[i] = head.charCodeAt(i)
  message.set(payload, head.length)
  return message
}

/**
 * Whether this is a signature of the key over the message, by the strict rule of formats/signature.md: the same answer
 * on every platform. Malformed keys and signatures are `false`; a malformed key *id* throws `KEY_ID_INVALID`.
 */
export function verifyStrict(key: KeyId | Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verifierOf(key)(message, signature)
}

/** A signer that holds its secret key, 32 bytes (the seed of RFC 8032), in memory; throws a `RangeError` for another length. */
export function createSigner(secretKey: Uint8Array): Signer {
  if (secretKey.length !== SECRET_KEY_LENGTH)
    throw new RangeError(`A secret key has 32 bytes, not ${secretKey.length}.`)
  const sign = ed25519.sign(secretKey)
  return {
    key: keyId(ed25519.publicKey(secretKey)),
    async sign(message, options) {
      options?.signal?.throwIfAborted()
      return sign(message)
    },
  }
}

/** A new secret key. */
export function generateSecretKey(random: Random): Bytes {
  const secretKey = copyBytes(random(SECRET_KEY_LENGTH))
  if (secretKey.length !== SECRET_KEY_LENGTH) throw new RangeError(`random(32) gave ${secretKey.length} bytes.`)
  return secretKey
}

/** Prepared keys: importing the key for each call halves the rate of verification. Only a cache: what is in it depends on the key alone. */
const verifiers = new Recent<Verifier>(256)

function verifierOf(key: KeyId | Uint8Array): Verifier {
  const name = typeof key === 'string' ? key : toHex(key)
  const known = verifiers.get(name)
  if (known !== undefined) return known
  const verifier = ed25519.verifier(typeof key === 'string' ? publicKeyOf(key) : key)
  verifiers.keep(name, verifier)
  return verifier
}
