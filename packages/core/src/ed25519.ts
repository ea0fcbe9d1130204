import { hashes, getPublicKey as noblePublicKey, sign as nobleSign, Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import type { Bytes } from './bytes.ts'
import { copyBytes, equalBytes } from './bytes.ts'
import { builtinModule } from './platform.ts'

/** Lengths in bytes. */
export const PUBLIC_KEY_LENGTH = 32
export const SECRET_KEY_LENGTH = 32
export const SIGNATURE_LENGTH = 64

/**
 * An Ed25519 implementation. Both verify by the one rule of formats/signature.md, so that a signature that is good at
 * one place is good at every other: OpenSSL and noble, left to themselves, disagree on 5 of the 12 cases of "Taming the
 * many EdDSAs" (https://eprint.iacr.org/2020/1244) and accept forgeries under keys of small order.
 */
export interface Ed25519 {
  publicKey(secretKey: Uint8Array): Bytes
  sign(secretKey: Uint8Array): (message: Uint8Array) => Bytes
  /** Prepares one public key; the result answers for any number of messages. Wrong lengths are refused, not thrown. */
  verifier(publicKey: Uint8Array): Verifier
}

export type Verifier = (message: Uint8Array, signature: Uint8Array) => boolean

const refuseAll: Verifier = () => false

/** DER of an Ed25519 key up to its 32 bytes (RFC 8410). */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00)
const PKCS8_PREFIX = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
)

/** OpenSSL through `node:crypto`, which checks S < L and the cofactorless equation; the rest of the rule is checked before. */
export function nativeEd25519(): Ed25519 | undefined {
  const crypto = builtinModule('node:crypto')
  if (crypto === undefined) return undefined
  const privateKey = (secretKey: Uint8Array) =>
    crypto.createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secretKey]), format: 'der', type: 'pkcs8' })
  return {
    publicKey(secretKey) {
      const spki = crypto.createPublicKey(privateKey(secretKey)).export({ format: 'der', type: 'spki' })
      return copyBytes(spki.subarray(SPKI_PREFIX.length))
    },
    sign(secretKey) {
      const key = privateKey(secretKey)
      return (message) => copyBytes(crypto.sign(null, message, key))
    },
    verifier(publicKey) {
      if (!isStrictPoint(publicKey)) return refuseAll
      const key = crypto.createPublicKey({
        key: Buffer.concat([SPKI_PREFIX, publicKey]),
        format: 'der',
        type: 'spki',
      })
      return (message, signature) => isStrictSignature(signature) && crypto.verify(null, message, key, signature)
    },
  }
}

/** @noble/ed25519, whose own `verify` multiplies by the cofactor; so the equation is computed here from its points. */
export function portableEd25519(): Ed25519 {
  // The library's documented way to be given its hash function.
  hashes.sha512 = sha512
  return {
    publicKey: (secretKey) => copyBytes(noblePublicKey(secretKey)),
    sign(secretKey) {
      const kept = copyBytes(secretKey)
      return (message) => copyBytes(nobleSign(message, kept))
    },
    verifier(publicKey) {
      const kept = copyBytes(publicKey)
      const point = isStrictPoint(kept) ? pointOf(kept) : undefined
      if (point === undefined) return refuseAll
      return (message, signature) => isStrictSignature(signature) && satisfiesEquation(kept, point, message, signature)
    },
  }
}

/** RFC 8032 5.1.7 without the cofactor: R = S·B - k·A, compared as bytes. */
function satisfiesEquation(publicKey: Uint8Array, point: Point, message: Uint8Array, signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  const k = littleEndian(sha512.create().update(r).update(publicKey).update(message).digest()) % Point.CURVE().n
  const expected = Point.BASE.multiply(s, false).subtract(point.multiply(k, false))
  return equalBytes(expected.toBytes(), r)
}

/** The point with this encoding; `undefined` where the curve has none. */
function pointOf(bytes: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number)
  return value
}

const P = littleEndianBytes(2n ** 255n - 19n)
const L = littleEndianBytes(2n ** 252n + 27742317777372353535851937790883648493n)

/** The y of the eight points of small order; with either sign of x. */
const SMALL_ORDER = [
  0n,
  1n,
  2n ** 255n - 20n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
].map(littleEndianBytes)

/** A canonical encoding (y < p) of no point of small order. That the point is on the curve is for the equation to say. */
export function isStrictPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== PUBLIC_KEY_LENGTH) return false
  const y = copyBytes(bytes)
  y[31] = (y[31] as number) & 0x7f
  return isBelow(y, P) && !SMALL_ORDER.some((small) => equalBytes(small, y))
}

function isStrictSignature(signature: Uint8Array): boolean {
  return (
    signature.length === SIGNATURE_LENGTH &&
    isBelow(signature.subarray(32), L) &&
    isStrictPoint(signature.subarray(0, 32))
  )
}

/** Order of little-endian numbers of equal length. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = a.length - 1; i >= 0; i--) {
    if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number)
  }
  return false
}

function littleEndianBytes(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}
