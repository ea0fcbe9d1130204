import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { readMove } from '../../src/move/journal.ts'
import { moveVault, resumeMove } from '../../src/move/move-vault.ts'
import type { Rehearsal } from '../../src/move/rehearse-move.ts'
import { rehearseMove } from '../../src/move/rehearse-move.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { activeAt, expectSound, move, partsOf, unfinished } from './moving.ts'
import type { Scene } from './processes.ts'
import { codeOf, expectCertified, rootsAt, scene } from './processes.ts'
import { put } from './seats.ts'

async function planned(parts: MoveParts, { a }: Scene) {
  return await planMigration(parts, { handoff: { keys: 'new' }, random: a.seat.random })
}

async function rehearsed(parts: MoveParts, places: Scene, during?: () => Promise<unknown>): Promise<Rehearsal> {
  const steps: string[] = []
  for await (const event of rehearseMove(await planned(parts, places), parts)) {
    if (event.type === 'rehearsed') {
      expect(steps).not.toContain('sign')
      return event.rehearsal
    }
    if (event.type === 'step') steps.push(event.step.effect)
    if (event.type === 'batch' && !steps.includes('quiesce')) await during?.()
  }
  throw new Error('it did not end')
}

describe('a rehearsal', () => {
  test.each([undefined, { maxPauseMs: 600_000 }])(
    'does everything but the hand-off, and takes it back (%o)',
    async (live) => {
      const places = await scene(3)
      const { a, b, vault } = places
      const before = await rootsAt(a, vault)
      const parts = { ...partsOf(a, b, vault), ...(live && { live }) }
      const { ok, failed, steps, state, pauseMs, migration } = await rehearsed(parts, places)
      expect([ok, failed]).toEqual([true, undefined])
      expect(steps.map(({ effect }) => effect)).toEqual([
        ...['accept', 'endorse', 'announce', 'snapshot', 'copy', 'verify', 'catch-up', 'quiesce'],
        ...['copy-rest', 'account', 'freeze', 'move-trail', 'prepare'],
      ])
      expect(state.ready).not.toBeNull()
      expect(state.handoff).toBeNull()
      expect(pauseMs).toBeGreaterThan(0)
      expect(await b.store.tenures.read(vault)).toMatchObject({ state: 'none' })
      expect(await readMove(a.store.records, migration)).toMatchObject({ phase: 'rolled-back', handoff: null })
      expect(await expectSound([a, b], vault, before)).toBe(a)
      // It says nothing against the move itself.
      expectCertified(await move(a, b, vault))
      expect(await expectSound([a, b], vault, before)).toBe(b)
    },
  )

  test('leaves what was written meanwhile', async () => {
    const places = await scene(3)
    const { a, b, vault } = places
    let n = 0
    const write = () => put(a, vault, [rawBlock(`during ${n++}`)], `during-${n}`)
    expect((await rehearsed(partsOf(a, b, vault), places, write)).ok).toBe(true)
    expect(n).toBeGreaterThan(0)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(a)
  })

  test('says at which step the move would fail, and takes it back', async () => {
    const places = await scene(3)
    const { a, b, vault } = places
    const parts = partsOf(a, b, vault)
    const before = await rootsAt(a, vault)
    // A target whose log cannot be what the source has.
    const target = {
      ...parts.target,
      prepare: () => parts.target.open({ vault, migration: 'another', driver: 1 }) as never,
    }
    const { ok, failed, steps } = await rehearsed({ ...parts, target }, places)
    expect(ok).toBe(false)
    expect(failed).toMatchObject({ effect: 'prepare', code: 'MIGRATION_TARGET_REFUSED' })
    expect(steps.at(-1)?.effect).toBe('prepare')
    expect(await expectSound([a, b], vault, before)).toBe(a)
  })

  test('that is stopped from outside is taken back', async () => {
    const places = await scene(3)
    const { a, b, vault } = places
    const parts = partsOf(a, b, vault)
    const before = await rootsAt(a, vault)
    const controller = new AbortController()
    const reason = new Error('enough')
    const run = async () => {
      const { signal } = controller
      for await (const event of rehearseMove(await planned(parts, places), parts, { signal }))
        if (event.type === 'step' && event.step.effect === 'verify') controller.abort(reason)
    }
    await expect(run()).rejects.toBe(reason)
    expect(await unfinished(a)).toBeUndefined()
    expect(await expectSound([a, b], vault, before)).toBe(a)
  })
})

describe('a guard', () => {
  const STEPS = ['accept', 'copy', 'verify', 'quiesce', 'account', 'prepare', 'sign', 'activate', 'conclude'] as const

  test.each(STEPS)('that throws stops the move before %s', async (guarded) => {
    const places = await scene(3)
    const { a, b, vault } = places
    const refused = new Error('not now')
    const seen: string[] = []
    const parts: MoveParts = {
      ...partsOf(a, b, vault),
      before: async ({ effect }) => {
        if (effect === guarded) throw refused
        seen.push(effect)
      },
    }
    const plan = await planned(parts, places)
    const run = async () => {
      for await (const _ of moveVault(plan, parts));
    }
    await expect(run()).rejects.toBe(refused)
    expect(seen).not.toContain(guarded)
    const state = await unfinished(a)
    expect(state?.handoff === null).toBe(!['activate', 'conclude'].includes(guarded))
    // Nobody is kept waiting by a decision.
    if (state?.handoff === null) {
      expect(await activeAt([a, b], vault)).toEqual([a])
      await put(a, vault, [rawBlock('while it was stopped')], 'stopped')
    }
    const roots = await rootsAt(a, vault)
    const { before: _, ...free } = parts
    const resumed = async () => {
      for await (const _event of resumeMove(plan.migration_id, free));
    }
    expect(await codeOf(resumed())).toBeUndefined()
    expect(await expectSound([a, b], vault, roots)).toBe(b)
  })
})
