import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { createSigner, systemRandom } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { NamedKeys } from '../src/named-keys.ts'
import { scratch } from './scratch.ts'

const passphrase = 'correct horse'
const plain = { passphrase: undefined }
const nobody = async () => undefined

describe('a keystore', () => {
  test('gives the keys that were made, to their owner only', async () => {
    await using space = await scratch()
    const keystore = new NamedKeys(space.at('data/vault/keys'))
    expect(await keystore.list()).toEqual([])
    const sealed = await keystore.create('carol', { passphrase })
    const open = await keystore.create('ci', plain)
    expect([sealed.form, open.form]).toEqual(['sealed', 'plain'])
    expect(await keystore.list()).toEqual([sealed, open].sort((a, b) => (a.name < b.name ? -1 : 1)))
    expect((await keystore.open('carol', async () => passphrase)).signer.key).toBe(sealed.key)
    expect((await keystore.open('ci', nobody)).signer.key).toBe(open.key)
    for (const wrong of [async () => 'wrong', nobody])
      await expect(keystore.open('carol', wrong)).rejects.toMatchObject({ code: 'KEY_PASSPHRASE' })
    const modes = [space.at('data/vault/keys'), space.at('data/vault/keys/carol'), sealed.file, open.file]
    expect(await Promise.all(modes.map(async (path) => (await stat(path)).mode & 0o777))).toEqual([
      0o700, 0o700, 0o600, 0o600,
    ])
  })

  test('never overwrites a key, whoever makes another of its name at once', async () => {
    await using space = await scratch()
    const keystore = new NamedKeys(space.at('keys'))
    const { key } = createSigner(systemRandom(32))
    const made = await Promise.allSettled([
      ...Array.from({ length: 8 }, () => keystore.create('carol', plain)),
      keystore.trust('carol', key),
    ])
    const won = made.filter((each) => each.status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const each of made) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'KEY_EXISTS' })
    expect(await keystore.list()).toEqual([won[0]?.value])
    expect(await readdir(space.at('keys'))).toEqual(['carol'])
    await writeFile(space.at('keys/file'), '')
    await expect(keystore.create('file', plain)).rejects.toMatchObject({ code: 'KEY_EXISTS' })
  })

  test('keeps keys of others, and forgets no other', async () => {
    await using space = await scratch()
    const keystore = new NamedKeys(space.at('keys'))
    const { key } = createSigner(systemRandom(32))
    const bob = await keystore.trust('bob', key)
    expect(bob).toMatchObject({ name: 'bob', key, form: 'trusted' })
    await keystore.create('carol', plain)
    await expect(keystore.open('bob', nobody)).rejects.toMatchObject({ code: 'KEY_NOT_HELD' })
    await expect(keystore.distrust('carol')).rejects.toMatchObject({ code: 'KEY_UNKNOWN' })
    expect(await keystore.distrust('bob')).toEqual(bob)
    await expect(keystore.find('bob')).rejects.toMatchObject({ code: 'KEY_UNKNOWN' })
    expect(await readdir(space.at('keys'))).toEqual(['carol'])
  })

  test('has no names that lead elsewhere', async () => {
    await using space = await scratch()
    const keystore = new NamedKeys(space.at('keys'))
    for (const name of ['', '.', '..', '../x', 'a/b', '.x', '-x', 'a\n', 'ä', 'x'.repeat(65)])
      for (const use of [() => keystore.create(name, plain), () => keystore.find(name), () => keystore.distrust(name)])
        await expect(use(), JSON.stringify(name)).rejects.toMatchObject({ code: 'KEY_NAME_INVALID' })
  })

  test('gives no key a name that means the vault', async () => {
    await using space = await scratch()
    const keystore = new NamedKeys(space.at('keys'))
    const { key } = await keystore.create('carol', plain)
    for (const name of ['vault', 'operators'])
      for (const use of [() => keystore.create(name, plain), () => keystore.trust(name, key)])
        await expect(use(), name).rejects.toMatchObject({ code: 'KEY_NAME_INVALID' })
  })

  test('takes no foreign file for a key, and a file with another key for damaged', async () => {
    await using space = await scratch()
    const keystore = new NamedKeys(space.at('keys'))
    const { file } = await keystore.create('carol', plain)
    const other = await keystore.create('other', plain)
    await mkdir(space.at('keys/empty'))
    await writeFile(space.at('keys/.DS_Store'), '')
    await mkdir(space.at('keys/foreign'))
    await writeFile(space.at('keys/foreign/zzz.key'), '')
    expect((await keystore.list()).map(({ name }) => name)).toEqual(['carol', 'other'])
    const { secret } = await keystore.open('other', nobody)
    const record = { type: 'ed25519', key: other.key, secret: Buffer.from(secret).toString('base64url') }
    await writeFile(file, JSON.stringify(record))
    await expect(keystore.open('carol', nobody)).rejects.toMatchObject({ code: 'KEY_DAMAGED' })
    await expect(keystore.create('empty', plain)).resolves.toMatchObject({ name: 'empty' })
  })

  test('says where the system refuses', async () => {
    await using space = await scratch()
    await writeFile(space.at('file'), '')
    const keystore = new NamedKeys(space.at('file/keys'))
    await expect(keystore.list()).rejects.toMatchObject({ code: 'KEYSTORE_INACCESSIBLE' })
    await expect(keystore.create('carol', plain)).rejects.toMatchObject({ code: 'KEYSTORE_INACCESSIBLE' })
  })
})
