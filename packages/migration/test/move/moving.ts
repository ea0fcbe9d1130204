import type { ContentId } from '@vault/core'
import { toHex } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { expect } from 'vitest'
import type { EffectName } from '../../src/move/effect.ts'
import { listMoves } from '../../src/move/journal.ts'
import type { MoveEvent } from '../../src/move/move-event.ts'
import { moveVault, resumeMove, rollBackMove } from '../../src/move/move-vault.ts'
import { seatSource } from '../../src/move/seat-source.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import type { MoveState } from '../../src/move/state.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { owner } from '../places.ts'
import { Crash, Fate, seatOf } from './crash.ts'
import type { MemoryPlace } from './seats.ts'
import { trailAt } from './seats.ts'

/** The parts of a move between two places, as one process has them. */
export function partsOf(from: MemoryPlace, to: MemoryPlace, vault: ContentId, fate: Fate = new Fate()): MoveParts {
  return {
    source: seatSource(seatOf(from, fate), vault),
    target: seatTarget(seatOf(to, fate)),
    authorize: owner,
    clock: from.seat.clock,
    random: from.seat.random,
  }
}

/** Plans and moves, in one process. */
export async function move(from: MemoryPlace, to: MemoryPlace, vault: ContentId, fate?: Fate): Promise<MoveState> {
  const parts = partsOf(from, to, vault, fate)
  const plan = await planMigration(parts, { handoff: { keys: 'new' }, random: from.seat.random })
  return await ended(moveVault(plan, parts))
}

export async function resume(from: MemoryPlace, to: MemoryPlace, vault: ContentId, migration: string, fate?: Fate) {
  return await ended(resumeMove(migration, partsOf(from, to, vault, fate)))
}

export async function rollBack(from: MemoryPlace, to: MemoryPlace, vault: ContentId, migration: string, fate?: Fate) {
  return await ended(rollBackMove(migration, partsOf(from, to, vault, fate)))
}

/** The state in which a move has ended. */
export async function ended(events: AsyncIterable<MoveEvent>): Promise<MoveState> {
  let last: MoveEvent | undefined
  for await (const event of events) last = event
  if (last?.type !== 'moved') throw new Error('the move did not end')
  return last.state
}

/** Moves until this step, in which the process is killed: nothing is done any more, and nothing opened again. */
export async function killedAt(effect: EffectName, parts: MoveParts): Promise<string> {
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const events = moveVault(plan, parts)[Symbol.asyncIterator]()
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    const event: MoveEvent = next.value
    if (event.type === 'step' && event.step.effect === effect) return plan.migration_id
  }
  throw new Error(`${effect} never came`)
}

/** Runs what may crash; whether it did. */
export async function crashes(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return false
  } catch (error) {
    if (error instanceof Crash) return true
    throw error
  }
}

/** The migration that a place has a record of and that has not ended. */
export async function unfinished(place: MemoryPlace): Promise<MoveState | undefined> {
  return (await listMoves(place.store.records)).find(({ next }) => next !== null)
}

/** Where a vault is active. */
export async function activeAt(places: readonly MemoryPlace[], vault: ContentId): Promise<readonly MemoryPlace[]> {
  const active: MemoryPlace[] = []
  for (const place of places) if ((await place.store.tenures.read(vault)).state === 'active') active.push(place)
  return active
}

/** All that must hold wherever a move ended: one active place, its content, one unbroken trail in which every entry stands once. */
export async function expectSound(
  places: readonly MemoryPlace[],
  vault: ContentId,
  roots: { readonly objects: string; readonly soup: string },
): Promise<MemoryPlace> {
  const active = await activeAt(places, vault)
  expect(active.map(({ label }) => label)).toHaveLength(1)
  const [place] = active as [MemoryPlace]
  expect((await statementOf(place.store.soup(vault))).roots).toEqual(roots)
  const trail = await trailAt(place, vault)
  expect(trail.size).toBe((await place.store.tenures.read(vault)).events)
  const keys: string[] = []
  for await (const page of trail.entries()) for (const { entry } of page) keys.push(entry.key)
  expect(keys).toHaveLength(trail.size)
  expect(new Set(keys).size).toBe(keys.length)
  for (const other of places) {
    // A place that gave the vault up keeps files of its log, which nobody reads.
    if (other === place || (await other.store.tenures.read(vault)).state === 'none') continue
    const { size } = await trailAt(other, vault)
    if (size === 0) continue
    expect(toHex(await trail.rootAt(size))).toBe(toHex((await trailAt(other, vault)).root))
  }
  for (const { id } of await place.store.soup(vault).held({ limit: 10_000 }))
    expect(await place.objects.has(id)).toBe(true)
  return place
}
