import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { createMemoryCas, type LentBatch, lendMany } from '@vault/cas'
import type { ContentId } from '@vault/core'
import { contentId } from '@vault/core'
import { expect, test } from 'vitest'
import { type FsCas, openFsCas } from '../src/index.ts'
import { filesIn, folder } from './folder.ts'

/** Blocks that fill several pieces. */
const BLOCKS = Array.from({ length: 12 }, (_, i) => {
  const bytes = new Uint8Array(1_000_000).fill(i + 1)
  return { id: contentId(bytes), bytes }
})
const IDS = BLOCKS.map(({ id }) => id)

async function filled(dir: string): Promise<FsCas> {
  const cas = await openFsCas({ dir, mode: 'write' })
  for await (const _ of cas.putMany([BLOCKS]));
  return cas
}

/** What is lent, looked at while it is lent and then given back. */
async function borrow(pieces: AsyncIterable<LentBatch>) {
  const good: ContentId[] = []
  const other: ContentId[] = []
  const memory = new Set<ArrayBufferLike>()
  for await (const { blocks, absent, damaged, release } of pieces) {
    for (const { id, bytes } of blocks) {
      expect(Buffer.compare(bytes, BLOCKS[IDS.indexOf(id)]?.bytes as Uint8Array)).toBe(0)
      good.push(id)
      memory.add(bytes.buffer)
    }
    other.push(...absent, ...damaged)
    release()
    release()
  }
  return { good: good.toSorted(), other: other.toSorted(), buffers: memory.size }
}

test('every block is lent, in memory that is used again', async () => {
  await using place = await folder()
  await using cas = await filled(place.dir)
  const missing = contentId(new Uint8Array([1]))
  const batches = Array.from({ length: 4 }, () => [...IDS, missing])
  const { good, other, buffers } = await borrow(cas.lendMany(batches))
  expect(good).toEqual(batches.flatMap(() => IDS).toSorted())
  expect(other).toEqual(batches.map(() => missing))
  // One is read while another is lent.
  expect(buffers).toBeLessThanOrEqual(2)
})

test('what is not given back is not used again', async () => {
  await using place = await folder()
  await using cas = await filled(place.dir)
  const kept: LentBatch[] = []
  for await (const piece of cas.lendMany([IDS, IDS])) kept.push(piece)
  for (const { blocks } of kept) for (const { id, bytes } of blocks) expect(contentId(bytes)).toBe(id)
})

test('bytes that a file no longer has are never those that lay in the memory before', async () => {
  for (const length of [2_500_000, 0]) {
    await using place = await folder()
    await using cas = await filled(place.dir)
    // Fills the buffers with exactly what is then missing.
    expect((await borrow(cas.lendMany([IDS, IDS]))).other).toEqual([])
    const [pack] = (await filesIn(place.dir)).filter((name) => name.endsWith('.pack'))
    await truncate(join(place.dir, pack as string), length)
    const { good, other } = await borrow(cas.lendMany([IDS]))
    expect([...good, ...other].toSorted()).toEqual(IDS.toSorted())
    expect(good.length).toBeLessThan(3)
  }
})

test('a store that cannot lend is read', async () => {
  const cas = createMemoryCas()
  for await (const _ of cas.putMany([BLOCKS]));
  expect((await borrow(lendMany(cas, [IDS]))).good).toEqual(IDS.toSorted())
})
