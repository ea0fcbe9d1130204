import type { ContentStore } from '@vault/cas'
import type { ContentId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Roots } from '@vault/transfer'
import { statementOf } from '@vault/transfer'
import { expect } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { verifyCertificate } from '../../src/certificate/verify-certificate.ts'
import type { EffectName } from '../../src/move/effect.ts'
import { STEPS } from '../../src/move/effect.ts'
import { readMove } from '../../src/move/journal.ts'
import type { MoveEvent } from '../../src/move/move-event.ts'
import { moveVault } from '../../src/move/move-vault.ts'
import type { MoveState } from '../../src/move/state.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { ended, partsOf } from './moving.ts'
import type { MemoryPlace } from './seats.ts'
import { found, memoryPlace, put, testClock } from './seats.ts'

/** Two places, and a vault with some content that moves from one to the other. */
export interface Scene {
  readonly a: MemoryPlace
  readonly b: MemoryPlace
  readonly vault: ContentId
}

/** The same places and the same vault whenever it is called. */
export async function scene(objects = 2): Promise<Scene> {
  const clock = testClock()
  const [a, b] = [memoryPlace('A', 1, clock), memoryPlace('B', 2, clock)]
  const vault = await found(a)
  const blocks = Array.from({ length: objects }, (_, i) => rawBlock(`content ${i}`))
  await put(a, vault, blocks)
  return { a, b, vault }
}

/** A move that has stopped between two steps; the process may go on, or be forgotten. */
export interface Stopped {
  readonly migration: string
  /** The record of the move as it is now. */
  state(): Promise<MoveState>
  /** Goes on to the end. */
  goOn(): Promise<MoveState>
}

/** Starts a move and stops it before a step; `reached` is called before every step that was reached. */
export async function stopAt(
  effect: EffectName,
  { a, b, vault }: Scene,
  parts: MoveParts = partsOf(a, b, vault),
): Promise<Stopped> {
  const plan = await planMigration(parts, { handoff: { keys: 'new' }, random: a.seat.random })
  const events = moveVault(plan, parts)
  await runTo(effect, events)
  const migration = plan.migration_id
  const state = async () => (await readMove(a.store.records, migration)) as MoveState
  return { migration, state, goOn: () => ended(events) }
}

async function runTo(effect: EffectName, events: AsyncGenerator<MoveEvent>): Promise<void> {
  while (true) {
    const { value, done } = await events.next()
    if (done) throw new Error(`the move ended before "${effect}"`)
    if (value.type === 'step' && value.step.effect === effect) return
  }
}

/** Moves with parts that may lie; `before` is called before each step. */
export async function moveWith(
  parts: MoveParts,
  before: (effect: EffectName, migration: string) => Promise<unknown> = async () => {},
): Promise<MoveState> {
  const plan = await planMigration(parts, { handoff: { keys: 'new' }, ...(parts.random && { random: parts.random }) })
  return await ended(watched(moveVault(plan, parts), (effect) => before(effect, plan.migration_id)))
}

/** The same events; what is to be done before a step is done first. */
async function* watched(
  events: AsyncIterable<MoveEvent>,
  before: (effect: EffectName) => Promise<unknown>,
): AsyncGenerator<MoveEvent> {
  for await (const event of events) {
    if (event.type === 'step') await before(event.step.effect)
    yield event
  }
}

/** Steps before a step, in their order. */
export function stepsBefore(effect: EffectName): readonly EffectName[] {
  const names = STEPS.map((step) => step.effect)
  return names.slice(0, names.indexOf(effect))
}

/** The code that a call is refused with; `undefined` where it is not. Anything else that is thrown, which would be a defect, is thrown on. */
export async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    if (isVaultError(error)) return error.code
    throw error
  }
}

/** A place whose content store is another one. */
export function withObjects(place: MemoryPlace, objects: ContentStore): MemoryPlace {
  return { ...place, objects, seat: { ...place.seat, objects } }
}

export async function rootsAt(place: MemoryPlace, vault: ContentId): Promise<Roots> {
  return (await statementOf(place.store.soup(vault))).roots
}

/** The certificate of a move, from its bytes and the vault's id alone. */
export function expectCertified({ certificate, vault, phase }: MoveState): void {
  expect(phase).toBe('complete')
  const verdict = verifyCertificate(certificate as Uint8Array, { trust: { vaults: [vault as never] } })
  expect(verdict).toMatchObject({ trusted: true, findings: [] })
}
