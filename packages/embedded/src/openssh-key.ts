import { type Bytes, copyBytes, createSigner, equalBytes, type KeyId, keyId, publicKeyOf } from '@vault/core'

// The formats: RFC 4253 section 6.6 and RFC 8709 for public keys, PROTOCOL.key of OpenSSH for secret ones.

const ALGORITHM = 'ssh-ed25519'
const MAGIC = 'openssh-key-v1\0'

/** The line of a public key as in `authorized_keys`. */
export function opensshPublicKey(key: KeyId, comment: string): string {
  const blob = Buffer.concat([lengthPrefixed(Buffer.from(ALGORITHM)), lengthPrefixed(publicKeyOf(key))])
  return `${ALGORITHM} ${blob.toString('base64')}${comment === '' ? '' : ` ${comment}`}`
}

/** The key of such a line. Throws an `Error` that says why it is none. */
export function parseOpensshPublicKey(line: string): KeyId {
  const [algorithm, base64 = ''] = line.trim().split(/\s+/)
  if (algorithm !== ALGORITHM) throw new Error(`it is a key of the kind ${algorithm}, and only ${ALGORITHM} is taken`)
  return keyId(publicKeyIn(fromBase64(base64)))
}

/** The secret of an unencrypted Ed25519 key, from the base64 between the lines of its PEM. Throws an `Error` that says why it is none. */
export function parseOpensshSecretKey(base64: string): Bytes {
  const reader = new WireReader(fromBase64(base64))
  if (reader.take(MAGIC.length).toString('latin1') !== MAGIC) throw new Error('it is not of the version openssh-key-v1')
  const [cipher, kdf] = [reader.text(), reader.text()]
  reader.string()
  if (cipher !== 'none' || kdf !== 'none') {
    throw new Error(`it is encrypted (${cipher}); take its passphrase off a copy first: ssh-keygen -p -N "" -f COPY`)
  }
  if (reader.number() !== 1) throw new Error('it does not hold exactly one key')
  const stated = publicKeyIn(reader.string())
  const secretPart = new WireReader(reader.string())
  reader.end()
  const [check, again] = [secretPart.number(), secretPart.number()]
  if (check !== again) throw new Error('its two check numbers differ')
  const algorithm = secretPart.text()
  if (algorithm !== ALGORITHM) throw new Error(`it is a key of the kind ${algorithm}, and only ${ALGORITHM} is taken`)
  const publicKey = secretPart.string()
  const both = secretPart.string()
  secretPart.string()
  secretPart.padding()
  if (both.length !== 64 || !equalBytes(both.subarray(32), publicKey) || !equalBytes(publicKey, stated))
    throw new Error('its public parts disagree')
  const secret = copyBytes(both.subarray(0, 32))
  if (createSigner(secret).key !== keyId(publicKey)) throw new Error('its secret is not that of its public key')
  return secret
}

function publicKeyIn(blob: Buffer): Buffer {
  const reader = new WireReader(blob)
  const algorithm = reader.text()
  if (algorithm !== ALGORITHM) throw new Error(`it is a key of the kind ${algorithm}, and only ${ALGORITHM} is taken`)
  const publicKey = reader.string()
  reader.end()
  if (publicKey.length !== 32) throw new Error('its public key has not 32 bytes')
  return publicKey
}

function lengthPrefixed(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function fromBase64(text: string): Buffer {
  const packed = text.replaceAll(/\s+/g, '')
  const bytes = Buffer.from(packed, 'base64')
  if (packed === '' || bytes.toString('base64') !== packed) throw new Error('it is not in base64')
  return bytes
}

/** Reads the numbers and strings of RFC 4251. */
class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error('it ends too early')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  number(): number {
    return this.take(4).readUInt32BE()
  }

  string(): Buffer {
    return this.take(this.number())
  }

  text(): string {
    return this.string().toString('latin1')
  }

  /** The rest, which counts 1, 2, 3. */
  padding(): void {
    const rest = this.#bytes.subarray(this.#at)
    if (rest.length >= 256 || rest.some((byte, i) => byte !== i + 1)) throw new Error('its padding is none')
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Error('something follows it')
  }
}
