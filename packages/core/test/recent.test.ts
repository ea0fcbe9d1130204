import { expect, test } from 'vitest'
import { Recent } from '../src/recent.ts'

test('what was used last is kept, and whoever keeps more is told what had to go for it', () => {
  const recent = new Recent<number>(2)
  expect(recent.keep('a', 1)).toEqual([])
  recent.keep('b', 2)
  expect(recent.get('a')).toBe(1)
  expect(recent.keep('c', 3)).toEqual([2])
  expect(recent.get('b')).toBeUndefined()
  recent.keep('a', 4)
  expect(recent.keep('d', 5)).toEqual([3])
  recent.delete('d')
  expect(recent.clear()).toEqual([4])
  expect(recent.get('a')).toBeUndefined()
})
