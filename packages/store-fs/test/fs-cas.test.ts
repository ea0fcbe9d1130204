import { chmod, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createMemoryCas } from '@vault/cas'
import type { ContentId } from '@vault/core'
import { compareIds, contentId, isVaultError, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FsCas } from '../src/index.ts'
import { nodeFs, openFsCas } from '../src/index.ts'
import { faultyFs } from '../src/testing.ts'
import { filesIn, folder, listed, scrubbed } from './folder.ts'

describe('FsCas', () => {
  test('answers as the memory store does, across sessions', { timeout: 60_000 }, async () => {
    const content = fc.oneof(
      fc.nat(30).map((n) => utf8(`object ${n}`.repeat(n))),
      fc.uint8Array({ maxLength: 40 }),
    )
    const step = fc.oneof(
      fc.record({ type: fc.constant('put' as const), contents: fc.array(content, { maxLength: 6 }) }),
      fc.record({ type: fc.constant('many' as const), contents: fc.array(content, { maxLength: 12 }) }),
      fc.record({ type: fc.constant('reopen' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await using place = await folder()
        const model = createMemoryCas()
        let cas: FsCas = await openFsCas({ dir: place.dir, mode: 'write' })
        for (const action of steps) {
          if (action.type === 'reopen') {
            await cas[Symbol.asyncDispose]()
            cas = await openFsCas({ dir: place.dir, mode: 'write' })
            continue
          }
          for (const bytes of action.contents) await model.put(bytes)
          const blocks = action.contents.map((bytes) => ({ id: contentId(bytes), bytes }))
          if (action.type === 'put') await Promise.all(action.contents.map((bytes) => cas.put(bytes)))
          else for await (const ack of cas.putMany([blocks])) expect(ack.ids).toHaveLength(blocks.length)
        }
        const expected: ContentId[] = []
        for await (const page of model.list()) expected.push(...page)
        expect(await listed(cas)).toEqual(expected)
        for await (const { blocks, absent, damaged } of cas.getMany([expected])) {
          for (const { id, bytes } of blocks) expect(bytes).toEqual(await model.get(id))
          expect([absent, damaged]).toEqual([[], []])
        }
        await cas[Symbol.asyncDispose]()
      }),
      { numRuns: 30 },
    )
  })

  test('creates no file before the first object', async () => {
    await using place = await folder()
    await (await openFsCas({ dir: place.dir, mode: 'write' }))[Symbol.asyncDispose]()
    expect(await readdir(place.dir)).toEqual([])
  })

  test('shares one flush among puts that come together', async () => {
    await using place = await folder()
    const fs = faultyFs(nodeFs, { operations: ['datasync'], at: Number.POSITIVE_INFINITY, failure: 'EIO' })
    await using cas = await openFsCas({ dir: place.dir, mode: 'write', fs })
    await Promise.all(Array.from({ length: 500 }, (_, i) => cas.put(utf8(`object ${i}`))))
    expect(fs.operations).toBeLessThanOrEqual(2)
  })

  test('opened for reading writes nothing, on a read-only disk too', async () => {
    await using place = await folder()
    let id: ContentId
    {
      await using cas = await openFsCas({ dir: place.dir, mode: 'write' })
      id = await cas.put(utf8('kept'))
    }
    const before = await filesIn(place.dir)
    const forbidden = ['create', 'write', 'datasync', 'rename', 'remove', 'syncDir', 'mkdir'] as const
    const fs = faultyFs(nodeFs, { operations: forbidden, at: 1, failure: 'EROFS', forever: true })
    await chmod(`${place.dir}/objects`, 0o555)
    {
      await using cas = await openFsCas({ dir: place.dir, mode: 'read', fs })
      expect(await cas.get(id)).toEqual(utf8('kept'))
      expect((await scrubbed(cas)).findings).toEqual([])
      const refused = await cas.put(utf8('no')).catch((error: unknown) => error)
      expect(isVaultError(refused, 'CAS_WRITE_FAILED')).toBe(true)
    }
    expect(fs.struck).toBe(false)
    expect(await filesIn(place.dir)).toEqual(before)
    await chmod(`${place.dir}/objects`, 0o755)
  })

  test('keeps few index files over many sessions, and needs no segment to be read', { timeout: 60_000 }, async () => {
    await using place = await folder()
    const ids: ContentId[] = []
    for (let i = 0; i < 70; i++) {
      await using cas = await openFsCas({ dir: place.dir, mode: 'write' })
      ids.push(await cas.put(utf8(`session ${i}`)))
    }
    const runs = (await filesIn(place.dir)).filter((name) => name.endsWith('.idx'))
    expect(runs).toHaveLength(1)
    const fs = faultyFs(nodeFs, { operations: ['open'], at: Number.POSITIVE_INFINITY, failure: 'EIO' })
    await using cas = await openFsCas({ dir: place.dir, mode: 'read', fs })
    expect(fs.operations).toBeLessThan(20)
    expect(await cas.hasMany(ids)).toEqual(ids.map(() => true))
    expect(await listed(cas)).toEqual(ids.toSorted(compareIds))
    expect(await scrubbed(cas)).toEqual({ checked: 70, damaged: [], findings: [] })
  })

  test('merges its index while it grows, and finds everything afterwards', { timeout: 60_000 }, async () => {
    await using place = await folder()
    const ids: ContentId[] = []
    function* batches() {
      for (let batch = 0; batch < 100; batch++) {
        // Every tenth batch repeats an older one: two copies of each of its objects.
        const number = batch % 10 === 9 ? batch - 9 : batch
        const blocks = Array.from({ length: 100 }, (_, i) => utf8(`${number}-${i}`)).map((bytes) => ({
          id: contentId(bytes),
          bytes,
        }))
        ids.push(...blocks.map(({ id }) => id))
        yield blocks
      }
    }
    {
      await using cas = await openFsCas({ dir: place.dir, mode: 'write', indexRows: 256 })
      for await (const _ of cas.putMany(batches()));
      expect((await cas.hasMany(ids)).every((held) => held)).toBe(true)
      expect(await listed(cas)).toHaveLength(9000)
    }
    await using cas = await openFsCas({ dir: place.dir, mode: 'read' })
    expect((await cas.hasMany(ids)).every((held) => held)).toBe(true)
    expect(await listed(cas)).toEqual([...new Set(ids)].sort(compareIds))
    expect((await filesIn(place.dir)).filter((name) => name.endsWith('.idx')).length).toBeLessThan(10)
    expect(await scrubbed(cas)).toEqual({ checked: 10_000, damaged: [], findings: [] })
  })

  test('finds its own objects again when an index file of this session turns out damaged', async () => {
    await using place = await folder()
    await using cas = await openFsCas({ dir: place.dir, mode: 'write', indexRows: 16 })
    const blocks = Array.from({ length: 40 }, (_, i) => utf8(`object ${i}`)).map((bytes) => ({
      id: contentId(bytes),
      bytes,
    }))
    const ids = blocks.map(({ id }) => id)
    for await (const _ of cas.putMany([blocks]));
    const late = contentId(utf8('late'))
    // A miss is answered when the index has been written.
    expect(await cas.has(late)).toBe(false)
    await cas.put(utf8('late'))
    const runs = (await filesIn(place.dir)).filter((name) => name.endsWith('.idx'))
    expect(runs).toHaveLength(1)
    for (const run of runs) {
      const file = await open(join(place.dir, run), 'r+')
      await file.write(Buffer.alloc(100), 0, 100, 500)
      await file.close()
    }
    expect(await cas.hasMany([...ids, late])).toEqual([...ids, late].map(() => true))
    const after = await cas.put(utf8('after'))
    expect(await listed(cas)).toEqual([...ids, late, after].sort(compareIds))
  })

  test('refuses use after it was closed', async () => {
    await using place = await folder()
    const cas = await openFsCas({ dir: place.dir, mode: 'write' })
    await cas[Symbol.asyncDispose]()
    await cas[Symbol.asyncDispose]()
    await expect(cas.put(utf8('late'))).rejects.toThrow(TypeError)
  })
})
