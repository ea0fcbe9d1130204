// Ways in which a vault could once become active twice, its trail be written by others, or a move never end.
import { utf8 } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { readMove } from '../../src/move/journal.ts'
import { keyStateAt } from '../../src/move/key-state.ts'
import type { MoveTarget } from '../../src/move/move-endpoint.ts'
import type { MoveEvent } from '../../src/move/move-event.ts'
import { moveVault, resumeMove, rollBackMove } from '../../src/move/move-vault.ts'
import { recoverVault } from '../../src/move/recover-vault.ts'
import type { Seat } from '../../src/move/seat.ts'
import { seatSource } from '../../src/move/seat-source.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import type { MoveState } from '../../src/move/state.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { activeAt, expectSound, move, partsOf } from './moving.ts'
import { found, type MemoryPlace, memoryPlace, put, trailAt } from './seats.ts'

async function places() {
  const [a, b, c] = [memoryPlace('A', 1), memoryPlace('B', 2), memoryPlace('C', 3)] as const
  const vault = await found(a)
  await put(a, vault, [rawBlock('one'), rawBlock('two')])
  return { a, b, c, vault }
}

async function begin(parts: MoveParts, keys: 'new' | 'keep' = 'new') {
  const plan = await planMigration(parts, { handoff: { keys } })
  return { migration: plan.migration_id, events: moveVault(plan, parts) }
}

async function ended(events: AsyncIterable<MoveEvent>): Promise<MoveState> {
  for await (const event of events) if (event.type === 'moved') return event.state
  throw new Error('the move did not end')
}

/** Runs until a step is about to begin, and dies there. */
async function until(effect: string, events: AsyncIterable<MoveEvent>): Promise<void> {
  for await (const event of events) if (event.type === 'step' && event.step.effect === effect) return
}

async function identityAt(place: MemoryPlace, vault: Awaited<ReturnType<typeof found>>) {
  const { roles } = await keyStateAt(place.seat, vault)
  return await place.seat.keys.signers('identity', roles.identity)
}

const labels = async (all: readonly MemoryPlace[], vault: Awaited<ReturnType<typeof found>>) =>
  (await activeAt(all, vault)).map(({ label }) => label)

/** A target whose answer to the activation is lost on the way. */
function losesAnswer(target: MoveTarget): MoveTarget {
  return {
    ...target,
    async activate(request, options) {
      await target.activate(request, options)
      throw new Error('connection lost')
    },
  }
}

test('a hand-off whose answer was lost is not rolled back, though the vault has been handed on', async () => {
  const { a, b, c, vault } = await places()
  const parts = partsOf(a, b, vault)
  const { migration, events } = await begin({ ...parts, target: losesAnswer(parts.target) })
  await expect(ended(events)).rejects.toThrow('connection lost')
  await move(b, c, vault)
  await ended(rollBackMove(migration, parts))
  expect(await labels([a, b, c], vault)).toEqual(['C'])
})

test('nor where it was about to be handed on, and was not', async () => {
  const { a, b, c, vault } = await places()
  const parts = partsOf(a, b, vault)
  const { migration, events } = await begin({ ...parts, target: losesAnswer(parts.target) })
  await expect(ended(events)).rejects.toThrow('connection lost')
  const onward = partsOf(b, c, vault)
  const next = await begin(onward)
  await until('account', next.events)
  await ended(rollBackMove(next.migration, onward))
  await ended(rollBackMove(migration, parts))
  expect(await labels([a, b, c], vault)).toEqual(['B'])
})

test('of an activation and a decline at the same time one is true', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const { migration, events } = await begin(parts)
  await until('activate', events)
  const { handoff, keyEvent } = (await readMove(a.store.records, migration)) as MoveState
  let reads = 0
  const tenures = {
    ...b.store.tenures,
    read: async (...args: Parameters<typeof b.store.tenures.read>) => {
      const tenure = await b.store.tenures.read(...args)
      const request = { handoff: handoff as Uint8Array, keyEvent: keyEvent as Uint8Array }
      if (reads++ === 0) await seatTarget(b.seat).activate(request)
      return tenure
    },
  }
  const slow: Seat = { ...b.seat, store: { ...b.store, tenures } }
  const rollBack = rollBackMove(migration, { ...parts, target: seatTarget(slow) })
  await ended(rollBack).catch(() => ended(rollBackMove(migration, parts)))
  expect(await labels([a, b], vault)).toEqual(['B'])
})

test('a place whose hand-off is known to be taken is not recovered', async () => {
  const { a, b, vault } = await places()
  const identity = await identityAt(a, vault)
  await move(a, b, vault)
  const recovered = recoverVault(a.seat, { vault, identity, reason: 'oops' })
  await expect(recovered).rejects.toMatchObject({ code: 'MIGRATION_COMPLETE' })
  expect(await labels([a, b], vault)).toEqual(['B'])
})

test('recovery makes room as an activation does', async () => {
  const { a, b, vault } = await places()
  const own = await found(b)
  const identity = await identityAt(a, vault)
  const { events } = await begin(partsOf(a, b, vault))
  await until('activate', events)
  await recoverVault(b.seat, { vault, identity, reason: 'the source burnt' })
  expect((await b.store.tenures.read(own)).state).toBe('none')
  expect(await labels([b], vault)).toEqual(['B'])
})

test('the identity signs no other keys than the plan says', async () => {
  const { a, b, vault } = await places()
  const target = seatTarget(b.seat)
  const greedy: MoveTarget = {
    ...target,
    accept: (offer, options) => target.accept({ ...offer, keys: 'new' }, options),
  }
  const { events } = await begin({ ...partsOf(a, b, vault), target: greedy }, 'keep')
  await expect(ended(events)).rejects.toMatchObject({ code: 'MIGRATION_RECORD_FOREIGN', details: { field: 'roles' } })
  expect(await labels([a, b], vault)).toEqual(['A'])
})

test('a target writes nothing of its own into the trail of the source', async () => {
  const { a, b, c, vault } = await places()
  const target = seatTarget(b.seat)
  const inventive: MoveTarget = {
    ...target,
    batches: async ({ after }) => (after > 0 ? [] : [{ batch: 1, record: utf8('the source owes me') }]),
  }
  const parts = { ...partsOf(a, b, vault), target: inventive }
  const { migration, events } = await begin(parts)
  await expect(ended(events)).rejects.toMatchObject({ code: 'MIGRATION_TARGET_LIES' })
  await ended(rollBackMove(migration, partsOf(a, b, vault)))
  await move(a, c, vault)
  const verbs: string[] = []
  for await (const page of (await trailAt(c, vault)).entries())
    for (const { entry } of page) verbs.push(entry.action.verb)
  expect(verbs.filter((verb) => verb === 'object-transferred')).toHaveLength(2)
})

test('a vault that is written all the time is handed off', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const plan = await planMigration(parts, { handoff: { keys: 'new' }, rounds: 3 })
  let writes = 0
  for await (const event of moveVault(plan, parts)) {
    if (event.type === 'moved') expect(event.state.phase).toBe('complete')
    if (event.type !== 'batch' || (await a.store.soup(vault).tenure()).state !== 'active') continue
    await put(a, vault, [rawBlock(`written ${writes}`)], `meanwhile-${writes++}`)
  }
  expect(writes).toBeGreaterThan(3)
  expect(await labels([a, b], vault)).toEqual(['B'])
  expect((await b.store.soup(vault).entry(`path:meanwhile-${writes - 1}-0`))?.type).toBe('path')
})

test('without its log key a vault does not move, and says so', async () => {
  const { a, b, vault } = await places()
  const keys = { ...a.seat.keys, signers: async () => [] }
  const parts = partsOf(a, b, vault)
  const keyless = { ...seatSource({ ...a.seat, keys }, vault), signAsIdentity: parts.source.signAsIdentity }
  const { migration, events } = await begin({ ...parts, source: keyless })
  await expect(ended(events)).rejects.toMatchObject({ code: 'MIGRATION_LOG_KEY' })
  await ended(resumeMove(migration, parts))
  expect(await labels([a, b], vault)).toEqual(['B'])
})

test('a third place cannot stand in for the target', async () => {
  const { a, b, c, vault } = await places()
  const { roots } = await statementOf(a.store.soup(vault))
  const { migration, events } = await begin(partsOf(a, b, vault))
  await until('verify', events)
  const mismatch = { code: 'MIGRATION_PLAN_MISMATCH' }
  await expect(ended(resumeMove(migration, partsOf(a, c, vault)))).rejects.toMatchObject(mismatch)
  await expect(ended(rollBackMove(migration, partsOf(a, c, vault)))).rejects.toMatchObject(mismatch)
  await ended(resumeMove(migration, partsOf(a, b, vault)))
  expect(await expectSound([a, b], vault, roots)).toBe(b)
})

test('a vault that came empty does not give way to another one: its keys and its trail are here', async () => {
  const [a, b, c] = [memoryPlace('A', 1), memoryPlace('B', 2), memoryPlace('C', 3)] as const
  const empty = await found(a)
  await move(a, b, empty)
  const other = await found(c)
  await put(c, other, [rawBlock('one')])
  await expect(move(c, b, other)).rejects.toMatchObject({ code: 'MIGRATION_TARGET_NOT_EMPTY' })
  expect(await labels([a, b], empty)).toEqual(['B'])
})
