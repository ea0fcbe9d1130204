import { expect, test } from 'vitest'
import { createMemoryLog } from '../src/index.ts'
import { events, trailOf } from './trail-support.ts'

test('grows', async () => {
  const store = createMemoryLog()
  const trail = await trailOf(store)
  for (let n = 0; n < 10; n++) await trail.extend(n, events(n, n + 1))
  await trail.extend(10, events(10, 1000))
  const again = await trailOf(store)
  expect(again.size).toBe(1000)
  let count = 0
  for await (const page of again.entries()) for (const { entry } of page) expect(entry.seq).toBe(count++)
})
