import type { Roles, Signer } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { requireRoles } from '../../src/records/roles-rule.ts'
import { NEW, OLD } from './forge.ts'

const role = (...signers: readonly Signer[]) => ({
  keys: signers.map(({ key }) => key).toSorted(),
  threshold: signers.length,
})
const rolesOf = (who: typeof OLD): Roles => ({
  identity: role(who.identity),
  operators: role(who.operators),
  log: role(who.log),
})
const before = rolesOf(OLD)
const after = rolesOf(NEW)
const kept = { ...before, log: after.log }

const refusal = (of: string) =>
  expect.objectContaining({
    code: 'MIGRATION_RECORD_FOREIGN',
    details: { record: 'migration-acceptance', field: 'roles', role: of },
  })

describe('requireRoles', () => {
  test('takes what the plan says', () => {
    requireRoles('new', before, after)
    requireRoles('keep', before, kept)
    requireRoles('new-identity', before, { ...after, operators: before.operators })
  })

  test('refuses other operators, and an old identity, where only that is to be a new one', () => {
    const moved = { ...after, operators: before.operators }
    expect(() => requireRoles('new-identity', before, after)).toThrow(refusal('operators'))
    expect(() => requireRoles('new-identity', before, { ...moved, identity: before.identity })).toThrow(
      refusal('identity'),
    )
  })

  test.each(['identity', 'operators'] as const)('refuses another %s where the plan keeps the keys', (name) => {
    const others = [after[name], role(OLD[name], NEW[name]), { ...role(OLD[name], NEW[name]), threshold: 1 }]
    for (const other of others) {
      expect(() => requireRoles('keep', before, { ...kept, [name]: other })).toThrow(refusal(name))
    }
  })

  test.each(['identity', 'operators', 'log'] as const)('refuses an old key in the role %s of new keys', (name) => {
    for (const signer of [OLD.identity, OLD.operators, OLD.log]) {
      expect(() => requireRoles('new', before, { ...after, [name]: role(NEW[name], signer) })).toThrow(refusal(name))
    }
  })

  test('refuses an old log key, whatever the plan says', () => {
    for (const log of [before.log, role(OLD.log, NEW.log), role(OLD.identity)]) {
      expect(() => requireRoles('keep', before, { ...kept, log })).toThrow(refusal('log'))
      expect(() => requireRoles('new', before, { ...after, log })).toThrow(refusal('log'))
      const moved = { ...after, operators: before.operators, log }
      expect(() => requireRoles('new-identity', before, moved)).toThrow(refusal('log'))
    }
  })
})
