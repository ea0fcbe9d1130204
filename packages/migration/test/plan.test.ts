import { createSigner, encode } from '@vault/core'
import { expect, test } from 'vitest'
import { activeVault, fill } from '../../transfer/test/memory-vault.ts'
import { decodePlan, encodePlan, MIGRATION_REASONS, type Plan, planId, planMigration } from '../src/index.ts'
import { freshPlace, fullParts, partialParts } from './places.ts'

const random = (length: number) => new Uint8Array(length).fill(7)

async function fullPlan(): Promise<Plan> {
  const source = await activeVault('v')
  await fill(source, 3)
  return planMigration(fullParts(source, freshPlace()), { reason: 'jurisdiction', random })
}

test('a plan is plain data that survives its bytes, with one id', async () => {
  const plan = await fullPlan()
  expect(plan).toMatchObject({
    type: 'migration-plan',
    v: 1,
    migration_id: '07070707070707070707070707070707',
    kind: 'full',
    reason: 'jurisdiction',
    source: { label: 'source', sequence: 1, counts: { objects: 3, entries: 3 } },
    target: { label: 'target' },
    verification: { mode: 'full' },
    rounds: 8,
  })
  expect(decodePlan(encodePlan(plan))).toEqual(plan)
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  expect(planId(plan)).toBe(planId(await fullPlan()))
  expect(planId({ ...plan, rounds: 9 })).not.toBe(planId(plan))
})

test('a partial plan holds its query', async () => {
  const [source, target] = [await activeVault('v'), await activeVault('w')]
  const select = { prefix: 'path:', where: { op: '=', field: 'type', value: 'path' } } as const
  const plan = await planMigration(partialParts(source, target), { select })
  expect(decodePlan(encodePlan(plan))).toMatchObject({ kind: 'partial', select })
})

const KEYS = [1, 2].map((n) => createSigner(new Uint8Array(32).fill(n)).key).toSorted()

test('a plan of a hand-off says which keys are made at the target, and which stay', async () => {
  const plan = await fullPlan()
  for (const handoff of [
    { keys: 'new' },
    { keys: 'new-identity' },
    { keys: 'keep' },
    { keys: 'keep', identity_stays: KEYS },
    { keys: 'keep', identity_stays: KEYS, operators_stays: KEYS },
    { keys: 'new-identity', operators_stays: KEYS },
  ]) {
    expect(decodePlan(encode({ ...plan, handoff }))).toMatchObject({ handoff })
  }
})

test.each<[string, (plan: Plan) => unknown]>([
  ['another type', (plan) => ({ ...plan, type: 'plan' })],
  ['a newer version', (plan) => ({ ...plan, v: 2 })],
  ['an unknown field', (plan) => ({ ...plan, force: true })],
  ['a missing field', ({ rounds: _, ...plan }) => plan],
  ['an id in capitals', (plan) => ({ ...plan, migration_id: plan.migration_id.toUpperCase().replace('0', 'A') })],
  ['an unknown reason', (plan) => ({ ...plan, reason: 'boredom' })],
  ['an unknown kind', (plan) => ({ ...plan, kind: 'live' })],
  ['a source that is no vault', (plan) => ({ ...plan, source: { ...plan.source, vault: 'v' } })],
  [
    'a root that is too short',
    (plan) => ({ ...plan, source: { ...plan.source, roots: { objects: 'ab', soup: 'cd' } } }),
  ],
  [
    'a negative count',
    (plan) => ({ ...plan, source: { ...plan.source, counts: { objects: -1, bytes: 0, entries: 0 } } }),
  ],
  ['an empty label', (plan) => ({ ...plan, target: { label: '' } })],
  ['a place that a copy goes to', (plan) => ({ ...plan, target: { label: 't', instance: '0'.repeat(32) } })],
  ['a place by half a name', (plan) => ({ ...plan, handoff: { keys: 'new' }, target: { label: 't', instance: '00' } })],
  ['a place by no key', (plan) => ({ ...plan, handoff: { keys: 'new' }, target: { label: 't', place: 'key' } })],
  ['keys of another kind', (plan) => ({ ...plan, handoff: { keys: 'old' } })],
  ['keys that stay where they are new', (plan) => ({ ...plan, handoff: { keys: 'new', identity_stays: KEYS } })],
  ['operators that stay where they are new', (plan) => ({ ...plan, handoff: { keys: 'new', operators_stays: KEYS } })],
  ['no operators that stay', (plan) => ({ ...plan, handoff: { keys: 'keep', operators_stays: [] } })],
  ['no keys that stay', (plan) => ({ ...plan, handoff: { keys: 'keep', identity_stays: [] } })],
  ['what stays and is no key', (plan) => ({ ...plan, handoff: { keys: 'keep', identity_stays: ['key'] } })],
  [
    'keys that stay in another order',
    (plan) => ({ ...plan, handoff: { keys: 'keep', identity_stays: KEYS.toReversed() } }),
  ],
  ['no rounds', (plan) => ({ ...plan, rounds: 0 })],
  ['a selection in a full plan', (plan) => ({ ...plan, select: {} })],
  ['a partial plan without selection', (plan) => ({ ...plan, kind: 'partial' })],
  ['a selection that is no query', (plan) => ({ ...plan, kind: 'partial', select: { prefx: 'a' } })],
  [
    'a sample of a selection',
    (plan) => ({ ...plan, kind: 'partial', select: {}, verification: { mode: 'sample', size: 1, seed: 's' } }),
  ],
  ['a sample of too many', (plan) => ({ ...plan, verification: { mode: 'sample', size: 100_001, seed: 's' } })],
  ['a sample of nothing', (plan) => ({ ...plan, verification: { mode: 'sample', size: 0, seed: 's' } })],
  ['a list', () => []],
])('refuses %s', async (_, change) => {
  const bytes = encode(change(await fullPlan()))
  expect(() => decodePlan(bytes)).toThrow(expect.objectContaining({ code: 'MIGRATION_PLAN_INVALID' }))
})

test('refuses bytes that are not canonical, and too many', async () => {
  const bytes = encodePlan(await fullPlan())
  for (const bad of [bytes.subarray(0, -1), new Uint8Array(0), new Uint8Array(2 * 1024 * 1024)]) {
    expect(() => decodePlan(bad)).toThrow(expect.objectContaining({ code: 'MIGRATION_PLAN_INVALID' }))
  }
})

test('the reasons are those of the seed', () => {
  expect(MIGRATION_REASONS).toEqual(['hardware-failure', 'provider-change', 'jurisdiction', 'performance', 'cost'])
})
