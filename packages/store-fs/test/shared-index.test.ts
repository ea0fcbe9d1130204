import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContentId, contentId, utf8 } from '@vault/core'
import { expect, test } from 'vitest'
import type { Fs } from '../src/index.ts'
import { nodeFs, openFsCas } from '../src/index.ts'
import { filesIn, folder } from './folder.ts'

const DAY = 24 * 60 * 60 * 1000

test('a temporary file that another process may be writing is left alone until it is old', async () => {
  await using place = await folder()
  const index = join(place.dir, 'objects', 'index')
  await mkdir(index, { recursive: true })
  const temporary = `${'1'.repeat(32)}.tmp`
  const damaged = `${'2'.repeat(32)}.idx`
  for (const name of [temporary, damaged]) await writeFile(join(index, name), 'half of an index')
  for (const days of [0, 2]) {
    const clock = () => new Date(Date.now() + days * DAY)
    await (await openFsCas({ dir: place.dir, mode: 'write', clock }))[Symbol.asyncDispose]()
    const names = await readdir(index)
    expect(names.includes(temporary)).toBe(days === 0)
    expect(names, 'in the way').not.toContain(damaged)
  }
})

/** A file system that tells which index files are open. */
function watched(): { fs: Fs; open: Set<string> } {
  const open = new Set<string>()
  const fs: Fs = {
    ...nodeFs,
    async open(path, mode) {
      const file = await nodeFs.open(path, mode)
      if (!path.endsWith('.idx')) return file
      open.add(path)
      return {
        ...file,
        async close() {
          open.delete(path)
          await file.close()
        },
      }
    },
  }
  return { fs, open }
}

test('whoever stays open goes over to the index files that others have merged', async () => {
  await using place = await folder()
  const { fs, open } = watched()
  const ids: ContentId[] = []
  await using writer = await openFsCas({ dir: place.dir, mode: 'write', indexRows: 16 })
  await using reader = await openFsCas({ dir: place.dir, mode: 'read', indexRows: 16, fs })
  for (let round = 0; round < 20; round++) {
    const blocks = Array.from({ length: 20 }, (_, i) => utf8(`${round} ${i}`)).map((bytes) => ({
      id: contentId(bytes),
      bytes,
    }))
    ids.push(...blocks.map(({ id }) => id))
    for await (const _ of writer.putMany([blocks]));
    // A miss makes both look for what there is, after the index has been written.
    for (const cas of [writer, reader]) expect(await cas.has(contentId(utf8('none')))).toBe(false)
    expect((await reader.hasMany(ids)).every(Boolean)).toBe(true)
    const runs = (await filesIn(place.dir)).filter((name) => name.endsWith('.idx')).map((name) => join(place.dir, name))
    expect([...open].sort()).toEqual(runs)
  }
})

test.each([
  ['in memory', 65_536],
  ['in an index file', 24],
])('of many copies the one in a segment that is there is found, %s', async (_, indexRows) => {
  await using place = await folder()
  const bytes = utf8('stored often')
  const id = contentId(bytes)
  for (let copy = 0; copy < 24; copy++) {
    await using cas = await openFsCas({ dir: place.dir, mode: 'write', indexRows })
    await cas.put(bytes)
  }
  await (await openFsCas({ dir: place.dir, mode: 'write', indexRows }))[Symbol.asyncDispose]()
  const packs = (await filesIn(place.dir)).filter((name) => name.endsWith('.pack')).map((name) => join(place.dir, name))
  expect(packs).toHaveLength(24)
  for (const kept of packs) {
    await using cas = await openFsCas({ dir: place.dir, mode: 'read' })
    for (const pack of packs) if (pack !== kept) await rename(pack, `${pack}.away`)
    // A miss makes it look which segments are there.
    expect(await cas.has(contentId(utf8('none')))).toBe(false)
    expect(await cas.get(id), kept).toEqual(bytes)
    for (const pack of packs) if (pack !== kept) await rename(`${pack}.away`, pack)
  }
})
