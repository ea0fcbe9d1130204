import { isVaultError } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MemoryLog } from '../src/index.ts'
import { checkMark, createMemoryLog, decodeEvidence, forkEvidence, openHead, verifyEvidence } from '../src/index.ts'
import { code, rejectionCode } from './trail-code.ts'
import { events, keys, ORIGIN, trailOf } from './trail-support.ts'

const identity = { origin: ORIGIN, keys }

async function written(first: number, size: number): Promise<MemoryLog> {
  const store = createMemoryLog()
  await (await trailOf(store)).extend(0, events(first, first + size))
  return store
}

const noteOf = (store: MemoryLog): Uint8Array => store.files.get('checkpoint') as Uint8Array

describe('a high-water mark', () => {
  test('says nothing of a trail that has gone on from it', async () => {
    const trail = await trailOf(await written(0, 40))
    for (const size of [0, 1, 17, 40]) {
      const mark = { epoch: 1, sequence: 5, size, root: await trail.rootAt(size) }
      expect(await checkMark(mark, trail, { epoch: 1, sequence: 5 })).toEqual([])
    }
  })

  test('tells an old copy from another history', async () => {
    const trail = await trailOf(await written(0, 40))
    const root = await trail.rootAt(40)
    const mark = { epoch: 1, sequence: 5, size: 40, root }
    const codes = async (change: object, standing = { epoch: 1, sequence: 5 }): Promise<string[]> =>
      (await checkMark({ ...mark, ...change }, trail, standing)).map((finding) => `${finding.code} ${finding.subject}`)
    expect(await codes({ size: 41 })).toEqual(['AUDIT_ROLLBACK size of the trail'])
    expect(await codes({}, { epoch: 0, sequence: 4 })).toEqual(['AUDIT_ROLLBACK epoch', 'AUDIT_ROLLBACK sequence'])
    expect(await codes({ size: 39 })).toEqual(['AUDIT_FORK size 39'])
  })
})

describe('evidence of a fork', () => {
  test('holds for any two sizes, and only where the histories differ', async () => {
    const size = fc.integer({ min: 1, max: 300 })
    await fc.assert(
      fc.asyncProperty(size, size, async (a, b) => {
        const [one, other] = [await written(0, a), await written(1000, b)]
        const [large, small] = a >= b ? [one, other] : [other, one]
        const { tiles } = await openHead(large, noteOf(large) as Uint8Array<ArrayBuffer>, identity)
        const notes = [noteOf(one), noteOf(other)] as const
        const evidence = await forkEvidence({ notes, larger: tiles }, identity)
        expect(verifyEvidence(evidence, identity)).toMatchObject({ sizes: [Math.min(a, b), Math.max(a, b)] })

        const honest = createMemoryLog()
        const trail = await trailOf(honest)
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        await trail.extend(0, events(0, from))
        const before = noteOf(honest)
        if (from < to) await trail.extend(from, events(from, to))
        const honestly = {
          notes: [before, noteOf(honest)] as const,
          larger: (await openHead(honest, noteOf(honest) as Uint8Array<ArrayBuffer>, identity)).tiles,
        }
        expect(await rejectionCode(forkEvidence(honestly, identity))).toBe('AUDIT_EVIDENCE_INVALID')
        expect(small).not.toBe(large)
      }),
      { numRuns: 25 },
    )
  })

  test('is not made by changing it', async () => {
    const honest = createMemoryLog()
    const trail = await trailOf(honest)
    await trail.extend(0, events(0, 5))
    const before = noteOf(honest)
    await trail.extend(5, events(5, 13))
    const fork = await written(50, 5)
    const { tiles } = await openHead(honest, noteOf(honest) as Uint8Array<ArrayBuffer>, identity)
    const good = await forkEvidence({ notes: [noteOf(fork), noteOf(honest)], larger: tiles }, identity)
    expect(decodeEvidence(good).proof.length).toBeGreaterThan(2)
    for (let at = 0; at < good.length; at++) {
      const changed = good.map((byte, i) => (i === at ? byte ^ 1 : byte))
      expect(() => verifyEvidence(changed, identity)).toThrow()
    }
    expect(await rejectionCode(forkEvidence({ notes: [before, noteOf(honest)], larger: tiles }, identity))).toBe(
      'AUDIT_EVIDENCE_INVALID',
    )
    expect(code(() => verifyEvidence(good, { origin: ORIGIN, keys: [] }))).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
  })

  test('from any bytes, only a VaultError escapes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          verifyEvidence(bytes, identity)
        } catch (error) {
          if (!isVaultError(error)) throw error
        }
      }),
    )
  })
})
