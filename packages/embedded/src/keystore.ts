import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createSigner,
  generateSecretKey,
  type KeyId,
  type Random,
  type Signer,
  systemRandom,
  VaultError,
} from '@vault/core'
import { armor, Decrypter, Encrypter } from 'age-encryption'
import { writeDurably } from './durable-file.ts'

/** The `code` of the errors about keys. */
export type KeystoreErrorCode =
  /** The passphrase does not open the key file. `details.file`. */
  | 'KEY_PASSPHRASE'
  /** A key file is missing, damaged, or holds another key than it says. `details.file`. */
  | 'KEY_DAMAGED'

/** The roles whose keys a vault has; the place has one of its own. */
export type KeyRole = 'identity' | 'operators' | 'log'

// 2^16 is the highest work factor whose unlocking stays under half a second here: 0.26 s measured.
const SCRYPT_WORK_FACTOR = 16

/** Makes the place's online key: kept plain, because daily work signs with it, and never moved. */
export async function createPlaceKey(dir: string): Promise<KeyId> {
  return await createKey({ folder: join(dir, 'keys'), name: 'place', random: systemRandom })
}

/**
 * Makes the first keys of a vault that is not yet named, in `keys/` of the place: `log` plain and online; `identity` and
 * `operators` as age files under the passphrase (which the stock `age` tool opens too), or plain where there is none.
 */
export async function createVaultKeys(options: {
  readonly dir: string
  readonly passphrase: string | undefined
  readonly random: Random
}): Promise<Readonly<Record<KeyRole, Signer>>> {
  const folder = join(options.dir, 'keys')
  const make = async (name: KeyRole, passphrase: string | undefined): Promise<Signer> => {
    const secret = generateSecretKey(options.random)
    await storeKey({ folder, name, secret, passphrase })
    return createSigner(secret)
  }
  return {
    identity: await make('identity', options.passphrase),
    operators: await make('operators', options.passphrase),
    log: await make('log', undefined),
  }
}

/** Reads a key. Throws `KEY_DAMAGED`, `KEY_PASSPHRASE`. */
export async function openKey(options: {
  readonly dir: string
  readonly name: KeyRole | 'place'
  readonly passphrase?: string
}): Promise<Signer> {
  const base = join(options.dir, 'keys', options.name)
  const plain = await readFile(`${base}.key`, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw damaged(`${base}.key`, `it cannot be read: ${cause.code}`, cause)
  })
  if (plain !== undefined) return parseKey(plain, `${base}.key`)
  const file = `${base}.age`
  const armored = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw damaged(file, `it cannot be read: ${cause.code}`, cause)
  })
  return parseKey(await unseal(armored, file, options.passphrase ?? ''), file)
}

async function unseal(armored: string, file: string, passphrase: string): Promise<string> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  try {
    return await decrypter.decrypt(armor.decode(armored), 'text')
  } catch (cause) {
    // The library has no codes; this is what it says where the file is sound and the passphrase is not the one.
    if (!(cause instanceof Error && cause.message.startsWith('no identity matched'))) {
      throw damaged(file, 'it is no sound age file', cause)
    }
    throw new VaultError<KeystoreErrorCode>({
      code: 'KEY_PASSPHRASE',
      message: `The passphrase does not open ${file}.`,
      details: { file },
      cause,
    })
  }
}

async function createKey(options: { folder: string; name: string; random: Random }): Promise<KeyId> {
  const secret = generateSecretKey(options.random)
  await storeKey({ folder: options.folder, name: options.name, secret, passphrase: undefined })
  return createSigner(secret).key
}

async function storeKey(options: {
  folder: string
  name: string
  secret: Uint8Array
  passphrase: string | undefined
}): Promise<void> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  const record = `${JSON.stringify({ type: 'ed25519', key: createSigner(options.secret).key, secret: Buffer.from(options.secret).toString('base64url') })}\n`
  if (options.passphrase === undefined) {
    await writeDurably(join(options.folder, `${options.name}.key`), record)
    return
  }
  const encrypter = new Encrypter()
  encrypter.setPassphrase(options.passphrase)
  encrypter.setScryptWorkFactor(SCRYPT_WORK_FACTOR)
  await writeDurably(join(options.folder, `${options.name}.age`), armor.encode(await encrypter.encrypt(record)))
}

function parseKey(text: string, file: string): Signer {
  try {
    const { type, key, secret } = JSON.parse(text) as Record<string, unknown>
    if (type !== 'ed25519' || typeof secret !== 'string') throw new Error('not an ed25519 key record')
    const signer = createSigner(Buffer.from(secret, 'base64url'))
    if (signer.key !== key) throw new Error('the secret is not that of the key it names')
    return signer
  } catch (cause) {
    // The cause is not attached: a parser's message may quote the secret.
    throw damaged(file, cause instanceof SyntaxError ? 'it is not a key record' : (cause as Error).message)
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
