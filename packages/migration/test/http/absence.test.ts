import { expect, test } from 'vitest'
import { Absence } from '../../src/http/absence.ts'

function begin() {
  const clock = { now: 100_000 }
  return { clock, absence: new Absence(1_000, { now: () => clock.now }) }
}

test('who is away is so since nothing came any more, for all requests, until an answer comes', () => {
  const { clock, absence } = begin()
  expect(absence.failed(300)).toBe(99_700)
  clock.now += 400
  expect(absence.failed(10)).toBe(99_700)
  absence.heard()
  expect(absence.failed(0)).toBe(100_400)
})

test('a time limit goes no further than the patience, but leaves time for an answer', () => {
  const { clock, absence } = begin()
  expect(absence.within(800)).toBe(800)
  absence.failed(300)
  expect(absence.within(800)).toBe(700)
  clock.now += 600
  expect(absence.within(800)).toBe(250)
  expect(absence.within(100)).toBe(100)
})

test('who asks again long after giving up is as patient as before', () => {
  const { clock, absence } = begin()
  absence.failed(0)
  clock.now += 5_000
  expect(absence.failed(0)).toBe(105_000)
})

test('an absence of a second is told once, with how long it is still waited for, and so is its end', () => {
  const clock = { now: 100_000 }
  const told: unknown[] = []
  const absence = new Absence(60_000, { now: () => clock.now, tell: (notice) => told.push(notice) })
  expect(absence.wasHeard).toBe(false)
  for (const ms of [0, 500, 999]) {
    clock.now = 100_000 + ms
    absence.failed(0)
  }
  absence.heard()
  expect([told, absence.wasHeard]).toEqual([[], true])
  absence.failed(0)
  clock.now += 1_500
  absence.failed(0)
  clock.now += 1_500
  absence.failed(0)
  expect(told).toEqual([{ type: 'away', leftMs: 58_500 }])
  clock.now += 1_000
  absence.heard()
  absence.heard()
  expect(told.slice(1)).toEqual([{ type: 'back', ms: 4_000 }])
  clock.now += 5_000
  absence.silent(3_000)
  expect(told.slice(2)).toEqual([{ type: 'away', leftMs: 57_000 }])
})

test('of an end that is asked again long after it was given up it is told anew that it is away', () => {
  const clock = { now: 100_000 }
  const told: unknown[] = []
  const absence = new Absence(2_000, { now: () => clock.now, tell: (notice) => told.push(notice) })
  for (const ms of [0, 1_000, 9_000, 10_500]) {
    clock.now = 100_000 + ms
    absence.failed(0)
  }
  expect(told).toEqual([
    { type: 'away', leftMs: 1_000 },
    { type: 'away', leftMs: 500 },
  ])
})

test('who answers elsewhere is not silent, and where patience is at an end nobody is waited for', () => {
  const clock = { now: 100_000 }
  const told: unknown[] = []
  const absence = new Absence(2_000, { now: () => clock.now, tell: (notice) => told.push(notice) })
  absence.heard()
  clock.now += 1_000
  absence.silent(3_000)
  absence.failed(2_000)
  expect(told).toEqual([])
})
