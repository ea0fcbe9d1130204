import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { type LinkedBlock, linksOf, TREE_MODES, treeBlocks } from '@vault/cas'
import { type ContentId, concatBytes, contentId, encode, isVaultError, link, utf8 } from '@vault/core'
import { exportCar } from '@vault/transfer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createVault,
  type ImportEvent,
  type ImportOptions,
  openVault,
  readPiecesOf,
  type Vault,
  writePieces,
} from '../src/index.ts'
import { scratch } from './scratch.ts'

let folder: Awaited<ReturnType<typeof scratch>>
let from: Vault
let to: Vault

beforeEach(async () => {
  folder = await scratch()
  for (const name of ['from', 'to']) await createVault(folder.at(name), { passphrase: undefined })
  from = await openVault(folder.at('from'))
  to = await openVault(folder.at('to'))
})
afterEach(async () => {
  await from[Symbol.asyncDispose]()
  await to[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** Files under plain names: the object of each is its text, or its bytes. */
async function fill(vault: Vault, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? utf8(content) : content
    const id = await vault.put(bytes)
    await vault.commit({
      entries: {
        put: [{ key: `path:${name}`, type: 'path', object: id, fields: { size: bytes.length, mode: 0o100644 } }],
      },
    })
  }
}

async function carOf(vault: Vault, ...words: string[]): Promise<Uint8Array> {
  return concatBytes(...(await Array.fromAsync((await vault.exportCar(words)).chunks)))
}

async function* one(bytes: Uint8Array) {
  yield bytes
}

async function importInto(vault: Vault, bytes: Uint8Array, options: ImportOptions = {}) {
  const events: ImportEvent[] = await Array.fromAsync(vault.importCar(one(bytes), options))
  const last = events.at(-1)
  if (last?.type !== 'imported') throw new Error('no last event')
  return last
}

async function contents(vault: Vault): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const page of vault.files()) {
    for (const { name, object } of page)
      found[name] = Buffer.concat(await Array.fromAsync(vault.read(object))).toString()
  }
  return found
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (isVaultError(error) ? error.code : error),
  )

/** A CAR of these blocks with one root, whatever they say. */
async function forged(root: ContentId, blocks: readonly LinkedBlock[]): Promise<Uint8Array> {
  return concatBytes(
    ...(await Array.fromAsync(exportCar({ objects: from.objects, soup: from.soup }, [root], { added: blocks }))),
  )
}

function rawBlock(text: string): LinkedBlock {
  const bytes = utf8(text)
  return { id: contentId(bytes), bytes, links: [] }
}

function cborBlock(value: unknown): LinkedBlock {
  const bytes = encode(value as Parameters<typeof encode>[0])
  const id = contentId(bytes, { codec: 'dag-cbor' })
  return { id, bytes, links: linksOf({ id, bytes }) }
}

describe('a folder in a CAR', () => {
  test('comes back with its names, modes, links and large files', async () => {
    await mkdir(folder.at('in/a'), { recursive: true })
    await writeFile(folder.at('in/a-b'), 'before the folder, as a path')
    await writeFile(folder.at('in/a/c'), Buffer.alloc(3_000_000, 'large'))
    await writeFile(folder.at('in/a0'), 'after it')
    await writeFile(folder.at('in/run'), '#!')
    await chmod(folder.at('in/run'), 0o755)
    await symlink('a/c', folder.at('in/link'))
    await Array.fromAsync(from.putFiles([folder.at('in')]))
    const source = folder.at('in').slice(1)
    const { roots, chunks } = await from.exportCar([source])
    expect(roots).toEqual([{ word: source, id: expect.any(String), type: 'folder' }])
    const size = await writePieces(chunks, { path: folder.at('x.car') })
    expect((await readFile(folder.at('x.car'))).length).toBe(size)

    const events = await Array.fromAsync(to.importCar(readPiecesOf(folder.at('x.car')), { name: 'copy' }))
    expect(events.at(-1)).toMatchObject({
      type: 'imported',
      roots: [{ id: roots[0]!.id, type: 'folder', name: 'copy' }],
      files: 5,
      unreachable: 0,
    })
    const files = async (vault: Vault, under: string) =>
      (await Array.fromAsync(vault.files(under)))
        .flat()
        .map((file) => ({ ...file, name: file.name.slice(under.length) }))
    expect(await files(to, 'copy')).toEqual(await files(from, source))
    expect((await contents(to))['copy/a/c']).toBe('large'.repeat(600_000))
    const report = (await Array.fromAsync(to.scrub())).at(-1)
    expect(report).toMatchObject({ ok: true })
    // The same folder has the same CAR, wherever it lies.
    expect(await carOf(to, 'copy')).toEqual(new Uint8Array(await readFile(folder.at('x.car'))))
  })

  test('changes nothing where it comes from, and goes to the top where no name is given', async () => {
    await fill(from, { 'x/1': 'one', 'x/y/2': 'two' })
    const before = await from.roots()
    await importInto(to, await carOf(from, 'x'))
    expect(await contents(to)).toEqual({ '1': 'one', 'y/2': 'two' })
    await importInto(to, await carOf(from, '.'))
    expect(await contents(to)).toEqual({ '1': 'one', 'y/2': 'two', 'x/1': 'one', 'x/y/2': 'two' })
    expect(await from.roots()).toEqual(before)
  })

  test('may be an empty vault, and may have a thousand folders with the same content', async () => {
    expect(await importInto(to, await carOf(from, '.'))).toMatchObject({ files: 0, objects: 1 })
    await fill(from, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`d${i}/f`, 'same'])))
    expect(await importInto(to, await carOf(from, '.'))).toMatchObject({ files: 100, objects: 3 })
  })

  test('cannot have a file and a folder of one name', async () => {
    await fill(from, { x: 'file', 'x/y': 'in a folder' })
    expect(await codeOf(carOf(from, '.'))).toBe('VAULT_NAME_INVALID')
  })
})

describe('a file in a CAR', () => {
  test('has no name of its own: it gets the one given, or its id', async () => {
    await fill(from, { note: 'text' })
    const car = await carOf(from, 'note')
    const { roots } = await importInto(to, car)
    expect(roots).toEqual([{ id: rawBlock('text').id, type: 'file', name: rawBlock('text').id }])
    await importInto(to, car, { name: 'there/it.is' })
    expect(await contents(to)).toEqual({ [rawBlock('text').id]: 'text', 'there/it.is': 'text' })
    expect(await codeOf(importInto(to, car, { name: '../out' }))).toBe('VAULT_NAME_INVALID')
  })

  test('beside others: each is named by its id', async () => {
    await fill(from, { a: 'A', b: 'B', 'c/d': 'D' })
    const { roots } = await importInto(to, await carOf(from, 'a', 'b', 'c'), { name: 'all' })
    expect(roots.map(({ type }) => type)).toEqual(['file', 'file', 'folder'])
    expect(await contents(to)).toEqual({
      [`all/${rawBlock('A').id}`]: 'A',
      [`all/${rawBlock('B').id}`]: 'B',
      [`all/${roots[2]!.id}/d`]: 'D',
    })
  })
})

test('what is neither a file nor a folder comes under charge without a name', async () => {
  const part = rawBlock('part')
  const node = cborBlock({ anything: [link(part.id)] })
  expect(await importInto(to, await forged(node.id, [part, node]))).toMatchObject({
    roots: [{ id: node.id, type: 'object', name: '' }],
    files: 0,
    objects: 2,
    added: 2,
  })
  expect(await to.soup.charged([part.id, node.id])).toEqual([true, true])
})

describe('names that are there', () => {
  test('are left alone, unless they stand for the same, or are to be replaced', async () => {
    await fill(from, { 'x/a': 'new', 'x/b/c': 'new too' })
    const car = await carOf(from, 'x')
    await fill(to, { a: 'old' })
    const before = await to.roots()
    expect(await codeOf(importInto(to, car))).toBe('VAULT_NAME_TAKEN')
    expect(await to.roots()).toEqual(before)
    await importInto(to, car, { replace: true })
    expect(await contents(to)).toEqual({ a: 'new', 'b/c': 'new too' })
    expect(await to.soup.charged([rawBlock('old').id])).toEqual([false])
    expect(await importInto(to, car)).toMatchObject({ files: 2, added: 0 })
  })

  test('are in the way also as a folder of a file, and the other way round', async () => {
    await fill(from, { 'x/a': 'new', 'x/b/c': 'new too' })
    const car = await carOf(from, 'x')
    for (const name of ['a/under', 'b']) {
      await fill(to, { [name]: 'old' })
      expect(await codeOf(importInto(to, car)), name).toBe('VAULT_NAME_TAKEN')
      expect(await contents(to)).toEqual({ [name]: 'old' })
      await to.remove([name])
    }
  })
})

describe('refuses, and brings nothing under charge', () => {
  test('a tree that lies about sizes', async () => {
    const leaf = rawBlock('text')
    const large = cborBlock({
      v: 1,
      type: 'file',
      size: 9,
      depth: 0,
      parts: [
        [link(leaf.id), 4],
        [link(rawBlock('other').id), 5],
      ],
      blake3: new Uint8Array(32),
      sha256: new Uint8Array(32),
    })
    for (const [file, parts, size] of [
      [leaf, [leaf], 5],
      [large, [leaf, rawBlock('other'), large], 10],
    ] as const) {
      const [tree] = await Array.fromAsync(
        treeBlocks([{ name: 'a', mode: TREE_MODES.file, id: file.id, size }], { hash: 'blake3' }),
      )
      expect(await codeOf(importInto(to, await forged(tree!.id, [...parts, tree!])))).toBe('TRANSFER_CAR_INVALID')
    }
    expect(await to.status()).toMatchObject({ objects: 0, entries: 0 })
  })

  test('a tree that leads out of its folder, and one that is no tree', async () => {
    const leaf = rawBlock('text')
    const tree = (name: string) =>
      cborBlock({ v: 1, type: 'tree', depth: 0, entries: [[name, 0o100644, link(leaf.id), 4]] })
    for (const bad of [
      tree('..'),
      tree('a/b'),
      tree(''),
      cborBlock({ v: 1, type: 'tree' }),
      cborBlock({ v: 2, type: 'tree' }),
    ]) {
      expect(await codeOf(importInto(to, await forged(bad.id, [leaf, bad])))).toBe('TRANSFER_CAR_INVALID')
    }
    expect(await to.status()).toMatchObject({ objects: 0, entries: 0 })
  })

  test('a few blocks that are a million names', { timeout: 60_000 }, async () => {
    let below: LinkedBlock = rawBlock('x')
    const blocks = [below]
    let size = 1
    for (let level = 0; level < 7; level++) {
      const entries = Array.from({ length: 10 }, (_, i) => ({
        name: `${i}`,
        mode: level === 0 ? TREE_MODES.file : TREE_MODES.directory,
        id: below.id,
        size,
      }))
      below = (await Array.fromAsync(treeBlocks(entries, { hash: 'blake3' }))).at(-1)!
      size *= 10
      blocks.push(below)
    }
    expect(await codeOf(importInto(to, await forged(below.id, blocks)))).toBe('TRANSFER_CAR_INVALID')
    expect(await to.status()).toMatchObject({ objects: 0, entries: 0 })
  })

  test('what is damaged, incomplete, or not what was asked for', async () => {
    await fill(from, { 'x/a': 'text' })
    const car = await carOf(from, 'x')
    expect(await codeOf(importInto(to, car.slice(0, -10)))).toBe('TRANSFER_CAR_INVALID')
    const changed = car.slice()
    changed[changed.length - 1]! ^= 1
    expect(await codeOf(importInto(to, changed))).toBe('TRANSFER_CAR_MISMATCH')
    expect(await codeOf(importInto(to, car, { roots: [rawBlock('absent').id] }))).toBe('TRANSFER_CAR_INCOMPLETE')
    expect(await to.status()).toMatchObject({ objects: 0, entries: 0 })
    expect(await importInto(to, car, { roots: [rawBlock('text').id], name: 'a' })).toMatchObject({
      objects: 1,
      unreachable: 1,
    })
  })

  test('where the vault does not change, before the CAR is read', async () => {
    let read = false
    async function* chunks() {
      read = true
      yield await carOf(from, '.')
    }
    {
      const { soups } = to.place
      await soups.tenures.transition(
        to.id,
        { state: 'active', epoch: 0 },
        { state: 'quiesced', epoch: 0, migration: 'm' },
      )
      expect(await codeOf(Array.fromAsync(to.importCar(chunks())))).toBe('VAULT_READ_ONLY')
    }
    expect(read).toBe(false)
  })

  test('a file that is not there', async () => {
    expect(await codeOf(Array.fromAsync(to.importCar(readPiecesOf(folder.at('absent')))))).toBe('FILE_UNREADABLE')
    expect(await codeOf(from.exportCar(['absent']))).toBe('VAULT_NAME_UNKNOWN')
  })
})

test('more objects and names than one change takes', { timeout: 120_000 }, async () => {
  const count = 20_000
  const files = Array.from({ length: count }, (_, i) => rawBlock(`${i}`))
  for await (const _ of from.place.objects.putMany([files]));
  for (let at = 0; at < count; at += 5_000) {
    const part = files.slice(at, at + 5_000)
    await from.commit({
      objects: { add: part.map(({ id, bytes }) => ({ id, size: bytes.length, links: [] })) },
      entries: {
        put: part.map(({ id, bytes }, i) => ({
          key: `path:f${at + i}`,
          type: 'path',
          object: id,
          fields: { size: bytes.length, mode: 0o100644 },
        })),
      },
    })
  }
  const imported = await importInto(to, await carOf(from, '.'), { name: 'many' })
  expect(imported).toMatchObject({ files: count })
  expect(imported.added).toBe(imported.objects)
  expect(await to.status()).toMatchObject({ entries: count, objects: imported.objects })
})
