import { expect, test } from 'vitest'
import { PauseCost } from '../../src/move/live/pause-cost.ts'

function costAfter(...rounds: readonly (readonly [dirty: number, ms: number, compares?: boolean])[]): PauseCost {
  const cost = new PauseCost()
  for (const [dirty, ms, compares = true] of rounds) cost.add({ dirty, ms, compares })
  return cost
}

test('as much is left as a round has dealt with: a pause takes as long as that did', () => {
  expect(costAfter([600, 300]).of(600)).toBe(300)
  // What every round costs is in it, so it is no less for fewer.
  expect(costAfter([600, 300]).of(10)).toBe(300)
  expect(costAfter([600, 300]).of(0)).toBe(300)
  expect(costAfter([0, 5]).of(0)).toBe(5)
})

test('more is left: in proportion', () => {
  expect(costAfter([600, 300]).of(900)).toBe(450)
  // The round that is most like a pause tells most.
  expect(costAfter([20_000, 4_000], [600, 300]).of(1_200)).toBe(600)
  expect(costAfter([20_000, 4_000], [10, 100]).of(1_200)).toBe(4_000)
})

test('of the latest rounds, the least; those that did not compare tell nothing where one did', () => {
  expect(costAfter([500, 200], [500, 900]).of(500)).toBe(200)
  expect(costAfter([500, 200], [500, 900], [500, 800], [500, 700]).of(500)).toBe(700)
  expect(costAfter([500, 50, false], [500, 200]).of(500)).toBe(200)
  expect(costAfter([500, 50, false]).of(1_000)).toBe(100)
})
