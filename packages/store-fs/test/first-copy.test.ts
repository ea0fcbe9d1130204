import type { Block } from '@vault/cas'
import { contentId, utf8 } from '@vault/core'
import { expect, test } from 'vitest'
import type { Fs, FsFile } from '../src/index.ts'
import { openFsCas } from '../src/index.ts'
import { simulatedFs } from '../src/testing.ts'

const dir = '/place'

function blocksOf(name: string, count: number): Block[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = utf8(`${name} ${i}`)
    return { id: contentId(bytes), bytes }
  })
}

/** The disk, with the paths of the index files from which a page was read. */
function watched(disk: Fs): { readonly fs: Fs; readonly read: Set<string> } {
  const read = new Set<string>()
  const open: Fs['open'] = async (path, mode) => {
    const file = await disk.open(path, mode)
    const readSync: FsFile['readSync'] = (into, position) => {
      if (path.endsWith('.idx')) read.add(path)
      return file.readSync(into, position)
    }
    return { ...file, readSync }
  }
  const fs = new Proxy<Fs>(disk, {
    get: (target, name) => (name === 'open' ? open : Reflect.get(target, name).bind(target)),
  })
  return { fs, read }
}

test('what was stored last is found in the run that was written last, and no other one is asked', async () => {
  const disk = simulatedFs()
  // Of sizes that are not merged.
  const sessions = [blocksOf('first', 90), blocksOf('second', 40), blocksOf('third', 20)] as const
  for (const blocks of sessions) {
    await using cas = await openFsCas({ dir, mode: 'write', fs: disk, indexRows: 16 })
    await Array.fromAsync(cas.putMany([blocks]))
  }
  expect(await disk.list(`${dir}/objects/index`)).toHaveLength(sessions.length)
  const { fs, read } = watched(disk)
  await using cas = await openFsCas({ dir, mode: 'read', fs })
  for (const [i, blocks] of [...sessions].reverse().entries()) {
    read.clear()
    const ids = blocks.map(({ id }) => id)
    const batches = await Array.fromAsync(cas.getMany([ids]))
    expect(batches.flatMap((batch) => batch.blocks)).toHaveLength(blocks.length)
    expect(await cas.hasMany(ids)).toEqual(blocks.map(() => true))
    if (i === 0) expect(read.size).toBe(1)
  }
})

test('of a copy that is damaged another one is found, in whichever run it is', async () => {
  const disk = simulatedFs()
  const both = blocksOf('both', 20)
  for (const more of [90, 40, 20]) {
    await using cas = await openFsCas({ dir, mode: 'write', fs: disk, indexRows: 16 })
    await Array.fromAsync(cas.putMany([[...both, ...blocksOf(`only ${more}`, more)]]))
  }
  const ids = both.map(({ id }) => id)
  const segments = await (async () => {
    await using cas = await openFsCas({ dir, mode: 'read', fs: disk })
    return (await cas.segments()).map(({ segment }) => segment)
  })()
  // One segment at a time is sound.
  for (const sound of segments) {
    const open: Fs['open'] = async (path, mode) => {
      const file = await disk.open(path, mode)
      if (!path.endsWith('.pack') || path.includes(sound)) return file
      const spoilt = (into: Uint8Array, read: number) => {
        into.fill(0)
        return read
      }
      return {
        ...file,
        readSync: (into, position) => spoilt(into, file.readSync(into, position)),
        read: async (into, position) => spoilt(into, await file.read(into, position)),
      }
    }
    const fs = new Proxy<Fs>(disk, {
      get: (target, name) => (name === 'open' ? open : Reflect.get(target, name).bind(target)),
    })
    await using cas = await openFsCas({ dir, mode: 'read', fs })
    const batches = await Array.fromAsync(cas.getMany([ids]))
    expect(batches.flatMap(({ blocks }) => blocks)).toHaveLength(ids.length)
    expect(batches.flatMap(({ damaged, absent }) => [...damaged, ...absent])).toEqual([])
  }
})
