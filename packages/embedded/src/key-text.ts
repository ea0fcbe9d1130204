import { createPrivateKey } from 'node:crypto'
import { type Bytes, copyBytes, isVaultError, type KeyId, parseKeyId, VaultError } from '@vault/core'
import { parseKeyRecord } from './key-file.ts'
import { opensshPublicKey, parseOpensshPublicKey, parseOpensshSecretKey } from './openssh-key.ts'

/** The `code` of the errors about keys as other software writes them. */
export type KeyTextErrorCode =
  /** A text that is no Ed25519 key in a form that is read here. `details.reason`. */
  'KEY_TEXT_INVALID'

/** The forms of a public key: ours, that of decentralised identifiers, and the line of OpenSSH. */
export type PublicKeyForm = 'ed25519' | 'did' | 'openssh'

const OURS = 'ed25519:'
const DID = 'did:key:'

/** A public key in one of its forms; `comment` stands at the end of OpenSSH's. */
export function formatPublicKey(key: KeyId, form: PublicKeyForm, comment = ''): string {
  if (form === 'openssh') return opensshPublicKey(key, comment)
  return form === 'did' ? `${DID}${key.slice(OURS.length)}` : key
}

/** The key of a text in any of these forms. Throws `KEY_TEXT_INVALID`. */
export function parsePublicKey(text: string): KeyId {
  const trimmed = text.trim()
  try {
    if (trimmed.startsWith(OURS)) return parseKeyId(trimmed)
    if (trimmed.startsWith(DID)) return parseKeyId(`${OURS}${trimmed.slice(DID.length)}`)
    if (/^(?:ssh|ecdsa|sk)-/.test(trimmed)) return parseOpensshPublicKey(trimmed)
  } catch (cause) {
    throw invalid(isVaultError(cause) ? 'its letters are not those of an Ed25519 key' : (cause as Error).message)
  }
  throw invalid('it begins neither with ed25519: nor did:key: nor ssh-ed25519')
}

/**
 * The secret, 32 bytes, of a text that other software made: an unencrypted Ed25519 key of OpenSSH or PKCS #8, or the record of
 * one of our key files. Throws `KEY_TEXT_INVALID`, which quotes nothing of the text.
 */
export function parseSecretKey(text: string): Bytes {
  const [, kind, body = ''] = /^-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----\s*$/s.exec(text.trim()) ?? []
  try {
    if (kind === 'OPENSSH PRIVATE KEY') return parseOpensshSecretKey(body)
    if (kind === 'PRIVATE KEY') return secretOfPkcs8(text.trim())
    if (kind === undefined && text.trim().startsWith('{')) return parseKeyRecord(text, 'text').secret
  } catch (cause) {
    throw invalid(isVaultError(cause) ? 'it is no sound record of a key' : (cause as Error).message)
  }
  if (/^(ssh-|ed25519:|did:key:)/.test(text.trim()))
    throw invalid('it is a public key, which has no secret; "vaultctl keys trust" keeps that of somebody else')
  if (kind === undefined) throw invalid('it is neither PEM nor the record of one of our key files')
  if (kind.startsWith('AGE')) throw invalid('it is encrypted; give what "age -d" makes of it')
  throw invalid(`it is a PEM of the kind "${kind.slice(0, 40)}", and only unencrypted Ed25519 keys are taken`)
}

function secretOfPkcs8(pem: string): Bytes {
  const { d } = ed25519Key(pem).export({ format: 'jwk' })
  const secret = Buffer.from(d ?? '', 'base64url')
  if (secret.length !== 32) throw new Error('it is not an Ed25519 key')
  return copyBytes(secret)
}

function ed25519Key(pem: string): ReturnType<typeof createPrivateKey> {
  let key: ReturnType<typeof createPrivateKey>
  try {
    key = createPrivateKey(pem)
  } catch {
    // What OpenSSL says of it is not passed on: it may quote the text.
    throw new Error('it is no sound PKCS #8 key')
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new Error(`it is a key of the kind ${key.asymmetricKeyType}, and only ed25519 is taken`)
}

function invalid(reason: string): VaultError<KeyTextErrorCode> {
  return new VaultError({ code: 'KEY_TEXT_INVALID', message: `Not an Ed25519 key: ${reason}.`, details: { reason } })
}
