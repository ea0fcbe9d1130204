import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import type { EffectName } from '../../src/move/effect.ts'
import type { MoveEvent } from '../../src/move/move-event.ts'
import { moveVault } from '../../src/move/move-vault.ts'
import { pauseMove } from '../../src/move/pause-move.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { expectSound, partsOf, resume, rollBack } from './moving.ts'
import { codeOf, expectCertified, rootsAt, scene, stepsBefore, stopAt } from './processes.ts'
import { put } from './seats.ts'

const EARLY = stepsBefore('quiesce')
const LATE: readonly EffectName[] = [
  'quiesce',
  'copy-rest',
  'account',
  'freeze',
  'move-trail',
  'prepare',
  'sign',
  'activate',
  'route',
  'conclude',
]

describe('a move is paused from outside', () => {
  test.each(EARLY)('before %s: it stops, the source takes changes, and a resume goes on', async (effect) => {
    const { a, b, vault } = await scene()
    const stopped = await stopAt(effect, { a, b, vault })
    expect(await pauseMove(a.store.records, stopped.migration)).toMatchObject({ phase: 'paused', next: effect })
    expect(await codeOf(stopped.goOn())).toBe('MIGRATION_PAUSED')
    expect(await stopped.state()).toMatchObject({ phase: 'paused', next: effect })
    await put(a, vault, [rawBlock('while it was paused')], 'paused')
    const roots = await rootsAt(a, vault)
    expectCertified(await resume(a, b, vault, stopped.migration))
    expect(await expectSound([a, b], vault, roots)).toBe(b)
  })

  test.each(LATE)('not before %s: nobody is disturbed', async (effect) => {
    const { a, b, vault } = await scene()
    const stopped = await stopAt(effect, { a, b, vault })
    expect(await codeOf(pauseMove(a.store.records, stopped.migration))).toBe('MIGRATION_STATE')
    expectCertified(await stopped.goOn())
  })

  test('behind the batch that is under way', async () => {
    const { a, b, vault } = await scene(3)
    const parts = partsOf(a, b, vault)
    const plan = await planMigration(parts, { handoff: { keys: 'new' }, random: a.seat.random })
    const seen: MoveEvent['type'][] = []
    const run = async () => {
      for await (const event of moveVault(plan, parts)) {
        seen.push(event.type)
        if (event.type === 'batch' && !seen.slice(0, -1).includes('batch')) {
          await pauseMove(a.store.records, plan.migration_id)
        }
      }
    }
    expect(await codeOf(run())).toBe('MIGRATION_PAUSED')
    expect(seen.filter((type) => type === 'batch')).toHaveLength(1)
    const roots = await rootsAt(a, vault)
    expectCertified(await resume(a, b, vault, plan.migration_id))
    expect(await expectSound([a, b], vault, roots)).toBe(b)
  })

  test('twice is once, and a paused one is rolled back', async () => {
    const { a, b, vault } = await scene()
    const roots = await rootsAt(a, vault)
    const { migration } = await stopAt('verify', { a, b, vault })
    await pauseMove(a.store.records, migration)
    expect((await pauseMove(a.store.records, migration)).phase).toBe('paused')
    expect((await rollBack(a, b, vault, migration)).phase).toBe('rolled-back')
    expect(await expectSound([a, b], vault, roots)).toBe(a)
    expect(await codeOf(pauseMove(a.store.records, migration))).toBe('MIGRATION_STATE')
    expect(await codeOf(pauseMove(a.store.records, '0'.repeat(32)))).toBe('MIGRATION_UNKNOWN')
  })
})
