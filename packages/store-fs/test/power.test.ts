import type { ContentId, Random } from '@vault/core'
import { contentId, isVaultError, systemRandom, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openFsCas } from '../src/index.ts'
import type { FsOperation, SimulatedFs } from '../src/testing.ts'
import { faultyFs, simulatedFs } from '../src/testing.ts'
import { listed, scrubbed } from './folder.ts'

const EVERYTHING: readonly FsOperation[] = [
  'open',
  'create',
  'read',
  'write',
  'datasync',
  'rename',
  'remove',
  'syncDir',
  'list',
  'mkdir',
  'size',
]

/** Random bytes that a test can repeat. */
function seeded(seed: number): Random {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
}

/** Stores objects until the power fails at this operation; returns what was acknowledged before. */
async function storeUntil(
  disk: SimulatedFs,
  session: number,
  at: number,
): Promise<{ acknowledged: ContentId[]; struck: boolean }> {
  const fs = faultyFs(disk, { operations: EVERYTHING, at, failure: 'EIO', forever: true })
  const acknowledged: ContentId[] = []
  try {
    await using cas = await openFsCas({ dir: '/a/store', mode: 'write', fs, indexRows: 16 })
    for (let i = 0; i < 4; i++) {
      const puts = [0, 1, 2].map((n) => cas.put(utf8(`${session} ${i} ${n} `.repeat(n * 90))))
      for (const outcome of await Promise.allSettled(puts)) {
        if (outcome.status === 'fulfilled') acknowledged.push(outcome.value)
      }
      const blocks = Array.from({ length: 5 }, (_, n) => utf8(`${session} many ${i} ${n} `.repeat(n * 40))).map(
        (bytes) => ({ id: contentId(bytes), bytes }),
      )
      for await (const { ids } of cas.putMany([blocks, blocks.slice(1)])) acknowledged.push(...ids)
    }
  } catch (error) {
    if (!fs.struck) throw error
  }
  return { acknowledged, struck: fs.struck }
}

async function expectDurable(disk: SimulatedFs, acknowledged: readonly ContentId[]): Promise<void> {
  for (const mode of ['read', 'write'] as const) {
    await using cas = await openFsCas({ dir: '/a/store', mode, fs: disk, indexRows: 16 })
    expect(await cas.hasMany(acknowledged)).toEqual(acknowledged.map(() => true))
    for await (const { absent, damaged } of cas.getMany([acknowledged])) expect([absent, damaged]).toEqual([[], []])
    // Nor does anything that was not acknowledged look like damage.
    for (const id of await listed(cas)) expect(await cas.get(id)).toBeDefined()
    const { findings, damaged } = await scrubbed(cas)
    expect(damaged).toEqual([])
    expect(findings.filter(({ code }) => code !== 'CAS_UNACKNOWLEDGED')).toEqual([])
  }
}

describe('when the power fails', () => {
  test('at any operation, nothing acknowledged is lost and nothing torn passes for damage', {
    timeout: 60_000,
  }, async () => {
    for (let at = 1; ; at += 1) {
      const disk = simulatedFs()
      const { acknowledged, struck } = await storeUntil(disk, 0, at)
      await expectDurable(disk.crash(seeded(at)), acknowledged)
      if (!struck) break
    }
  })

  test('again and again, in any way', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 160 }), { minLength: 1, maxLength: 5 }),
        fc.integer(),
        async (crashes, seed) => {
          let disk = simulatedFs()
          const random = seeded(seed)
          const all: ContentId[] = []
          for (const [session, at] of crashes.entries()) {
            all.push(...(await storeUntil(disk, session, at)).acknowledged)
            disk = disk.crash(random)
          }
          await expectDurable(disk, all)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('an object whose flush failed is not acknowledged', async () => {
    const disk = simulatedFs()
    const fs = faultyFs(disk, { operations: ['datasync', 'syncDir'], at: 1, failure: 'EIO', forever: true })
    await using cas = await openFsCas({ dir: '/a/store', mode: 'write', fs, random: systemRandom })
    const refused = await cas.put(utf8('never')).catch((error: unknown) => error)
    expect(isVaultError(refused, 'CAS_WRITE_FAILED')).toBe(true)
  })
})
