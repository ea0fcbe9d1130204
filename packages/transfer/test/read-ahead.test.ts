import { expect, test } from 'vitest'
import { readAhead } from '../src/read-ahead.ts'

function counting(length: number) {
  const state = { read: 0, closed: false }
  async function* items() {
    try {
      for (let i = 0; i < length; i++) {
        state.read++
        yield i
      }
    } finally {
      state.closed = true
    }
  }
  return { state, items: items() }
}

test('keeps the order and reads no further ahead than asked', async () => {
  const { state, items } = counting(10)
  const seen: number[] = []
  for await (const item of readAhead(items, 2)) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    seen.push(item)
    expect(state.read).toBeLessThanOrEqual(seen.length + 2)
    if (seen.length === 1) expect(state.read).toBe(3)
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('leaving the loop ends the reading', async () => {
  const { state, items } = counting(100)
  for await (const item of readAhead(items, 3)) if (item === 1) break
  expect(state).toEqual({ read: 5, closed: true })
})

test('a failure comes where it happened, and is not lost when nobody gets there', async () => {
  async function* failing() {
    yield 1
    throw new Error('broken')
  }
  const seen: number[] = []
  await expect(
    (async () => {
      for await (const item of readAhead(failing(), 2)) seen.push(item)
    })(),
  ).rejects.toThrow('broken')
  expect(seen).toEqual([1])
  for await (const _ of readAhead(failing(), 2)) break
})
