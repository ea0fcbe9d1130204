import { appendFile, mkdir, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { isVaultError, VaultError } from '@vault/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createVault, openVault, type PutEvent, type PutOptions, Vault } from '../src/index.ts'
import { loadFile, readPieces } from '../src/read-file.ts'
import { SourceDisk } from '../src/source-disk.ts'
import type { SourceFile } from '../src/source-file.ts'
import { scratch } from './scratch.ts'

const MIB = 1024 * 1024
let folder: Awaited<ReturnType<typeof scratch>>

beforeEach(async () => {
  folder = await scratch()
  await createVault(folder.at('vault'), { passphrase: undefined })
})
afterEach(async () => await folder[Symbol.asyncDispose]())

const open_ = () => openVault(folder.at('vault'))

async function put(paths: readonly string[], options: PutOptions = {}): Promise<PutEvent | undefined> {
  await using vault = await open_()
  return (await Array.fromAsync(vault.putFiles(paths, options))).at(-1)
}

async function scrub() {
  await using vault = await open_()
  const report = (await Array.fromAsync(vault.scrub())).at(-1)
  if (report?.type !== 'report') throw new Error('no report')
  return report
}

async function packs(): Promise<string[]> {
  const names = await readdir(folder.at('vault/objects'))
  return names.filter((name) => name.endsWith('.pack')).map((name) => folder.at('vault/objects', name))
}

async function damage(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(Uint8Array.of(0x55, 0xaa), 0, 2, offset)
  await file.close()
}

/** Content of blocks that all differ. */
async function largeFile(path: string, mebibytes: number): Promise<void> {
  const bytes = new Uint8Array(mebibytes * MIB)
  for (let i = 0; i < mebibytes; i++) bytes[i * MIB] = i + 1
  await writeFile(path, bytes)
}

describe('putting heals', () => {
  test('objects whose pack is gone', async () => {
    await writeFile(folder.at('a'), 'some content')
    await put([folder.at('a')])
    for (const pack of await packs()) await rm(pack)
    expect((await scrub()).ok).toBe(false)
    await put([folder.at('a')])
    expect(await scrub()).toMatchObject({ ok: true })
  })

  test('damaged objects, with "again"', async () => {
    await writeFile(folder.at('a'), 'some content '.repeat(1000))
    await put([folder.at('a')])
    const [pack] = await packs()
    await damage(pack as string, 200)
    expect((await scrub()).damaged.map(({ code }) => code)).toContain('CAS_CORRUPT')
    await put([folder.at('a')])
    expect((await scrub()).ok).toBe(false)
    await put([folder.at('a')], { again: true })
    const report = await scrub()
    expect(report.damaged).toEqual([])
    expect(report.notes.map(({ code }) => code)).toContain('CAS_CORRUPT')
  })

  test('nothing that is there already is written again', async () => {
    await largeFile(folder.at('a'), 9)
    await put([folder.at('a')])
    const before = await Promise.all((await packs()).map(async (pack) => (await stat(pack)).size))
    expect(await put([folder.at('a')])).toMatchObject({ files: 1, added: 0 })
    expect(await Promise.all((await packs()).map(async (pack) => (await stat(pack)).size))).toEqual(before)
  })
})

test('damage of an object that is not under charge is a note', async () => {
  await writeFile(folder.at('a'), 'some content '.repeat(1000))
  await put([folder.at('a')])
  await writeFile(folder.at('a'), 'other')
  const [pack] = await packs()
  await put([folder.at('a')])
  await damage(pack as string, 200)
  expect(await scrub()).toMatchObject({ ok: true, damaged: [] })
})

describe('a large file', () => {
  test('has nothing under charge before its root, also when it is stopped', async () => {
    await largeFile(folder.at('big'), 40)
    const reason = new Error('enough')
    const stop = new AbortController()
    await using vault = await open_()
    const work = async () => {
      for await (const event of vault.putFiles([folder.at('big')], { signal: stop.signal })) {
        expect(event).toMatchObject({ files: 0, objects: 0 })
        stop.abort(reason)
      }
    }
    await expect(work()).rejects.toBe(reason)
    expect(await vault.status()).toMatchObject({ objects: 0, entries: 0 })
  })

  test('is whole, and its holes are stored once', async () => {
    await largeFile(folder.at('big'), 20)
    await truncate(folder.at('big'), 60 * MIB)
    expect(await put([folder.at('big')])).toMatchObject({ files: 1, bytes: expect.any(Number) })
    // 20 that differ, one of zeros, the root.
    await using vault = await open_()
    expect((await vault.status()).objects).toBe(22)
    const sizes = await Promise.all((await packs()).map(async (pack) => (await stat(pack)).size))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(23 * MIB)
    expect(await scrub()).toMatchObject({ ok: true, objects: 22 })
  })

  test('is read once more where its bytes were taken away meanwhile', async () => {
    await largeFile(folder.at('big'), 20)
    await using vault = await open_()
    const { commit } = vault.soup
    let refused = 0
    vault.soup.commit = (change, options) => {
      if (refused++ === 0) throw new VaultError({ code: 'SOUP_CONDEMNED', message: 'about to go' })
      return commit.call(vault.soup, change, options)
    }
    const last = (await Array.fromAsync(vault.putFiles([folder.at('big')]))).at(-1)
    expect(last).toMatchObject({ files: 1, added: 21 })
    expect(refused).toBe(2)
    expect(await scrub()).toMatchObject({ ok: true, objects: 21 })
  })
})

describe('files that change meanwhile', () => {
  const disk = new SourceDisk()
  const seen = async (path: string, below = true): Promise<SourceFile> => ({
    path,
    name: 'a',
    below,
    stats: await stat(path),
  })

  test('gone in a folder is skipped, gone as an argument is refused', async () => {
    await writeFile(folder.at('a'), 'x')
    const [below, argument] = [await seen(folder.at('a')), await seen(folder.at('a'), false)]
    await rm(folder.at('a'))
    expect(await loadFile(below, { disk, blockSize: MIB })).toMatchObject({ skipped: expect.any(String) })
    await expect(loadFile(argument, { disk, blockSize: MIB })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  test('swapped for a folder is skipped, grown or replaced is read as it is now', async () => {
    await writeFile(folder.at('a'), 'x')
    const file = await seen(folder.at('a'))
    await appendFile(folder.at('a'), 'y')
    expect(await loadFile(file, { disk, blockSize: MIB })).toMatchObject({ bytes: Uint8Array.of(120, 121) })
    await rm(folder.at('a'))
    await mkdir(folder.at('a'))
    expect(await loadFile(file, { disk, blockSize: MIB })).toMatchObject({ skipped: expect.any(String) })
  })

  test('a large one that was replaced or grew is not put', async () => {
    await writeFile(folder.at('a'), 'xxxx')
    const file = await seen(folder.at('a'))
    await writeFile(folder.at('a'), 'xxxxx')
    const code = await Array.fromAsync(readPieces(file, { disk, size: 2 })).catch(
      (error) => isVaultError(error) && error.code,
    )
    expect(code).toBe('FILE_CHANGING')
  })
})

test('every change asks for leave', async () => {
  await using open = await open_()
  const asked: unknown[] = []
  const vault = new Vault({
    inception: { vault: open.id, inception: open.inception },
    place: open.place,
    caps: open.caps,
    random: open.random,
    actor: { name: 'someone' },
    clock: () => new Date(),
    mode: 'write',
    authorize: async (request) => {
      asked.push(request)
      throw new VaultError({ code: 'NO', message: 'no' })
    },
  })
  const change = async () => void (await Array.fromAsync(vault.putFiles([folder.at('vault')])))
  for (const work of [change(), vault.put(new Uint8Array(1)), vault.commit({})]) {
    await expect(work).rejects.toMatchObject({ code: 'NO' })
  }
  expect(asked).toHaveLength(3)
  expect(asked[0]).toMatchObject({ action: 'write', object: open.id, signers: [] })
})
