import type { MoveStatus } from '@vault/migration'
import { expect, test } from 'vitest'
import { describeStatus } from '../src/follow-move.ts'

test('of a move that a server tells of, each line stays one, without what moves the cursor', () => {
  const status: MoveStatus = {
    migration_id: 'm1',
    kind: 'full',
    phase: 'failed',
    source: 'a',
    target: 'b\nThe vault is yours. \u001b[2J',
    objects: 0,
    bytes: 0,
    eta_seconds: null,
    steps: [{ effect: 'sign', phase: 'quiesced', kind: 'required', title: 'sign\n  [x] all is done', status: 'open' }],
    reason: 'no room\u202e',
  }
  const lines = describeStatus(status, 'https://a.example').split('\n')
  expect(lines).toHaveLength(4)
  expect(lines.join('')).not.toMatch(/[\p{Cc}\u202e]/u)
  expect(lines[1]).toBe('  from https://a.example to b\\u000aThe vault is yours. \\u001b[2J')
})
