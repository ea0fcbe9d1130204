import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import type { AbortOptions, Bytes, Clock, KeyId, Random, Signer } from '@vault/core'
import { concatBytes, copyBytes, isVaultError, parseKeyId, publicKeyOf, utf8, VaultError } from '@vault/core'
import type { HttpErrorCode } from './http-error.ts'

/** What one end of a connection shows the other: both as PEM. */
export interface PeerCredentials {
  readonly key: string
  readonly cert: string
}

// A certificate of a connection, not of a person: clocks that differ by a day do no harm, and nothing is good for long.
const BEFORE_MS: number = 24 * 3_600_000
const AFTER_MS: number = 8 * 24 * 3_600_000

/**
 * A new key for TLS, with a certificate that the place's own key has signed: that key stays where it is, and the other end knows
 * it by its id. The form: formats/wire.md.
 */
export async function createPeerCredentials(
  place: Signer,
  { clock, random, ...options }: AbortOptions & { readonly clock: Clock; readonly random: Random },
): Promise<PeerCredentials> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const now = clock().getTime()
  const name = seq(set(seq(OID_COMMON_NAME, der(0x0c, utf8(place.key)))))
  const serial = copyBytes(random(16))
  // A positive number of full length.
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40
  const tbs = seq(
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, serial),
    ED25519,
    name,
    seq(time(now - BEFORE_MS), time(now + AFTER_MS)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
  )
  const signature = await place.sign(tbs, options)
  const certificate = seq(tbs, ED25519, der(0x03, Uint8Array.of(0), signature))
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: new X509Certificate(certificate).toString(),
  }
}

/** What a certificate says: whose it is, and from when to when. */
export interface Peer {
  readonly key: KeyId
  readonly from: Date
  readonly to: Date
}

/**
 * The place that has signed this certificate (DER). TLS has shown that the other end has the certificate's own key. Throws
 * `HTTP_PEER_CERTIFICATE` where it is none of ours.
 */
export function readPeer(der: Uint8Array | undefined): Peer {
  if (der === undefined) throw refused('there is none')
  const certificate = parsed(der)
  const text = /^CN=(ed25519:z\w{47})$/.exec(certificate.issuer)?.[1]
  let key: KeyId
  try {
    key = parseKeyId(text)
  } catch (cause) {
    throw refused('it names no key of a place', cause)
  }
  if (!isSignedBy(certificate, key)) throw refused(`${key} has not signed it`)
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)]
  if (Number.isNaN(from.getTime() + to.getTime())) throw refused('its times cannot be read')
  return { key, from, to }
}

/** The key of the place. Throws `HTTP_PEER_CERTIFICATE` where its certificate is not good at this time. */
export function peerKeyAt({ key, from, to }: Peer, at: Date): KeyId {
  if (at >= from && at < to) return key
  const times = `from ${from.toISOString()} to ${to.toISOString()}`
  throw refused(`it is good ${times}; compare the clocks of both ends`)
}

function parsed(bytes: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch (cause) {
    throw refused('it cannot be read', cause)
  }
}

function isSignedBy(certificate: X509Certificate, key: KeyId): boolean {
  try {
    const spki = concatBytes(SPKI_PREFIX, publicKeyOf(key))
    return certificate.verify(createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }))
  } catch (error) {
    if (isVaultError(error)) throw error
    return false
  }
}

function refused(why: string, cause?: unknown): VaultError<HttpErrorCode> {
  return new VaultError({
    code: 'HTTP_PEER_CERTIFICATE',
    message: `The certificate of the other end is refused: ${why}.`,
    cause,
  })
}

// DER, of which this one certificate needs little (X.690; RFC 5280; RFC 8410).
const OID_COMMON_NAME = Uint8Array.of(0x06, 0x03, 0x55, 0x04, 0x03)
const ED25519 = Uint8Array.of(0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70)
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00)

function der(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concatBytes(...parts)
  const { length } = content
  if (length < 0x80) return concatBytes(Uint8Array.of(tag, length), content)
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concatBytes(Uint8Array.of(tag, ...long), content)
}

function seq(...parts: readonly Uint8Array[]): Bytes {
  return der(0x30, ...parts)
}

function set(...parts: readonly Uint8Array[]): Bytes {
  return der(0x31, ...parts)
}

/** UTCTime, as it has to be until 2049. */
function time(at: number): Bytes {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x17, utf8(digits.slice(2)))
}
