import { createSigner } from '@vault/core'
import { leafHash, verifyConsistency } from '@vault/merkle'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IndexedEntry, LogStep } from '../src/index.ts'
import {
  createAppender,
  createMemoryLog,
  encodeEvent,
  openCheckpoint,
  openTrail,
  verifyTlogProof,
} from '../src/index.ts'
import { rejectionCode } from './trail-code.ts'
import { clock, event, events, keys, ORIGIN, trailOf } from './trail-support.ts'

async function all(pages: AsyncIterable<readonly IndexedEntry[]>): Promise<IndexedEntry[]> {
  const entries: IndexedEntry[] = []
  for await (const page of pages) entries.push(...page)
  return entries
}

describe('a trail', () => {
  test('grows one by one and in any groups to the same tree', async () => {
    const whole = await trailOf(createMemoryLog())
    await whole.extend(0, events(0, 600))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 8 }), async (groups) => {
        const store = createMemoryLog()
        const trail = await trailOf(store)
        for (const group of [...groups, 600])
          await trail.extend(trail.size, events(trail.size, Math.min(600, trail.size + group)))
        expect([trail.root, trail.checkpoint]).toEqual([whole.root, whole.checkpoint])
        expect((await trailOf(store)).root).toEqual(whole.root)
      }),
      { numRuns: 10 },
    )
  })

  test('keeps a partial file until the full one is there', async () => {
    const store = createMemoryLog()
    const trail = await trailOf(store)
    for (let n = 0; n < 255; n += 51) await trail.extend(n, events(n, n + 51))
    expect([...(await store.list('tile/0/000.p'))].sort()).toEqual(['102', '153', '204', '255', '51'])
    await trail.extend(255, events(255, 300))
    expect(await store.list('tile/0/000.p')).toEqual([])
    expect(await store.list('tile/entries/000.p')).toEqual([])
    expect(await store.list('tile/1/000.p')).toEqual(['1'])
  })

  test('gives its entries in pages, forwards, backwards and in part', async () => {
    const trail = await trailOf(createMemoryLog())
    await trail.extend(0, events(0, 700))
    const entries = await all(trail.entries())
    expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: 700 }, (_, i) => i))
    for (const { index, bytes, hash, entry } of entries) {
      expect(hash).toEqual(leafHash(bytes))
      expect(entry.seq).toBe(index)
      expect(entry.prev).toEqual(entries[index - 1]?.hash ?? null)
    }
    const part = await all(trail.entries({ from: 250, to: 520, reverse: true }))
    expect(part.map(({ index }) => index)).toEqual(Array.from({ length: 270 }, (_, i) => 519 - i))
    expect(await all(trail.entries({ from: 700 }))).toEqual([])
    expect(await all(trail.entries({ from: 9, to: 3 }))).toEqual([])
  })

  test('proves every entry under every checkpoint, and each checkpoint under the next', async () => {
    const trail = await trailOf(createMemoryLog())
    const sizes = [1, 2, 255, 256, 257, 600]
    for (const size of sizes) await trail.extend(trail.size, events(trail.size, size))
    const entries = await all(trail.entries())
    for (const size of sizes) {
      for (const index of [0, 1, 100, 255, 256, 599].filter((n) => n < size)) {
        const leaf = entries[index]?.bytes as Uint8Array
        const proof = await trail.prove(index, size)
        expect(verifyTlogProof(proof, { leaf, origin: ORIGIN, keys }).checkpoint.size).toBe(size)
      }
      for (const to of sizes.filter((n) => n >= size)) {
        const [from, last] = [await trail.rootAt(size), await trail.rootAt(to)]
        const proof = await trail.consistency(size, to)
        verifyConsistency({ from: size, fromRoot: from, to, toRoot: last }, proof)
      }
    }
    expect(await trail.checkpointAt(3)).toBeUndefined()
    expect(await rejectionCode(trail.prove(0, 3))).toBe('AUDIT_MISSING')
    await expect(trail.prove(600)).rejects.toThrow(RangeError)
  })

  test('takes the same events again, and no others', async () => {
    const store = createMemoryLog()
    const trail = await trailOf(store)
    await trail.extend(0, events(0, 300))
    const before = trail.checkpoint
    expect((await trail.extend(0, events(0, 300))).size).toBe(300)
    expect((await trail.extend(200, events(200, 250))).size).toBe(300)
    expect(trail.checkpoint).toEqual(before)
    const other = encodeEvent(event(7, { key: 'another' }))
    expect(await rejectionCode(trail.extend(7, [other]))).toBe('AUDIT_FORK')
    expect(await rejectionCode(trail.extend(301, events(301, 302)))).toBe('AUDIT_GAP')
    expect((await trail.extend(299, events(299, 301))).size).toBe(301)
  })

  test('is not extended without a signer, nor by what is no event', async () => {
    const store = createMemoryLog()
    const reader = await openTrail({ origin: ORIGIN, store, keys, clock })
    expect(reader.checkpoint).toBeUndefined()
    expect(await rejectionCode(reader.extend(0, events(0, 1)))).toBe('AUDIT_READ_ONLY')
    const trail = await trailOf(store)
    expect(await rejectionCode(trail.extend(0, [new Uint8Array(3)]))).toBe('AUDIT_ENTRY_INVALID')
    expect((await trail.extend(0, events(0, 1))).size).toBe(1)
    expect((await reader.refresh()).size).toBe(1)
  })

  test('is opened under a key of its own only', async () => {
    const store = createMemoryLog()
    await (await trailOf(store)).extend(0, events(0, 3))
    const stranger = [{ name: ORIGIN, key: createSigner(new Uint8Array(32).fill(9)).key }]
    expect(await rejectionCode(openTrail({ origin: ORIGIN, store, keys: stranger, clock }))).toBe(
      'AUDIT_CHECKPOINT_UNTRUSTED',
    )
  })

  test('refuses to go on after an old copy or another history was put in its place', async () => {
    const store = createMemoryLog()
    const trail = await trailOf(store)
    await trail.extend(0, events(0, 5))
    const old = new Map(store.files)
    await trail.extend(5, events(5, 9))
    for (const [name, bytes] of old) store.files.set(name, bytes)
    expect(await rejectionCode(trail.refresh())).toBe('AUDIT_ROLLBACK')

    const fork = createMemoryLog()
    await (await trailOf(fork)).extend(0, [...events(0, 8), ...events(20, 30)])
    for (const [name, bytes] of fork.files) store.files.set(name, bytes)
    expect(await rejectionCode(trail.refresh())).toBe('AUDIT_FORK')
  })

  test('signs nothing that the store does not give back', async () => {
    const store = createMemoryLog()
    const trail = await trailOf(store)
    await trail.extend(0, events(0, 300))
    const write = store.write
    store.write = async (files, options) => {
      await write(files, options)
      const damaged = store.files.get('tile/entries/001.p/46')
      if (damaged) damaged[100] = (damaged[100] as number) ^ 1
    }
    expect(await rejectionCode(trail.extend(300, events(300, 302)))).toBe('AUDIT_TAMPERED')
    expect(openCheckpoint(store.files.get('checkpoint') as Uint8Array, { origin: ORIGIN, keys }).checkpoint.size).toBe(
      300,
    )
    store.write = write
    expect((await trail.extend(300, events(300, 302))).size).toBe(302)
  })
})

describe('a process that dies at any step', () => {
  test('leaves a trail from which the same tree comes out', async () => {
    const ends = [1, 3, 255, 258]
    const whole = await trailOf(createMemoryLog())
    for (const end of ends) await whole.extend(whole.size, events(whole.size, end))
    for (let dies = 1, died = true; died; dies++) {
      died = false
      let steps = 0
      let alive = true
      const before = (_: LogStep): void => {
        if (++steps !== dies && alive) return
        if (steps === dies) [died, alive] = [true, false]
        if (!revived) throw new Error('dead')
      }
      let revived = false
      const store = createMemoryLog({ before })
      let acknowledged = 0
      try {
        const trail = await trailOf(store)
        for (const end of ends) acknowledged = (await trail.extend(0, events(0, end))).size
      } catch (error) {
        if (!died) throw error
      }
      revived = true
      const trail = await trailOf(store)
      expect(trail.size).toBeGreaterThanOrEqual(acknowledged)
      await trail.extend(0, events(0, 258))
      expect([trail.root, trail.checkpoint]).toEqual([whole.root, whole.checkpoint])
    }
  })
})

describe('two trails over one store', () => {
  test('that take events from one queue make each one entry, whoever comes first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 90 })), { minLength: 1, maxLength: 20 }),
        async (turns) => {
          const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
          const store = createMemoryLog({ before: pause })
          const both = [await trailOf(store), await trailOf(store)] as const
          let end = 0
          const running = turns.map(([first, more]) => {
            end += more
            const to = end
            const trail = both[first ? 0 : 1]
            return trail.extend(0, events(0, to))
          })
          await Promise.all(running)
          const single = await trailOf(createMemoryLog())
          await single.extend(0, events(0, end))
          for (const trail of both) expect((await trail.refresh()).root).toEqual(single.root)
          expect((await all(both[0].entries())).length).toBe(end)
        },
      ),
      { numRuns: 8 },
    )
  })
})

describe('an appender', () => {
  test('gives every event an index, and all that wait one signature', async () => {
    let heads = 0
    const store = createMemoryLog({
      before: ({ what }) => {
        if (what === 'head') heads++
      },
    })
    const trail = await trailOf(store)
    const appender = createAppender(trail)
    const appended = await Promise.all(Array.from({ length: 300 }, (_, n) => appender.append(event(n))))
    expect(appended.map(({ index }) => index)).toEqual(Array.from({ length: 300 }, (_, n) => n))
    expect(appended.at(-1)?.head.size).toBe(300)
    expect(heads).toBe(2)
  })

  test('tells those who wait of a failure, and goes on', async () => {
    let fail = true
    const store = createMemoryLog({
      before: () => {
        if (fail) throw new Error('disk full')
      },
    })
    const appender = createAppender(await trailOf(store))
    await expect(appender.append(event(0))).rejects.toThrow('disk full')
    fail = false
    expect((await appender.append(event(0))).index).toBe(0)
    expect(await rejectionCode(appender.append(event(1, { key: '' })))).toBe('AUDIT_ENTRY_INVALID')
  })
})
