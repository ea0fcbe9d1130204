import { readFile } from 'node:fs/promises'
import { type Bytes, copyBytes, createSigner, type KeyId, type Signer, VaultError } from '@vault/core'
import { loadAge } from './age.ts'

/** The `code` of the errors about keys. */
export type KeystoreErrorCode =
  /** The passphrase does not open the key file, or none was given. `details.file`. */
  | 'KEY_PASSPHRASE'
  /** A key file is missing, damaged, or holds another key than it says. `details.file`. */
  | 'KEY_DAMAGED'

/** A secret key that has been read. */
export interface OpenKey {
  readonly signer: Signer
  /** 32 bytes, the seed of RFC 8032. */
  readonly secret: Bytes
}

// 2^16 is the highest work factor whose unlocking stays under half a second here: 0.26 s measured.
const SCRYPT_WORK_FACTOR = 16

/** Bytes of a record: of every key the same. */
export const RECORD_LENGTH: number = '{"type":"ed25519","key":"","secret":""}\n'.length + 56 + 43

/** The line that a key file holds, plain or sealed. */
export function keyRecord(secret: Uint8Array): string {
  const { key } = createSigner(secret)
  return `${JSON.stringify({ type: 'ed25519', key, secret: Buffer.from(secret).toString('base64url') })}\n`
}

/** The key file of a secret, and the ending of its name: an armoured age file under the passphrase, plain where there is none. */
export async function encodeKeyFile(
  secret: Uint8Array,
  passphrase: string | undefined,
): Promise<{ readonly text: string; readonly ending: '.key' | '.age' }> {
  const record = keyRecord(secret)
  if (passphrase === undefined) return { text: record, ending: '.key' }
  const { armor, Encrypter } = await loadAge()
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  encrypter.setScryptWorkFactor(SCRYPT_WORK_FACTOR)
  return { text: armor.encode(await encrypter.encrypt(record)), ending: '.age' }
}

/**
 * The key in a key file. The passphrase is asked for where the file is sealed. Throws `KEY_DAMAGED`, also where it holds another
 * key than the expected one, and `KEY_PASSPHRASE`.
 */
export async function readKeyFile(
  file: string,
  passphrase: () => Promise<string | undefined>,
  expected?: KeyId,
): Promise<OpenKey> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw damaged(file, `it cannot be read: ${cause.code}`, cause)
  })
  // A name that says which of the two it is, is believed: what is neither is damaged either way.
  const isSealed = text.startsWith('-----BEGIN AGE') || file.endsWith('.age')
  return parseKeyRecord(isSealed ? await unseal(text, file, await passphrase()) : text, file, expected)
}

/** The key of a record. `file` is what its errors call it. Throws `KEY_DAMAGED`. */
export function parseKeyRecord(text: string, file: string, expected?: KeyId): OpenKey {
  try {
    const { type, key, secret } = JSON.parse(text) as Record<string, unknown>
    if (type !== 'ed25519' || typeof secret !== 'string') throw new Error('not an ed25519 key record')
    const bytes = copyBytes(Buffer.from(secret, 'base64url'))
    const signer = createSigner(bytes)
    if (signer.key !== key) throw new Error('the secret is not that of the key it names')
    if (expected !== undefined && signer.key !== expected) throw new Error('it holds another key than its name says')
    return { signer, secret: bytes }
  } catch (cause) {
    // The cause is not attached: a parser's message may quote the secret.
    throw damaged(file, cause instanceof SyntaxError ? 'it is not a key record' : (cause as Error).message)
  }
}

async function unseal(armored: string, file: string, passphrase: string | undefined): Promise<string> {
  const { armor, Decrypter } = await loadAge()
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase ?? '')
  try {
    return await decrypter.decrypt(armor.decode(armored), 'text')
  } catch (cause) {
    // The library has no codes; this is what it says where the file is sound and the passphrase is not the one.
    if (!(cause instanceof Error && cause.message.startsWith('no identity matched'))) {
      throw damaged(file, 'it is no sound age file', cause)
    }
    throw new VaultError<KeystoreErrorCode>({
      code: 'KEY_PASSPHRASE',
      message:
        passphrase === undefined
          ? `${file} is under a passphrase, and none was given: name a file that has it, or do this at a terminal.`
          : `The passphrase does not open ${file}.`,
      details: { file },
      cause,
    })
  }
}

function damaged(file: string, why: string, cause?: unknown): VaultError<KeystoreErrorCode> {
  return new VaultError({
    code: 'KEY_DAMAGED',
    message: `The key file ${file} is of no use: ${why}.`,
    details: { file },
    cause,
  })
}
