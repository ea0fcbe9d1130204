import { access, mkdir, readdir } from 'node:fs/promises'
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
import { listNewKeys } from './checksums.ts'
import { writeDurably } from './durable-file.ts'
import { encodeKeyFile, type KeystoreErrorCode, type OpenKey, readKeyFile } from './key-file.ts'

/** The roles whose keys a vault has; the place has one of its own. */
export type KeyRole = 'identity' | 'operators' | 'log'

/** Makes the place's online key: kept plain, because daily work signs with it, and never moved. */
export async function createPlaceKey(dir: string): Promise<KeyId> {
  return (await makeKey({ dir, role: 'place', passphrase: undefined, random: systemRandom })).key
}

/**
 * Makes a new key for each of these roles of a vault that is founded, about to be received, or gets new keys, in `keys/` of the
 * place: `log` plain and online; `identity` and `operators` as age files under the passphrase (which the stock `age` tool opens
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
  return (await openRoleKey({ ...options, passphrase: async () => options.passphrase })).signer
}

/** The same with the secret; the passphrase is asked for where the file is sealed. */
export async function openRoleKey(options: {
  readonly dir: string
  readonly role: KeyRole | 'place'
  readonly key: KeyId
  readonly passphrase: () => Promise<string | undefined>
}): Promise<OpenKey> {
  const { dir, role, key, passphrase } = options
  const base = join(dir, 'keys', fileName(role, parseKeyId(key)))
  const ending = (await hasKey({ dir, role, key })) === 'plain' ? '.key' : '.age'
  return await readKeyFile(`${base}${ending}`, passphrase, key)
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
  return (await readKeyFile(file, passphrase)).signer
}

/** Whether a plain key file holds the secret of the key in its name: then it is what was written, whatever a checksum says. */
export async function isProvenKey(file: string): Promise<boolean> {
  try {
    const { key } = (await readKeyFile(file, async () => undefined)).signer
    return file.endsWith(`-${key.slice(key.indexOf(':') + 1)}.key`)
  } catch {
    // Damaged, or not to be read: nothing is proved.
    return false
  }
}

/** In which form a key lies here: plain, sealed under a passphrase, or not at all. Whether it is sound shows when it is opened. */
export async function hasKey(options: {
  readonly dir: string
  readonly role: KeyRole | 'place'
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

/** Those of these keys of which a file lies here. Whether it is sound shows when it is opened. */
export async function heldKeys(options: {
  readonly dir: string
  readonly role: KeyRole
  readonly keys: readonly KeyId[]
}): Promise<readonly KeyId[]> {
  const { dir, role, keys } = options
  const forms = await Promise.all(keys.map((key) => hasKey({ dir, role, key })))
  return keys.filter((_, i) => forms[i] !== undefined)
}

/** The keys of a role of which files lie here, by the names of the files. */
export async function keysIn({
  dir,
  role,
}: {
  readonly dir: string
  readonly role: KeyRole
}): Promise<readonly KeyId[]> {
  const named = (await readdir(join(dir, 'keys'))).map((name) => /^([a-z]+)-z(\w+)\.(?:key|age)$/.exec(name))
  return named.flatMap((found) => (found?.[1] === role ? [`ed25519:z${found[2]}` as const] : []))
}

/** Several keys of one role may lie in a place: those of other vaults, and those that were replaced. */
function fileName(role: KeyRole | 'place', key: KeyId): string {
  return `${role}-${key.slice(key.indexOf(':') + 1)}`
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
  const { text, ending } = await encodeKeyFile(secret, passphrase)
  await writeDurably(join(folder, `${fileName(role, signer.key)}${ending}`), text)
  return signer
}
