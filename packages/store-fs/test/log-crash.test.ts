import type { AuditEvent, LogStore, Trail } from '@vault/audit-chain'
import { createMemoryLog, createNoteSigner, encodeEvent, importTrail, openTrail, verifyTrail } from '@vault/audit-chain'
import type { Bytes, Random } from '@vault/core'
import { createSigner, toHex } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Fs } from '../src/index.ts'
import { openFsLogStore } from '../src/index.ts'
import type { FsOperation, SimulatedFs } from '../src/testing.ts'
import { faultyFs, simulatedFs } from '../src/testing.ts'

const ORIGIN = 'vault.example/trail'
const signer = createSigner(new Uint8Array(32).fill(7))
const EVERYTHING: readonly FsOperation[] = [
  'open',
  'create',
  'read',
  'write',
  'datasync',
  'rename',
  'link',
  'remove',
  'syncDir',
  'list',
  'mkdir',
  'size',
]

function seeded(seed: number): Random {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
}

const QUEUE: readonly Bytes[] = Array.from({ length: 258 }, (_, i) => {
  const event: AuditEvent = {
    time: 1_700_000_000 + i,
    actor: { name: 'kim', proven: false },
    action: { verb: 'put', object: `path:${i}` },
    key: `test:${i}`,
  }
  return encodeEvent(event)
})

const queue = (from: number, to: number): readonly Bytes[] => QUEUE.slice(from, to)

const opened = (store: LogStore): Promise<Trail> =>
  openTrail({ origin: ORIGIN, store, keys: [], signer, clock: () => new Date(0) })

/** Copies a trail into a log, as a process of its own does. */
async function copy(from: LogStore, checkpoint: Bytes, fs: Fs, seed: number): Promise<Trail> {
  const to = await openFsLogStore({ dir: '/a/log', mode: 'write', fs, random: seeded(seed) })
  const identity = { origin: ORIGIN, keys: [createNoteSigner({ name: ORIGIN, signer }).key] }
  for await (const _ of importTrail({ from, to, checkpoint, ...identity }));
  return await opened(to)
}

async function entriesIn(trail: Trail): Promise<number> {
  let entries = 0
  for await (const page of trail.entries()) entries += page.length
  return entries
}

/** The ends of the appends that a session makes: over the end of a tile, and of two. */
const ENDS = [1, 3, 255, 257, 258]

/** Extends the trail by what of the queue it has not, until the power fails at this operation. Returns the acknowledged size. */
async function extendUntil(
  disk: SimulatedFs,
  at: number,
  seed: number,
  ends: readonly number[] = ENDS,
): Promise<{ acknowledged: number; struck: boolean }> {
  const fs = faultyFs(disk, { operations: EVERYTHING, at, failure: 'EIO', forever: true })
  let acknowledged = 0
  try {
    const store = await openFsLogStore({ dir: '/a/log', mode: 'write', fs, random: seeded(seed) })
    const trail = await opened(store)
    for (const end of ends) {
      if (end <= trail.size) continue
      acknowledged = (await trail.extend(trail.size, queue(trail.size, end))).size
    }
  } catch (error) {
    if (!fs.struck) throw error
  }
  return { acknowledged, struck: fs.struck }
}

/** What a session without any crash makes of the queue. */
async function reference(): Promise<{ root: string; checkpoint: string }> {
  const disk = simulatedFs()
  await extendUntil(disk, Number.POSITIVE_INFINITY, 1)
  const trail = await opened(await openFsLogStore({ dir: '/a/log', mode: 'read', fs: disk }))
  return { root: toHex(trail.root), checkpoint: toHex(trail.checkpoint ?? new Uint8Array()) }
}

const expected = reference()

/** The disk still has what was acknowledged, whole, and what goes on from there comes to the same tree. */
async function expectWhole(disk: SimulatedFs, acknowledged: number, seed: number): Promise<void> {
  const store = await openFsLogStore({ dir: '/a/log', mode: 'write', fs: disk, random: seeded(seed) })
  const trail = await opened(store)
  expect(trail.size).toBeGreaterThanOrEqual(acknowledged)
  if (trail.size > 0) {
    expect(await store.read('checkpoint')).toEqual(trail.checkpoint)
    expect(await store.read(`checkpoints/${trail.size}`)).toEqual(trail.checkpoint)
  }
  // From the beginning again: what is there is compared.
  const end = ENDS.at(-1) as number
  await trail.extend(0, queue(0, end))
  const { root, checkpoint } = await expected
  expect([toHex(trail.root), toHex(trail.checkpoint ?? new Uint8Array())]).toEqual([root, checkpoint])
  let index = 0
  for await (const page of (await opened(store)).entries())
    for (const { entry } of page) expect(entry.seq).toBe(index++)
  expect(index).toBe(end)
}

describe('when the power fails', () => {
  test('at any operation, no acknowledged entry is lost, and the same tree comes out', async () => {
    for (let at = 1; ; at++) {
      const disk = simulatedFs()
      const { acknowledged, struck } = await extendUntil(disk, at, at)
      await expectWhole(disk.crash(seeded(at)), acknowledged, at + 1_000_000)
      if (!struck) break
    }
  })

  test('again and again, in any way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 5 }),
        fc.integer(),
        async (crashes, seed) => {
          let disk = simulatedFs()
          let acknowledged = 0
          for (const [session, at] of crashes.entries()) {
            acknowledged = Math.max(acknowledged, (await extendUntil(disk, at, seed + session)).acknowledged)
            disk = disk.crash(seeded(seed + session))
          }
          await expectWhole(disk, acknowledged, seed + 100)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('what an append leaves in pieces is never reported as tampering, wherever the log goes on', async () => {
    for (let at = 1; ; at++) {
      const disk = simulatedFs()
      const { struck } = await extendUntil(disk, at, at, [1, 3, 5])
      const found = disk.crash(seeded(at))
      for (const next of [4, 9]) {
        const store = await openFsLogStore({ dir: '/a/log', mode: 'write', fs: found, random: seeded(at + next) })
        await (await opened(store)).extend(0, queue(0, next))
        const keys = [{ name: ORIGIN, key: signer.key }]
        for await (const { findings } of verifyTrail({ log: store, origin: ORIGIN, keys })) {
          const tampered = findings.filter(({ code }) => code === 'AUDIT_TAMPERED')
          expect(tampered, `operation ${at}, size ${next}`).toEqual([])
        }
      }
      if (!struck) break
    }
  })

  test.each([3, 256, 258])(
    'in a copy of a trail of %d entries, whoever copies it again has all of it',
    async (size) => {
      const from = createMemoryLog()
      const { checkpoint, root } = await (await opened(from)).extend(0, queue(0, size))
      for (let at = 1; ; at++) {
        const disk = simulatedFs()
        const fs = faultyFs(disk, { operations: EVERYTHING, at, failure: 'EIO', forever: true })
        const isAcknowledged = await copy(from, checkpoint as Bytes, fs, at).then(
          () => true,
          () => false,
        )
        const found = disk.crash(seeded(at))
        if (isAcknowledged) {
          const store = await openFsLogStore({ dir: '/a/log', mode: 'read', fs: found })
          expect((await opened(store)).root).toEqual(root)
        }
        const again = await copy(from, checkpoint as Bytes, found, at + 1_000_000)
        expect(again.root).toEqual(root)
        expect(await entriesIn(again)).toBe(size)
        if (!fs.struck) break
      }
    },
  )

  test.each([3, 256, 258])(
    'behind a copy of %d entries that goes on from one that was killed, all of it is there',
    async (size) => {
      const from = createMemoryLog()
      const { checkpoint } = await (await opened(from)).extend(0, queue(0, size))
      for (let at = 1; ; at++) {
        const disk = simulatedFs()
        await openFsLogStore({ dir: '/a/log/', mode: 'write', fs: disk })
        const fs = faultyFs(disk, { operations: EVERYTHING, at, failure: 'EIO', forever: true })
        await copy(from, checkpoint as Bytes, fs, at).catch(() => {})
        await copy(from, checkpoint as Bytes, disk, at + 1_000_000)
        const found = await openFsLogStore({ dir: '/a/log', mode: 'read', fs: disk.crash(seeded(at)) })
        expect(await entriesIn(await opened(found)), `killed at ${at}`).toBe(size)
        if (!fs.struck) break
      }
    },
  )

  test('a process that is killed, and loses no write, is no different', async () => {
    for (let at = 1; ; at += 3) {
      const disk = simulatedFs()
      const { acknowledged, struck } = await extendUntil(disk, at, at)
      await expectWhole(disk, acknowledged, at + 1_000_000)
      if (!struck) break
    }
  })

  test('a process that is killed before its head got its names leaves nothing that looks like damage', async () => {
    const keys = [createNoteSigner({ name: ORIGIN, signer }).key]
    for (let at = 1; ; at++) {
      const disk = simulatedFs()
      const { struck } = await extendUntil(disk, at, at)
      const log = await openFsLogStore({ dir: '/a/log', mode: 'read', fs: disk })
      for await (const { findings } of verifyTrail({ log, origin: ORIGIN, keys })) expect(findings, `${at}`).toEqual([])
      if (!struck) break
    }
  })
})
