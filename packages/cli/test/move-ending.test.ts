import type { MoveState } from '@vault/migration'
import { expect, test } from 'vitest'
import { describeMoved } from '../src/move-ending.ts'

test('after a rollback it is said what stays at the target, and what takes it away', () => {
  const state = { phase: 'rolled-back', next: null, migration: 'm', statement: null } as unknown as MoveState
  const ending = {
    from: 'A',
    certificate: undefined,
    seconds: 1,
    live: undefined,
    returns: undefined,
    already: false,
    stays: {},
  }
  expect(describeMoved(state, { ...ending, to: 'B' })).toContain('"vaultctl reclaim B" frees their room')
  expect(describeMoved(state, { ...ending, to: 'https://b.example' })).toContain(
    '"vaultctl reclaim DIR" on that machine',
  )
})
