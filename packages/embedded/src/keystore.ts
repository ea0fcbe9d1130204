import { access, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createSigner,
  generateSecretKey,
  type KeyId,
  parseKeyId,
  type Random,
  type Signer,
  systemRandom,
  VaultError,
} from '@vault/core'
import { armor, Decrypter, Encrypter } from 'age-encryption'
import { listNewKeys } from './checksums.ts'
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
  return (await makeKey({ dir, role: 'place', passphrase: undefined, random: systemRandom })).key
}

/**
 * Makes a new key for each of these roles of a vault that is founded, or about to be received, in `keys/` of the place:
 * `log` plain and online; `identity` and `operators` as age files under the passphrase (which the stock `age` tool opens
 * too), or plain where there is none. They are no vault's before a key event names them. Where the place has its checksums
 * already, they are added.
 */
export async function createRoleKeys<Role extends KeyRole>(options: {
  readonly dir: string
  readonly roles: readonly Role[]
  readonly passphrase: string | undefined
  readonly random: Random
}): Promise<Readonly<Record<Role, Signer>>> {
  const { dir, passphrase, random } = options
  const signers: Partial<Record<Role, Signer>> = {}
  for (const role of options.roles) {
    signers[role] = await makeKey({ dir, role, passphrase: role === 'log' ? undefined : passphrase, random })
  }
  await listNewKeys(dir)
  return signers as Record<Role, Signer>
}

/**
 * The signer of one key, from the file that is named after its role and its id. Throws `KEY_DAMAGED` also where the file
 * holds another key, `KEY_PASSPHRASE`.
 */
export async function openKey(options: {
  readonly dir: string
  readonly role: KeyRole | 'place'
  readonly key: KeyId
  readonly passphrase?: string
}): Promise<Signer> {
  const { dir, role, key, passphrase = '' } = options
  const base = join(dir, 'keys', fileName(role, parseKeyId(key)))
  const plain = await readFile(`${base}.key`, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw damaged(`${base}.key`, `it cannot be read: ${cause.code}`, cause)
  })
  if (plain !== undefined) return parseKey(plain, `${base}.key`, key)
  const file = `${base}.age`
  const armored = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw damaged(file, `it cannot be read: ${cause.code}`, cause)
  })
  return parseKey(await unseal(armored, file, passphrase), file, key)
}

/**
 * The signer of the first of these keys that is held here without a passphrase: what works alone signs with it. Throws
 * `KEY_DAMAGED` also where none is, with `details.files`, where they were looked for.
 */
export async function openHeldKey(options: {
  readonly dir: string
  readonly role: KeyRole
  readonly keys: readonly KeyId[]
}): Promise<Signer> {
  const { dir, role, keys } = options
  for (const key of keys) {
    if ((await hasKey({ dir, role, key })) === 'plain') return await openKey({ dir, role, key })
  }
  const files = keys.map((key) => join(dir, 'keys', `${fileName(role, parseKeyId(key))}.key`))
  throw new VaultError<KeystoreErrorCode>({
    code: 'KEY_DAMAGED',
    message: `No ${role} key of the vault is held here: ${files.join(', ')} ${files.length === 1 ? 'is' : 'are'} missing.`,
    details: { files },
  })
}

/** A key from a file that somebody kept elsewhere; the passphrase is asked for where it is sealed. Throws `KEY_DAMAGED`, `KEY_PASSPHRASE`. */
export async function openKeyFile(file: string, passphrase: () => Promise<string | undefined>): Promise<Signer> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw damaged(file, `it cannot be read: ${cause.code}`, cause)
  })
  if (!text.startsWith('-----BEGIN AGE')) return parseKey(text, file)
  return parseKey(await unseal(text, file, (await passphrase()) ?? ''), file)
}

/** Whether a plain key file holds the secret of the key in its name: then it is what was written, whatever a checksum says. */
export async function isProvenKey(file: string): Promise<boolean> {
  try {
    const { key } = parseKey(await readFile(file, 'utf8'), file)
    return file.endsWith(`-${key.slice(key.indexOf(':') + 1)}.key`)
  } catch {
    // Damaged, or not to be read: nothing is proved.
    return false
  }
}

/** In which form a key lies here: plain, sealed under a passphrase, or not at all. Whether it is sound shows when it is opened. */
export async function hasKey(options: {
  readonly dir: string
  readonly role: KeyRole
  readonly key: KeyId
}): Promise<'plain' | 'sealed' | undefined> {
  const { dir, role, key } = options
  const base = join(dir, 'keys', fileName(role, parseKeyId(key)))
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    )
  if (await isThere(`${base}.key`)) return 'plain'
  return (await isThere(`${base}.age`)) ? 'sealed' : undefined
}

/** Several keys of one role may lie in a place: those of other vaults, and those that were replaced. */
function fileName(role: KeyRole | 'place', key: KeyId): string {
  return `${role}-${key.slice(key.indexOf(':') + 1)}`
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

async function makeKey(options: {
  dir: string
  role: KeyRole | 'place'
  passphrase: string | undefined
  random: Random
}): Promise<Signer> {
  const { dir, role, passphrase, random } = options
  const secret = generateSecretKey(random)
  const signer = createSigner(secret)
  const folder = join(dir, 'keys')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const base = join(folder, fileName(role, signer.key))
  const record = `${JSON.stringify({ type: 'ed25519', key: signer.key, secret: Buffer.from(secret).toString('base64url') })}\n`
  if (passphrase === undefined) {
    await writeDurably(`${base}.key`, record)
    return signer
  }
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  encrypter.setScryptWorkFactor(SCRYPT_WORK_FACTOR)
  await writeDurably(`${base}.age`, armor.encode(await encrypter.encrypt(record)))
  return signer
}

function parseKey(text: string, file: string, expected?: KeyId): Signer {
  try {
    const { type, key, secret } = JSON.parse(text) as Record<string, unknown>
    if (type !== 'ed25519' || typeof secret !== 'string') throw new Error('not an ed25519 key record')
    const signer = createSigner(Buffer.from(secret, 'base64url'))
    if (signer.key !== key) throw new Error('the secret is not that of the key it names')
    if (expected !== undefined && signer.key !== expected) throw new Error('it holds another key than its name says')
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
