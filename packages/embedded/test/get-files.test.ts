import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { createMemoryCas } from '@vault/cas'
import { utf8 } from '@vault/core'
import type { Entry } from '@vault/soup'
import { expect, test } from 'vitest'
import { type Extraction, extractFile, extractFiles } from '../src/get-files.ts'
import { scratch } from './scratch.ts'

const cas = createMemoryCas()
const id = await cas.put(utf8('content'))

function files(names: readonly string[], mode = 0o100644): () => AsyncIterable<Extraction> {
  return async function* () {
    for (const path of names) {
      const entry: Entry = { key: `path:${path}`, type: 'file', object: id, fields: { mode, size: 7 } }
      yield { path, entry }
    }
  }
}

async function extractAll(list: () => AsyncIterable<Extraction>, target: { dir: string; replace?: boolean }) {
  let total = { files: 0, bytes: 0 }
  for await (const now of extractFiles(cas, list, target)) total = now
  return total
}

test('a name as long as the system allows is written, and nothing else stays', async () => {
  await using space = await scratch()
  const name = 'n'.repeat(255)
  await extractFile(cas, id, { path: space.at(name) })
  expect(await extractAll(files([`sub/${name}`]), { dir: space.at() })).toEqual({ files: 1, bytes: 7 })
  expect(await readdir(space.at())).toEqual([name, 'sub'])
  expect(await readdir(space.at('sub'))).toEqual([name])
})

test('several may write the same file at once', async () => {
  await using space = await scratch()
  const path = space.at('file')
  await Promise.all(Array.from({ length: 8 }, () => extractFile(cas, id, { path, replace: true })))
  expect(await readFile(path, 'utf8')).toBe('content')
  expect(await readdir(space.at())).toEqual(['file'])
})

test('a folder is never replaced', async () => {
  await using space = await scratch()
  await mkdir(space.at('folder'))
  for (const path of [space.at('folder'), space.at('folder/')])
    for (const replace of [false, true])
      await expect(extractFile(cas, id, { path, replace })).rejects.toMatchObject({ code: 'FILE_EXISTS' })
  await expect(extractAll(files(['folder']), { dir: space.at(), replace: true })).rejects.toMatchObject({
    code: 'FILE_EXISTS',
  })
  expect(await readdir(space.at())).toEqual(['folder'])
})

test('a file is replaced where told to, and only there', async () => {
  await using space = await scratch()
  await writeFile(space.at('file'), 'mine')
  await expect(extractFile(cas, id, { path: space.at('file') })).rejects.toMatchObject({ code: 'FILE_EXISTS' })
  expect(await readFile(space.at('file'), 'utf8')).toBe('mine')
  await extractFile(cas, id, { path: space.at('file'), replace: true, executable: true })
  expect(await readFile(space.at('file'), 'utf8')).toBe('content')
  expect((await stat(space.at('file'))).mode & 0o100).toBe(0o100)
})

test('a vault that holds a file and names under it says which', async () => {
  await using space = await scratch()
  for (const mode of [0o100644, 0o120000])
    await expect(
      extractAll(files(['a', 'a-', 'a.b', 'a/b', 'c'], mode), { dir: space.at('out') }),
    ).rejects.toMatchObject({
      code: 'FILE_UNSAFE',
      details: { names: ['a', 'a/b'] },
    })
  expect(await extractAll(files(['a', 'a-', 'ab/a', 'ab/a.b']), { dir: space.at('fine') })).toMatchObject({ files: 4 })
})

test('nothing is written through a link', async () => {
  await using space = await scratch()
  await mkdir(space.at('outside'))
  await mkdir(space.at('out'))
  await symlink(space.at('outside'), space.at('out/sub'))
  await expect(extractAll(files(['sub/file']), { dir: space.at('out'), replace: true })).rejects.toMatchObject({
    code: 'FILE_UNSAFE',
  })
  expect(await readdir(space.at('outside'))).toEqual([])
  await extractAll(files(['link'], 0o120000), { dir: space.at('out') })
  expect(await readlink(space.at('out/link'))).toBe('content')
})

test('what the system refuses is named', async () => {
  await using space = await scratch()
  await writeFile(space.at('file'), '')
  for (const path of [space.at('file/below'), space.at('n'.repeat(256)), space.at('absent/file')])
    await expect(extractFile(cas, id, { path })).rejects.toMatchObject({ code: 'FILE_UNWRITABLE', details: { path } })
})
