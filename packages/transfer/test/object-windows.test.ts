import { objectKey } from '@vault/core'
import { expect, test } from 'vitest'
import { objectWindows, WindowPace } from '../src/object-windows.ts'
import { activeVault, fill } from './memory-vault.ts'

const OBJECTS = 10_000

/** How many objects each window has, where each of them takes so many milliseconds. */
async function windowsAt(msOfObject: number): Promise<readonly number[]> {
  const source = await activeVault('v')
  const keys = (await fill(source, OBJECTS)).map(({ id }) => objectKey(id))
  let now = 0
  const sizes: number[] = []
  for await (const window of objectWindows(source, keys, new WindowPace(() => now), {})) {
    sizes.push(window.length)
    now += window.length * msOfObject
  }
  expect(sizes.reduce((sum, size) => sum + size)).toBe(OBJECTS)
  return sizes
}

test('windows grow where they go fast', async () => {
  expect(await windowsAt(0)).toEqual([2_048, 4_096, 3_856])
})

test('what a crash repeats on a slow line is some seconds of it', async () => {
  const sizes = await windowsAt(10)
  expect(sizes.slice(0, 3)).toEqual([2_048, 1_024, 512])
  expect(Math.max(...sizes.slice(2)) * 10).toBeLessThanOrEqual(2 * 5_000)
  // It does not go down to nothing.
  const slow = await windowsAt(10_000)
  expect(slow.at(-2)).toBe(256)
})

test('a window that is not full says nothing of how fast longer ones go', async () => {
  const source = await activeVault('v')
  const keys = (await fill(source, 10)).map(({ id }) => objectKey(id))
  let now = 0
  const pace = new WindowPace(() => now)
  const before = pace.objects
  for (const key of keys) for await (const _ of objectWindows(source, [key], pace, {})) now += 10
  expect(pace.objects).toBe(before)
  for await (const _ of objectWindows(source, keys, pace, {})) now += 6_000
  expect(pace.objects).toBe(before / 2)
})
