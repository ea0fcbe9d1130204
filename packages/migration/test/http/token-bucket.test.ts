import { expect, test } from 'vitest'
import { TokenBucket } from '../../src/http/token-bucket.ts'

test('what was not used is kept up to a bound, and what was taken beyond it is owed', () => {
  const clock = { now: 0 }
  const bucket = new TokenBucket(100, 25, () => clock.now)
  clock.now += 60_000
  expect(bucket.left).toBe(25)
  expect(bucket.take(20)).toBe(0)
  expect(bucket.take(15)).toBe(100)
  clock.now += 60
  expect(bucket.left).toBe(-4)
  expect(bucket.take(0)).toBe(40)
  clock.now += 90
  expect(bucket.left).toBe(5)
})
