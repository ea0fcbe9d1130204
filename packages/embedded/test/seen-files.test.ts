import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createVault, openVault, type PutOptions } from '../src/index.ts'
import { scratch } from './scratch.ts'

let folder: Awaited<ReturnType<typeof scratch>>

beforeEach(async () => {
  folder = await scratch()
  await createVault(folder.at('vault'), { passphrase: undefined })
  await mkdir(folder.at('tree/below'), { recursive: true })
  await writeFile(folder.at('tree/a'), 'first')
  await writeFile(folder.at('tree/below/b'), 'second')
  // Of several blocks, and what links to them.
  await writeFile(
    folder.at('tree/large'),
    Uint8Array.from({ length: 5 * 1024 * 1024 + 1 }, (_, i) => i >>> 16),
  )
})
afterEach(async () => await folder[Symbol.asyncDispose]())

/** What was written lately is not remembered: here everything was written long ago. */
const LATER = () => new Date(Date.now() + 60_000)

const openIt = (clock = LATER) => openVault(folder.at('vault'), { stateDir: folder.at('state'), clock })

async function put(paths = [folder.at('tree')], options: PutOptions & { clock?: () => Date } = {}) {
  await using vault = await openIt(options.clock)
  const last = (await Array.fromAsync(vault.putFiles(paths, options))).at(-1)
  if (last?.type !== 'stored') throw new Error('nothing was put')
  return last
}

async function contentOf(name: string): Promise<string> {
  await using vault = await openIt()
  const file = (await Array.fromAsync(vault.files())).flat().find((one) => one.name.endsWith(name))
  return Buffer.concat(await Array.fromAsync(vault.read(file?.object as never))).toString()
}

test('files that look as before are not read, and counted as if they were', async () => {
  const first = await put()
  expect(first).toMatchObject({ files: 3, unchanged: 0 })
  const { files, objects } = first
  expect(await put()).toMatchObject({ files, objects, added: 0, unchanged: 3 })
})

test('a file that was changed is read, also where its length and time of change are as before', async () => {
  await put()
  const path = folder.at('tree/a')
  const { atime, mtime } = await stat(path)
  await writeFile(path, 'FIRST')
  await utimes(path, atime, mtime)
  expect(await put()).toMatchObject({ files: 3, unchanged: 2, added: 1 })
  expect(await contentOf('/a')).toBe('FIRST')
})

test('a file that was written a moment ago is read again: it may be changed without looking any different', async () => {
  await put(undefined, { clock: () => new Date() })
  expect(await put()).toMatchObject({ unchanged: 0 })
})

test('what the vault does not name any more, or names otherwise, is put again', async () => {
  await put()
  {
    await using vault = await openIt()
    const names = (await Array.fromAsync(vault.files())).flat()
    const nameOf = (end: string) => names.find(({ name }) => name.endsWith(end))?.name as string
    const { soup } = vault
    const b = await soup.entry(`path:${nameOf('/b')}`)
    const a = await soup.entry(`path:${nameOf('/a')}`)
    await vault.commit({
      entries: { put: [{ ...a, fields: { ...a?.fields, size: 7 } } as never], remove: [b?.key as string] },
    })
  }
  expect(await put()).toMatchObject({ files: 3, unchanged: 1 })
  expect(await put()).toMatchObject({ files: 3, unchanged: 3 })
  expect(await contentOf('/b')).toBe('second')
})

test('what the store has lost is put again', async () => {
  await put()
  for (const name of await readdir(folder.at('vault/objects'))) {
    if (name.endsWith('.pack')) await rm(folder.at('vault/objects', name))
  }
  expect(await put()).toMatchObject({ unchanged: 0 })
  expect(await contentOf('/a')).toBe('first')
})

test.each([{ again: true }, { reread: true }])('%j reads every file', async (options) => {
  await put()
  expect(await put(undefined, options)).toMatchObject({ files: 3, unchanged: 0 })
})

test('where one argument gives a name that another one takes, the later wins', async () => {
  await mkdir(folder.at('other/tree'), { recursive: true })
  await writeFile(folder.at('other/tree/a'), 'other')
  await using vault = await openIt()
  const here = process.cwd()
  process.chdir(folder.at('.'))
  try {
    await Array.fromAsync(vault.putFiles(['tree']))
    process.chdir(folder.at('other'))
    await Array.fromAsync(vault.putFiles(['.', '../tree']))
  } finally {
    process.chdir(here)
  }
  const file = await vault.file('tree/a')
  expect(Buffer.concat(await Array.fromAsync(vault.read(file?.object as never))).toString()).toBe('first')
})

test('where what is remembered is damaged, every file is read', async () => {
  await put()
  const names = await readdir(folder.at('state/seen'), { recursive: true })
  const file = folder.at('state/seen', names.find((name) => name.endsWith('.sqlite')) as string)
  await writeFile(file, 'no database, and longer than a header of one would be, so that it is looked at '.repeat(4))
  expect(await put()).toMatchObject({ files: 3, unchanged: 0 })
  expect(await put()).toMatchObject({ files: 3, unchanged: 3 })
})
