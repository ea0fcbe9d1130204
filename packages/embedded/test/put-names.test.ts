import { execFile } from 'node:child_process'
import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { isVaultError } from '@vault/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createVault, openVault, type PutEvent, type PutOptions, type Vault } from '../src/index.ts'
import { scratch } from './scratch.ts'

let folder: Awaited<ReturnType<typeof scratch>>
let vault: Vault
/** Names begin with the path of the scratch folder. */
const named = (...parts: string[]) => folder.at(...parts).slice(1)

beforeEach(async () => {
  folder = await scratch()
  await createVault(folder.at('vault'), { passphrase: undefined })
  vault = await openVault(folder.at('vault'))
})
afterEach(async () => {
  await vault[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function put(paths: readonly string[], options: PutOptions = {}): Promise<PutEvent[]> {
  return await Array.fromAsync(vault.putFiles(paths, options))
}

async function names(): Promise<string[]> {
  const pages = await Array.fromAsync(vault.files())
  return pages.flat().map(({ name }) => name.slice(named().length + 1))
}

const skippedIn = (events: readonly PutEvent[]) =>
  events.flatMap((event) => (event.type === 'skipped' ? [basename(event.path)] : []))

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (isVaultError(error) ? error.code : error),
  )

async function write(name: string, content: string): Promise<string> {
  const path = folder.at(...name.split('/'))
  await mkdir(folder.at(...name.split('/').slice(0, -1)), { recursive: true })
  await writeFile(path, content)
  return path
}

describe('the disk is the truth', () => {
  test('a file that became a folder goes, with its object', async () => {
    await write('d/a', 'file')
    await put([folder.at('d')])
    await rm(folder.at('d/a'))
    await write('d/a/b/c', 'below')
    await put([folder.at('d')])
    expect(await names()).toEqual(['d/a/b/c'])
    expect((await vault.status()).objects).toBe(1)
  })

  test('a folder that became a file goes, with all under it and nothing beside it', async () => {
    for (const name of ['a/b', 'a/c/d', 'a-', 'a0', 'b']) await write(`d/${name}`, name)
    await put([folder.at('d')])
    await rm(folder.at('d/a'), { recursive: true })
    await write('d/a', 'file')
    await put([folder.at('d')])
    expect((await names()).sort()).toEqual(['d/a', 'd/a-', 'd/a0', 'd/b'])
    expect((await vault.status()).objects).toBe(4)
  })

  test('folders far from each other that became files go both', async () => {
    for (const name of ['a/x', 'z/x']) await write(`d/${name}`, name)
    for (let i = 0; i < 300; i++) await write(`d/m${i}`, 'same')
    await put([folder.at('d')])
    for (const name of ['a', 'z']) {
      await rm(folder.at('d', name), { recursive: true })
      await write(`d/${name}`, 'file')
    }
    await put([folder.at('d')])
    expect((await names()).filter((name) => !name.startsWith('d/m'))).toEqual(['d/a', 'd/z'])
  })

  test('two files that swap their content keep both', async () => {
    await write('d/a', 'one')
    await write('d/b', 'two')
    await put([folder.at('d')])
    await write('d/a', 'two')
    await write('d/b', 'one')
    await put([folder.at('d')])
    const read = async (name: string) => {
      const file = await vault.file(named('d', name))
      return new TextDecoder().decode(await vault.get(file?.object as never))
    }
    expect([await read('a'), await read('b')]).toEqual(['two', 'one'])
    expect((await vault.status()).objects).toBe(2)
  })

  test('two files that swap their content in two batches keep both', async () => {
    const filler = 'x'.repeat(1000_000)
    await write('d/a', 'one')
    await write('d/b', 'two')
    await put([folder.at('d/a'), folder.at('d/b')])
    await write('d/a', 'two')
    await write('d/b', 'one')
    const between = await Promise.all(Array.from({ length: 10 }, (_, i) => write(`m/${i}`, `${i}${filler}`)))
    await put([folder.at('d/a'), ...between, folder.at('d/b')])
    expect((await vault.status()).objects).toBe(12)
    const report = (await Array.fromAsync(vault.scrub())).at(-1)
    expect(report).toMatchObject({ ok: true })
  })

  test('a replaced file leaves charge', async () => {
    const path = await write('a', 'one')
    await put([path])
    await write('a', 'two')
    await put([path])
    expect((await vault.status()).objects).toBe(1)
  })
})

describe('arguments', () => {
  test('that are equal, or lie within another, are put once', async () => {
    await write('d/x/y', 'content')
    const events = await put([folder.at('d/x'), folder.at('d'), folder.at('d/x/y'), `${folder.at('d')}/./x/y`])
    expect(events.at(-1)).toMatchObject({ files: 1, added: 1 })
    expect(await names()).toEqual(['d/x/y'])
  })

  test('that are not there are refused before anything is written', async () => {
    const path = await write('a', 'content')
    expect(await codeOf(put([path, folder.at('b')]))).toBe('FILE_UNREADABLE')
    expect(await names()).toEqual([])
  })

  test('whose names lie under each other: the later wins', async () => {
    await write('d/link', 'x')
    await rm(folder.at('d/link'))
    await write('e/x', 'through a link')
    await symlink(folder.at('e'), folder.at('d/link'))
    await put([folder.at('d'), folder.at('d/link/x')])
    expect(await names()).toEqual(['d/link/x'])
    expect((await vault.status()).objects).toBe(1)
  })
})

describe('what is on disk', () => {
  test('a link keeps its bytes', async () => {
    const target = Buffer.from([0x61, 0xff, 0x62])
    await mkdir(folder.at('d'))
    await symlink(target, folder.at('d/link'))
    await put([folder.at('d')])
    const events = vault.extractFolder(named('d'), { dir: folder.at('out') })
    for await (const _ of events);
    expect(await readlink(folder.at('out/link'), { encoding: 'buffer' })).toEqual(target)
  })

  test('a name that is not UTF-8 is refused; a replacement character and a byte order mark are names', async () => {
    await write('d/\uFFFD', 'one')
    await write('d/\uFEFFx', 'two')
    await put([folder.at('d')])
    expect((await names()).sort()).toEqual(['d/\uFEFFx', 'd/\uFFFD'])
    await writeFile(Buffer.concat([Buffer.from(folder.at('d/')), Buffer.from([0x61, 0xff])]), '')
    expect(await codeOf(put([folder.at('d')]))).toBe('VAULT_NAME_INVALID')
  })

  test('another vault is skipped, and so is the vault itself by a link', async () => {
    await write('d/a', 'content')
    await createVault(folder.at('d/other'), { passphrase: undefined })
    expect(skippedIn(await put([folder.at('d')]))).toEqual(['other'])
    expect(await names()).toEqual(['d/a'])
    expect(skippedIn(await put([folder.at('vault')]))).toEqual(['vault'])
  })

  test('a pipe is skipped, also in the place of vault.json', async () => {
    await write('d/a', 'content')
    await promisify(execFile)('mkfifo', [folder.at('d/pipe'), folder.at('d/vault.json')])
    expect(skippedIn(await put([folder.at('d')])).sort()).toEqual(['pipe', 'vault.json'])
  })

  test('renaming a file to another name keeps the object', async () => {
    await write('d/a', 'content')
    await put([folder.at('d')])
    await rename(folder.at('d/a'), folder.at('d/b'))
    await put([folder.at('d')])
    expect(await names()).toEqual(['d/a', 'd/b'])
    expect((await vault.status()).objects).toBe(1)
  })
})
