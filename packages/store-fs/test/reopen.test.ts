import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentId } from '@vault/core'
import { utf8 } from '@vault/core'
import { expect, test } from 'vitest'
import { type FsCas, openFsCas } from '../src/index.ts'
import { folder, scrubbed } from './folder.ts'

/** A store that has one object, and has its file open; the path of that file. */
async function reading(dir: string) {
  const writer = await openFsCas({ dir, mode: 'write' })
  const id = await writer.put(utf8('what is there'))
  await writer[Symbol.asyncDispose]()
  const cas = await openFsCas({ dir, mode: 'read' })
  expect(await cas.get(id)).toBeDefined()
  const [pack = ''] = await packsIn(dir)
  return { cas, id, pack }
}

async function packsIn(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, 'objects'))
  return names.filter((name) => name.endsWith('.pack')).map((name) => join(dir, 'objects', name))
}

async function bulk(cas: FsCas, id: ContentId) {
  const found = await Array.fromAsync(cas.getMany([[id]]))
  return found.flatMap(({ blocks }) => blocks).length
}

test('a file that is gone is read on while it is open, and not behind a reopening', async () => {
  await using place = await folder()
  const { cas, id, pack } = await reading(place.dir)
  await using _ = cas
  await rm(pack)
  expect(await bulk(cas, id)).toBe(1)
  await cas.reopen()
  expect(await bulk(cas, id)).toBe(0)
  expect(await cas.get(id)).toBeUndefined()
})

test('a file that was replaced by another is read anew, and damaged', async () => {
  await using place = await folder()
  const { cas, id, pack } = await reading(place.dir)
  await using _ = cas
  await rm(pack)
  await writeFile(pack, new Uint8Array(4_096))
  expect(await bulk(cas, id)).toBe(1)
  await cas.reopen()
  expect(await bulk(cas, id)).toBe(0)
  await expect(cas.get(id)).rejects.toMatchObject({ code: 'CAS_CORRUPT' })
})

test('a scrub sees the file that has the name', async () => {
  await using place = await folder()
  const { cas, pack } = await reading(place.dir)
  await using _ = cas
  await rm(pack)
  await writeFile(pack, new Uint8Array(4_096))
  expect((await scrubbed(cas)).checked).toBe(0)
})

test('who is reading when files are let go of reads on', async () => {
  await using place = await folder()
  await using cas = await openFsCas({ dir: place.dir, mode: 'write' })
  const blocks = Array.from({ length: 12 }, (_, i) => new Uint8Array(1_000_000).fill(i))
  const ids: ContentId[] = []
  for (const bytes of blocks) ids.push(await cas.put(bytes))
  let read = 0
  for await (const piece of cas.getMany([ids])) {
    await cas.reopen()
    read += piece.blocks.length
  }
  expect(read).toBe(ids.length)
})
