import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createSigner, generateSecretKey, type KeyId, type Random, systemRandom, toHex } from '@vault/core'
import { createFolder, flushFolder, writeDurably } from './durable-file.ts'
import { encodeKeyFile, type OpenKey, readKeyFile } from './key-file.ts'
import { formatPublicKey, parsePublicKey } from './key-text.ts'
import {
  checkKeyName,
  checkNewKeyName,
  keyExists,
  type NamedKeyErrorCode,
  notHeld,
  unknownKey,
} from './named-key-error.ts'
import { systemError } from './system-error.ts'

/** A key that has a name. */
export interface NamedKey {
  readonly name: string
  readonly key: KeyId
  /** Its secret lies here under a passphrase, or without one; or it is somebody else's, and only its public part is known. */
  readonly form: 'sealed' | 'plain' | 'trusted'
  readonly file: string
}

const FORMS: Readonly<Record<string, NamedKey['form']>> = { age: 'sealed', key: 'plain', pub: 'trusted' }

/**
 * The keys of a person, outside of any vault: one for each name, in a folder of that name. It holds one file, which is named after the
 * key. A folder takes its name in one step and only where nothing has it, so no key is ever overwritten, nor half there.
 */
export class NamedKeys {
  readonly dir: string

  constructor(dir: string) {
    this.dir = dir
  }

  /** All of them, by name. Throws `KEYSTORE_INACCESSIBLE`. */
  async list(): Promise<readonly NamedKey[]> {
    const names = await this.#names('')
    const keys = await Promise.all(names.filter((name) => !name.startsWith('.')).map((name) => this.#look(name)))
    return keys.filter((key) => key !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The key of this name. Throws `KEY_NAME_INVALID`, `KEY_UNKNOWN`, `KEYSTORE_INACCESSIBLE`. */
  async find(name: string): Promise<NamedKey> {
    checkKeyName(name)
    const found = await this.#look(name)
    if (found === undefined) throw unknownKey(name, this.dir)
    return found
  }

  /**
   * Makes a new key; without a passphrase it is kept plain, which is the caller's explicit choice. Durable when it resolves. Throws
   * `KEY_NAME_INVALID`, `KEY_EXISTS`, `KEYSTORE_INACCESSIBLE`.
   */
  async create(
    name: string,
    { passphrase, random = systemRandom }: { readonly passphrase: string | undefined; readonly random?: Random },
  ): Promise<NamedKey> {
    return await this.add(name, generateSecretKey(random), { passphrase })
  }

  /** Keeps a secret of 32 bytes that was made elsewhere; otherwise as {@link create}. */
  async add(
    name: string,
    secret: Uint8Array,
    { passphrase }: { readonly passphrase: string | undefined },
  ): Promise<NamedKey> {
    await this.requireFree(name)
    const { text, ending } = await encodeKeyFile(secret, passphrase)
    return await this.#keep(name, createSigner(secret).key, { text, ending })
  }

  /** Keeps the public key of somebody else under a name. Throws as {@link create}. */
  async trust(name: string, key: KeyId): Promise<NamedKey> {
    await this.requireFree(name)
    return await this.#keep(name, key, { text: `${formatPublicKey(key, 'openssh', name)}\n`, ending: '.pub' })
  }

  /** Forgets a key of somebody else. Throws `KEY_UNKNOWN` also where the name is that of an own key, which is not lost so easily. */
  async distrust(name: string): Promise<NamedKey> {
    const found = await this.find(name)
    if (found.form !== 'trusted')
      throw unknownKey(name, this.dir, 'is one of your own keys, and not one that you trust')
    await this.#attempt(async () => {
      const away = this.#draft()
      await rename(join(this.dir, name), away)
      await flushFolder(this.dir)
      await rm(away, { recursive: true })
    })
    return found
  }

  /** Opens an own key; the passphrase is asked for where it is sealed. Throws `KEY_NOT_HELD`, `KEY_PASSPHRASE`, `KEY_DAMAGED` and as {@link find}. */
  async open(name: string, passphrase: () => Promise<string | undefined>): Promise<OpenKey> {
    const { key, form, file } = await this.find(name)
    if (form === 'trusted') throw notHeld(name, key)
    return await readKeyFile(file, passphrase, key)
  }

  /** Throws `KEY_EXISTS` where a name is taken: to be asked before a person is asked for a passphrase. */
  async requireFree(name: string): Promise<void> {
    checkNewKeyName(name)
    if ((await this.#names(name)).length > 0) throw keyExists(name, this.dir)
  }

  async #keep(name: string, key: KeyId, content: { text: string; ending: string }): Promise<NamedKey> {
    const file = `${key.slice(key.indexOf(':') + 1)}${content.ending}`
    await this.#attempt(async () => {
      await createFolder(this.dir, 0o700)
      const draft = this.#draft()
      try {
        await mkdir(draft, { mode: 0o700 })
        await writeDurably(join(draft, file), content.text)
        await rename(draft, join(this.dir, name))
      } catch (error) {
        await rm(draft, { recursive: true, force: true })
        throw isTaken(error) ? keyExists(name, this.dir) : error
      }
      await flushFolder(this.dir)
    })
    return await this.find(name)
  }

  /** A name that no key has, for what is not yet, or not any more, one. */
  #draft(): string {
    return join(this.dir, `.${toHex(systemRandom(8))}.tmp`)
  }

  async #look(name: string): Promise<NamedKey | undefined> {
    for (const found of await this.#names(name)) {
      const [, base = '', ending = ''] = /^(z\w+)\.(age|key|pub)$/.exec(found) ?? []
      const [key, form] = [keyOf(base), FORMS[ending]]
      if (key !== undefined && form !== undefined) return { name, key, form, file: join(this.dir, name, found) }
    }
    return undefined
  }

  /** What lies in the keystore, or in the folder of a name; nothing where there is no such folder. */
  async #names(name: string): Promise<readonly string[]> {
    return await this.#attempt(() =>
      readdir(join(this.dir, name)).catch((error: NodeJS.ErrnoException): string[] => {
        if (error.code === 'ENOENT' || (name !== '' && error.code === 'ENOTDIR')) return []
        throw error
      }),
    )
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw systemError<NamedKeyErrorCode>('KEYSTORE_INACCESSIBLE', this.dir, error)
    }
  }
}

/** The key after which a file is named; `undefined` for what somebody else has put there. */
function keyOf(base: string): KeyId | undefined {
  try {
    return parsePublicKey(`ed25519:${base}`)
  } catch {
    return undefined
  }
}

/** What the system says of a name that something else has. */
function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}
