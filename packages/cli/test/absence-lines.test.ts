import { expect, test } from 'vitest'
import { absenceLine } from '../src/absence-lines.ts'

test('until when a server is waited for is said with the day, where that is another one', () => {
  const noon = new Date(2026, 4, 8, 12)
  const line = (until: Date) =>
    absenceLine({ type: 'away', url: 'https://b.example', until: until.toISOString() }, noon)
  expect(line(new Date(2026, 4, 8, 12, 1))).toBe('https://b.example does not answer: waiting for it until 12:01:00.')
  expect(line(new Date(2026, 4, 9, 3))).toContain('until 2026-05-09 03:00:00.')
})
