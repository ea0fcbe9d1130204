import type { Authorize } from '@vault/core'
import { VaultError } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { STEPS } from '../../src/move/effect.ts'
import { resumeMove, rollBackMove } from '../../src/move/move-vault.ts'
import { activeAt, expectSound, move, partsOf, resume, rollBack, unfinished } from './moving.ts'
import { codeOf, expectCertified, moveWith, rootsAt, scene } from './processes.ts'
import { found, memoryPlace, put, testClock } from './seats.ts'

const YEAR = 366 * 24 * 3600 * 1000
const EFFECTS = STEPS.map(({ effect }) => effect)

/** A place with a clock of its own that can be set. */
function placeWith(label: string, seed: number) {
  let offset = 0
  let stands: number | undefined
  const ticks = testClock()
  const clock = () => new Date((stands ?? ticks().getTime()) + offset)
  return {
    place: memoryPlace(label, seed, clock),
    jump(by: number) {
      offset += by
    },
    stand() {
      stands = ticks().getTime()
    },
  }
}

async function moveAndBack(before: (step: string, set: ReturnType<typeof placeWith>[]) => void) {
  const clocks = [placeWith('A', 1), placeWith('B', 2)]
  const [a, b] = clocks.map(({ place }) => place) as [(typeof clocks)[0]['place'], (typeof clocks)[0]['place']]
  const vault = await found(a)
  await put(a, vault, [rawBlock('one'), rawBlock('two')])
  const roots = await rootsAt(a, vault)
  const there = await moveWith(partsOf(a, b, vault), async (step) => before(step, clocks))
  expectCertified(there)
  expect(await expectSound([a, b], vault, roots)).toBe(b)
  const back = await moveWith(partsOf(b, a, vault), async (step) => before(step, clocks))
  expectCertified(back)
  expect(await expectSound([a, b], vault, roots)).toBe(a)
  // The first certificate is as good as before.
  expectCertified(there)
}

describe('clocks', () => {
  test('that stand still change nothing', async () => {
    let stood = false
    await moveAndBack((_step, clocks) => {
      if (!stood) for (const clock of clocks) clock.stand()
      stood = true
    })
  })

  test('that go back a year between all steps change nothing', async () => {
    await moveAndBack((_step, clocks) => {
      for (const { jump } of clocks) jump(-YEAR / 2)
    })
  })

  test('that jump ahead a year between all steps change nothing', async () => {
    await moveAndBack((_step, clocks) => {
      for (const { jump } of clocks) jump(YEAR)
    })
  })

  test('of two places that run apart change nothing', async () => {
    await moveAndBack((_step, [a, b]) => {
      a?.jump(YEAR)
      b?.jump(-YEAR)
    })
  })

  test('that go back between a crash and the resume change nothing', async () => {
    const clocks = [placeWith('A', 1), placeWith('B', 2)]
    const [a, b] = clocks.map(({ place }) => place) as [(typeof clocks)[0]['place'], (typeof clocks)[0]['place']]
    const vault = await found(a)
    const state = moveWith(partsOf(a, b, vault), async (step) => {
      if (step === 'conclude') throw new VaultError({ code: 'STOPPED', message: 'stopped' })
    })
    expect(await codeOf(state)).toBe('STOPPED')
    for (const { jump } of clocks) jump(-30 * YEAR)
    expectCertified(await resume(a, b, vault, (await unfinished(a))?.migration ?? ''))
  })
})

/** Leave for so many questions. */
function leaveFor(times: number): Authorize {
  let left = times
  return async ({ action, object }) => {
    if (left-- <= 0) throw new VaultError({ code: 'AUTHORITY_DENIED', message: 'expired' })
    return { action, object, proven: false }
  }
}

describe('leave that expires between two steps', () => {
  // Behind the signature the vault is active nowhere until the move has ended: nothing is asked any more.
  test.each(EFFECTS.slice(0, EFFECTS.indexOf('sign') + 1))(
    'stops the move before %s, and it goes on with new leave',
    async (effect) => {
      const { a, b, vault } = await scene(1)
      const roots = await rootsAt(a, vault)
      let expired = false
      const authorize: Authorize = async ({ action, object, at }) => {
        if (expired) throw new VaultError({ code: 'AUTHORITY_DENIED', message: 'expired' })
        return { action, object, proven: false, expires: at }
      }
      const done: string[] = []
      // While the step is looked at, the last leave expires.
      const run = moveWith({ ...partsOf(a, b, vault), authorize }, async (step) => {
        expired = step === effect
        done.push(step)
      })
      expect(await codeOf(run)).toBe('MIGRATION_NOT_GRANTED')
      expect(done.at(-1)).toBe(effect)
      const { migration = '', next } = (await unfinished(a)) ?? {}
      // Nobody waits for the new leave: a source that was closed is open, and the last part is done again.
      expect(next).toBe(STEPS.find((step) => step.effect === effect)?.phase === 'quiesced' ? 'catch-up' : effect)
      expect(await activeAt([a, b], vault)).toEqual([a])
      expectCertified(await resume(a, b, vault, migration))
      expect(await expectSound([a, b], vault, roots)).toBe(b)
    },
  )

  test('is asked for before anything is written, and to go on or back', async () => {
    const { a, b, vault } = await scene(1)
    const roots = await rootsAt(a, vault)
    expect(await codeOf(moveWith({ ...partsOf(a, b, vault), authorize: leaveFor(2) }))).toBe('AUTHORITY_DENIED')
    expect(await unfinished(a)).toBeUndefined()
    const authorize = leaveFor(8)
    expect(await codeOf(moveWith({ ...partsOf(a, b, vault), authorize }))).toBe('MIGRATION_NOT_GRANTED')
    const before = await unfinished(a)
    const migration = before?.migration ?? ''
    // Who may not goes neither on nor back, and shuts nobody out.
    const stranger = { ...partsOf(a, b, vault), authorize: leaveFor(0) }
    for (const verb of [resumeMove, rollBackMove]) {
      expect(await codeOf(Array.fromAsync(verb(migration, stranger)))).toBe('AUTHORITY_DENIED')
    }
    expect(await unfinished(a)).toEqual(before)
    expect((await rollBack(a, b, vault, migration)).phase).toBe('rolled-back')
    expect(await expectSound([a, b], vault, roots)).toBe(a)
    await move(a, b, vault)
  })
})
