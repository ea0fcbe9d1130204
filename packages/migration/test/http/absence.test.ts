import { expect, test } from 'vitest'
import { Absence } from '../../src/http/absence.ts'

function begin() {
  const clock = { now: 100_000 }
  return { clock, absence: new Absence(1_000, () => clock.now) }
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
