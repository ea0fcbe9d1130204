// A move that has stopped, for whatever reason, leaves nobody waiting at a source that takes no changes.
import type { Authorize } from '@vault/core'
import { VaultError } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import type { EffectName } from '../../src/move/effect.ts'
import { STEPS } from '../../src/move/effect.ts'
import { readMove } from '../../src/move/journal.ts'
import type { MoveSource, MoveTarget } from '../../src/move/move-endpoint.ts'
import type { MoveEvent } from '../../src/move/move-event.ts'
import { moveVault, resumeMove, rollBackMove } from '../../src/move/move-vault.ts'
import { pauseMove } from '../../src/move/pause-move.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { owner } from '../places.ts'
import { ended, expectSound, move, partsOf, resume, rollBack } from './moving.ts'
import { codeOf, expectCertified, rootsAt, type Scene, scene, stopAt } from './processes.ts'
import { put } from './seats.ts'

const CLOSED = STEPS.filter(({ phase }) => phase === 'quiesced').map(({ effect }) => effect)

async function planned({ a, b, vault }: Scene, parts: MoveParts = partsOf(a, b, vault)) {
  return await planMigration(parts, { handoff: { keys: 'new' }, random: a.seat.random })
}

/** Does something before a step, and goes on. */
async function watched(
  events: AsyncIterable<MoveEvent>,
  effect: EffectName,
  act: () => unknown,
): Promise<'left' | 'ended'> {
  for await (const event of events) {
    if (event.type === 'step' && event.step.effect === effect && (await act()) === 'leave') return 'left'
  }
  return 'ended'
}

/** The source takes changes, and the move goes on to its end from where it stopped. */
async function expectOpen({ a, b, vault }: Scene, migration: string): Promise<void> {
  expect((await a.store.tenures.read(vault)).state).toBe('active')
  await put(a, vault, [rawBlock('later')], 'later')
  const roots = await rootsAt(a, vault)
  expectCertified(await resume(a, b, vault, migration))
  expect(await expectSound([a, b], vault, roots)).toBe(b)
}

describe.each(CLOSED)('a run that stops before %s opens the source', (effect) => {
  test('when leave is taken back', async () => {
    const places = await scene()
    let granted = true
    const authorize: Authorize = async (request, options) => {
      if (granted) return await owner(request, options)
      throw new VaultError({ code: 'AUTHORITY_DENIED', message: 'expired' })
    }
    const plan = await planned(places)
    const events = moveVault(plan, { ...partsOf(places.a, places.b, places.vault), authorize })
    const stops = watched(events, effect, () => {
      granted = false
    })
    expect(await codeOf(stops)).toBe('MIGRATION_NOT_GRANTED')
    await expectOpen(places, plan.migration_id)
  })

  test('when it is aborted', async () => {
    const places = await scene()
    const plan = await planned(places)
    const abort = new AbortController()
    const parts = partsOf(places.a, places.b, places.vault)
    const events = moveVault(plan, parts, { signal: abort.signal })
    await expect(watched(events, effect, () => abort.abort(new Error('Ctrl-C')))).rejects.toThrow('Ctrl-C')
    await expectOpen(places, plan.migration_id)
  })

  test('when its events are not looked at any more', async () => {
    const places = await scene()
    const plan = await planned(places)
    const parts = partsOf(places.a, places.b, places.vault)
    expect(await watched(moveVault(plan, parts), effect, () => 'leave')).toBe('left')
    await expectOpen(places, plan.migration_id)
  })
})

test('so does one that cannot reach the target', async () => {
  const places = await scene()
  const parts = partsOf(places.a, places.b, places.vault)
  const plan = await planned(places)
  const target: MoveTarget = { ...parts.target, prepare: () => Promise.reject(new Error('ECONNRESET')) }
  await expect(ended(moveVault(plan, { ...parts, target }))).rejects.toThrow('ECONNRESET')
  expect(await readMove(places.a.store.records, plan.migration_id)).toMatchObject({ next: 'catch-up' })
  await expectOpen(places, plan.migration_id)
})

test('so does one that fails there, before it says so', async () => {
  const places = await scene()
  const { a, b, vault } = places
  const parts = partsOf(a, b, vault)
  const plan = await planned(places)
  let lies = false
  const target: MoveTarget = {
    ...parts.target,
    open: async (offer, options) => {
      if (lies) throw new VaultError({ code: 'MIGRATION_VERIFICATION_FAILED', message: 'other bytes' })
      return await parts.target.open(offer, options)
    },
  }
  const stops = watched(moveVault(plan, { ...parts, target }), 'copy-rest', () => {
    lies = true
  })
  expect(await codeOf(stops)).toBe('MIGRATION_VERIFICATION_FAILED')
  expect(await readMove(a.store.records, plan.migration_id)).toMatchObject({ phase: 'failed' })
  await expectOpen(places, plan.migration_id)
})

test('but not one that another run has taken the move from', async () => {
  const { a, b, vault } = await scene()
  const plan = await planned({ a, b, vault })
  const slow = moveVault(plan, partsOf(a, b, vault))
  const states: string[] = []
  const stops = watched(slow, 'account', async () => {
    const other = resumeMove(plan.migration_id, partsOf(a, b, vault))
    await other.next()
    // The slow one goes on, and is refused.
    expect(await codeOf(slow.next())).toBe('MIGRATION_SUPERSEDED')
    states.push((await a.store.tenures.read(vault)).state)
    expectCertified(await ended(other))
  })
  await stops.catch(() => {})
  expect(states).toEqual(['quiesced'])
})

/** A run that stands just before it closes the source, while others do something; then it closes it. */
async function overtaken(
  { a, b, vault }: Scene,
  meanwhile: (migration: string) => Promise<unknown>,
  dies = false,
): Promise<string> {
  const parts = partsOf(a, b, vault)
  const plan = await planned({ a, b, vault })
  const source: MoveSource = {
    ...parts.source,
    async quiesce(migration, options) {
      await meanwhile(migration)
      await parts.source.quiesce(migration, options)
      if (!dies) return
      // Whatever it asks for from now on does not happen.
      source.reopen = () => Promise.reject(new Error('killed'))
      throw new Error('killed')
    },
  }
  const error: unknown = await ended(moveVault(plan, { ...parts, source })).catch((reason: unknown) => reason)
  expect(error).toMatchObject(dies ? { message: 'killed' } : { code: /^MIGRATION_(SUPERSEDED|PAUSED)$/ })
  return plan.migration_id
}

describe('a run that closes the source when it has been overtaken', () => {
  test('opens it again, where the move was taken back', async () => {
    const { a, b, vault } = await scene()
    await overtaken({ a, b, vault }, (migration) => rollBack(a, b, vault, migration))
    expect((await a.store.tenures.read(vault)).state).toBe('active')
  })

  test('opens it again, where the move goes on elsewhere and has been paused', async () => {
    const places = await scene()
    const { a, b, vault } = places
    const migration = await overtaken(places, async (id) => {
      let late = false
      const before = async ({ effect }: { readonly effect: EffectName }) => {
        if (effect === 'account' && !late) {
          late = true
          throw new VaultError({ code: 'LATE', message: 'late' })
        }
      }
      const other = ended(resumeMove(id, { ...partsOf(a, b, vault), before }))
      expect(await codeOf(other)).toBe('LATE')
      await pauseMove(a.store.records, id)
    })
    expect(await readMove(a.store.records, migration)).toMatchObject({ phase: 'paused' })
    await expectOpen(places, migration)
  })

  test.each(['roll back', 'resume', 'another move'] as const)('and dies: %s opens it', async (what) => {
    const places = await scene()
    const { a, b, vault } = places
    const next = await planned(places)
    const migration = await overtaken(places, (id) => rollBack(a, b, vault, id), true)
    expect((await a.store.tenures.read(vault)).state).toBe('quiesced')
    expect(await codeOf(planned(places))).toBe('MIGRATION_SOURCE_REFUSED')
    if (what === 'roll back') await ended(rollBackMove(migration, partsOf(a, b, vault)))
    if (what === 'resume') await resume(a, b, vault, migration)
    if (what === 'another move') {
      expectCertified(await ended(moveVault(next, partsOf(a, b, vault))))
      return
    }
    expect((await a.store.tenures.read(vault)).state).toBe('active')
    expectCertified(await move(a, b, vault))
  })
})

test('a run that dies when it has opened the source catches up again when it is resumed', async () => {
  const places = await scene()
  const { a, b, vault } = places
  const stopped = await stopAt('prepare', places)
  await partsOf(a, b, vault).source.reopen(stopped.migration, undefined)
  expect(await stopped.state()).toMatchObject({ phase: 'quiesced' })
  await expectOpen(places, stopped.migration)
})
