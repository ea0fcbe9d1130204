import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readMoveCheckpoint } from '../src/move/checkpoint-log.ts'
import { readMovePace } from '../src/move/move-pace.ts'
import { moveStatus } from '../src/move/move-status.ts'
import { addMark, type Mark, secondsLeft } from '../src/pace.ts'
import type { MigrationCheckpoint } from '../src/records/checkpoint.ts'
import { scene, stopAt } from './move/processes.ts'

interface Work {
  /** Milliseconds that each object costs, and each megabyte. */
  readonly perObject: number
  readonly perMegabyte: number
  /** What the sizes of its objects are drawn from. */
  readonly sizes: 'small' | 'large' | 'mixed'
  /** How much the speed of a batch differs from that of others, at most. */
  readonly uneven: number
  readonly seed: number
}

const OBJECTS = 40_000
const BATCH = 16

function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32
  }
}

/** Objects come in the order of their hashes, so that of their sizes is any. */
function sizeOf(sizes: Work['sizes'], random: () => number): number {
  const large = sizes === 'large' || (sizes === 'mixed' && random() < 0.05)
  return Math.floor(large ? random() * 2 ** 20 : 50 + random() * 2_000)
}

/** Does work under a clock of its own; what was said to be left, and what was left, at each tenth. */
function simulate({ perObject, perMegabyte, sizes, uneven, seed }: Work) {
  const random = randomOf(seed)
  const all = Array.from({ length: OBJECTS }, () => sizeOf(sizes, random))
  const totalBytes = all.reduce((sum, size) => sum + size, 0)
  let [now, objects, bytes] = [1_000_000, 0, 0]
  let marks: readonly Mark[] = addMark([], { at: now, objects, bytes })
  const said: { readonly share: number; readonly at: number; readonly seconds: number | null }[] = []
  for (let from = 0; from < OBJECTS; from += BATCH) {
    const sizesNow = all.slice(from, from + BATCH)
    const batchBytes = sizesNow.reduce((sum, size) => sum + size, 0)
    const speed = uneven ** (random() * 2 - 1)
    now += (sizesNow.length * perObject + (batchBytes / 1e6) * perMegabyte) * speed
    objects += sizesNow.length
    bytes += batchBytes
    marks = addMark(marks, { at: now, objects, bytes })
    const left = { objects: OBJECTS - objects, bytes: totalBytes - bytes }
    said.push({ share: objects / OBJECTS, at: now, seconds: secondsLeft(marks, left) })
  }
  expect(marks.length).toBeLessThanOrEqual(65)
  return said.map(({ share, at, seconds }) => ({ share, left: (now - at) / 1_000, seconds }))
}

const work: fc.Arbitrary<Work> = fc.record({
  perObject: fc.double({ min: 0, max: 2, noNaN: true }),
  perMegabyte: fc.double({ min: 0.5, max: 40, noNaN: true }),
  sizes: fc.constantFrom('small', 'large', 'mixed'),
  uneven: fc.double({ min: 1, max: 2, noNaN: true }),
  seed: fc.nat(),
})

/** Quick by default; `VAULT_FUZZ_RUNS=10000` for a campaign. */
const RUNS = Number(process.env.VAULT_FUZZ_RUNS ?? 40)

describe('how long the rest takes', () => {
  test('is right within a fifth after a tenth of the work, at whatever rates', { timeout: 24 * 3600 * 1000 }, () => {
    fc.assert(
      fc.property(work, (given) => {
        for (const { share, left, seconds } of simulate(given)) {
          // How fast each of the last batches will be nobody can know, nor how many of their objects are large.
          if (share < 0.1 || share > 0.75) continue
          const wrong = Math.abs((seconds as number) - left) / left
          if (wrong > 0.2) throw new Error(`${seconds} s were said at ${share}, and ${left} s were left`)
        }
      }),
      {
        numRuns: RUNS,
        examples: [[{ perObject: 0, perMegabyte: 0.5, sizes: 'mixed', uneven: 1.870035055387901, seed: 624634949 }]],
      },
    )
  })

  test('counts what is left in large objects, though there were few of them', () => {
    let marks: readonly Mark[] = []
    let [at, objects, bytes] = [0, 0, 0]
    for (let i = 0; i < 40; i++) {
      marks = addMark(marks, { at, objects, bytes })
      // A millisecond for each object, and ten for each megabyte.
      const [some, size] = i % 10 === 0 ? [10, 10e6] : [100, 10_000]
      objects += some
      bytes += size
      at += some + size / 1e5
    }
    expect(secondsLeft(marks, { objects: 100, bytes: 100e6 })).toBeCloseTo(1.1, 3)
    expect(secondsLeft(marks, { objects: 1_000, bytes: 0 })).toBeCloseTo(1, 3)
  })

  test('is unknown before anything has been done, and begins anew with what goes backwards', () => {
    const zero = { at: 0, objects: 0, bytes: 0 }
    expect(secondsLeft([], { objects: 1, bytes: 1 })).toBeNull()
    expect(secondsLeft([zero], { objects: 1, bytes: 1 })).toBeNull()
    expect(secondsLeft([zero, { at: 10, objects: 0, bytes: 0 }], { objects: 1, bytes: 1 })).toBeNull()
    const marks = [zero, { at: 1_000, objects: 10, bytes: 100 }]
    expect(secondsLeft(marks, { objects: 20, bytes: 200 })).toBeCloseTo(2)
    expect(secondsLeft(marks, { objects: 0, bytes: 0 })).toBe(0)
    expect(addMark(marks, { at: 500, objects: 20, bytes: 200 })).toHaveLength(1)
    expect(addMark(marks, { at: 2_000, objects: 5, bytes: 200 })).toHaveLength(1)
  })

  test('is said by the status of a move that sends', async () => {
    const places = await scene(3)
    const { records } = places.a.store
    const { migration, state } = await stopAt('verify', places)
    const checkpoint = (await readMoveCheckpoint(records, migration)) as MigrationCheckpoint
    const pace = await readMovePace(records, migration)
    expect(pace.at(-1)).toMatchObject(checkpoint.transferred)
    const sending = { ...(await state()), phase: 'transferring' } as const
    const marks = [
      { at: 0, objects: 0, bytes: 0 },
      { at: 10_000, objects: 100, bytes: 1_000 },
    ]
    const half = { ...checkpoint, remaining: { objects: 50, bytes: 500 } }
    expect(moveStatus(sending, half, marks).eta_seconds).toBe(5)
    expect(moveStatus(sending, half).eta_seconds).toBeNull()
    expect(moveStatus(await state(), half, marks).eta_seconds).toBeNull()
    expect(await readMovePace(records, '0'.repeat(32))).toEqual([])
  })
})
