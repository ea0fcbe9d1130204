import type { ContentId } from '@vault/core'
import { createSigner, isVaultError } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { readMove } from '../../src/move/journal.ts'
import { keyStateAt } from '../../src/move/key-state.ts'
import { recoverVault } from '../../src/move/recover-vault.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import type { End } from './crash.ts'
import { Fate } from './crash.ts'
import { activeAt, crashes, expectSound, move, resume, rollBack, unfinished } from './moving.ts'
import type { MemoryPlace } from './seats.ts'
import { found, memoryPlace, put, testClock } from './seats.ts'

interface Scene {
  readonly from: MemoryPlace
  readonly to: MemoryPlace
  readonly vault: ContentId
}

/** A vault that moves to a place that never had it. */
async function first(): Promise<Scene> {
  const clock = testClock()
  const [from, to] = [memoryPlace('A', 1, clock), memoryPlace('B', 2, clock)]
  const vault = await found(from)
  await put(from, vault, [rawBlock('one'), rawBlock('two'), rawBlock('three')])
  return { from, to, vault }
}

/** A vault that moves back to where it was, with other content: what is there must not be lost before the hand-off. */
async function back(): Promise<Scene> {
  const { from, to, vault } = await first()
  await move(from, to, vault)
  await put(to, vault, [rawBlock('four'), rawBlock('five')], 'new')
  const soup = to.store.soup(vault)
  const { epoch } = await soup.tenure()
  await soup.commit({ epoch, entries: { remove: ['path:file-0'] }, objects: { release: [rawBlock('one').id] } })
  return { from: to, to: from, vault }
}

type Recovery = 'resume' | 'roll back' | 'crash again'

const CASES: readonly (readonly [name: string, scene: () => Promise<Scene>, recovery: Recovery, end: End])[] = [
  ['first', first, 'resume', 'process'],
  ['first', first, 'roll back', 'process'],
  ['first', first, 'crash again', 'process'],
  ['back', back, 'resume', 'process'],
  ['back', back, 'roll back', 'process'],
  ['first', first, 'resume', 'power'],
  ['first', first, 'roll back', 'power'],
]

describe('killed at every durable operation', () => {
  test.each(CASES)('a $0 move survives: $2, without $3', { timeout: 300_000 }, async (_name, scene, recovery, end) => {
    const fate = new Fate(undefined, 'before', end)
    const whole = await scene()
    await move(whole.from, whole.to, whole.vault, fate)
    let points = 0
    for (let at = 0; at < fate.count; at++) {
      for (const when of ['before', 'after'] as const) {
        await survive(await scene(), new Fate(at, when, end), recovery).catch((error: unknown) => {
          throw new Error(`killed ${when} operation ${at}, ${fate.operations[at]}`, { cause: error })
        })
        points++
      }
    }
    console.info(`${points} points`)
    expect(points).toBeGreaterThan(100)
  })
})

async function survive(scene: Scene, fate: Fate, recovery: Recovery): Promise<void> {
  const { from, to, vault } = scene
  const places = [from, to]
  const { roots } = await statementOf(from.store.soup(vault))
  const before = await statementOf(to.store.soup(vault))
  const tenure = await to.store.tenures.read(vault)
  expect(await crashes(() => move(from, to, vault, fate))).toBe(true)
  expect((await activeAt(places, vault)).length).toBeLessThanOrEqual(1)
  const state = await unfinished(from)
  if (state === undefined) {
    // Nothing was begun, or all was done.
    await expectSound(places, vault, roots)
    return
  }
  const { migration } = state
  if (recovery === 'crash again') {
    // The same distance again, so that every step has been the first and the last one of a run.
    for (let n = 1; await crashes(() => resume(from, to, vault, migration, new Fate(n, 'after'))); n++) {
      expect((await activeAt(places, vault)).length).toBeLessThanOrEqual(1)
      if ((await unfinished(from)) === undefined) break
    }
  } else if (recovery === 'roll back' && (await rolledBack(scene, migration))) {
    expect(await expectSound(places, vault, roots)).toBe(from)
    expect((await statementOf(to.store.soup(vault))).roots).toEqual(before.roots)
    expect((await to.store.tenures.read(vault)).state).toBe(tenure.state)
    // It is free to be moved again.
    await move(from, to, vault)
  } else await resume(from, to, vault, migration)
  expect((await readMove(from.store.records, migration))?.next).toBe(null)
  expect(await expectSound(places, vault, roots)).toBe(to)
}

/** Whether there was a way back; where there was none, there is the way forward. */
async function rolledBack({ from, to, vault }: Scene, migration: string): Promise<boolean> {
  try {
    return (await rollBack(from, to, vault, migration)).phase === 'rolled-back'
  } catch (error) {
    if (!isVaultError(error, 'MIGRATION_TARGET_ADVANCED') && !isVaultError(error, 'MIGRATION_COMPLETE')) throw error
    return false
  }
}

describe('a party lost for ever between signing and activation', () => {
  /** Killed behind the signature, before anybody could take the hand-off. */
  async function signed() {
    const probe = await first()
    const fate = new Fate()
    await move(probe.from, probe.to, probe.vault, fate)
    const at = fate.operations.indexOf('A: tenure quiesced → retired')
    const scene = await first()
    const { roots } = await statementOf(scene.from.store.soup(scene.vault))
    expect(await crashes(() => move(scene.from, scene.to, scene.vault, new Fate(at, 'after')))).toBe(true)
    expect(await activeAt([scene.from, scene.to], scene.vault)).toEqual([])
    const state = await keyStateAt(scene.from.seat, scene.vault)
    const identity = await scene.from.seat.keys.signers('identity', state.roles.identity)
    return { ...scene, roots, identity, migration: (await unfinished(scene.from))?.migration as string }
  }

  test('the source: the identity makes the target active, under its new keys', async () => {
    const { from, to, vault, roots, identity } = await signed()
    const { epoch } = await recoverVault(to.seat, { vault, identity, reason: 'the source burnt' })
    expect(epoch).toBe(2)
    expect(await expectSound([to], vault, roots)).toBe(to)
    await put(to, vault, [rawBlock('later')], 'later')
    // What was lost turns up: nobody takes its hand-off any more.
    const lost = await signedHandoffOf(from, vault)
    await expect(seatTarget(to.seat).activate(lost)).rejects.toThrow(
      expect.objectContaining({ code: 'MIGRATION_TARGET_REFUSED' }),
    )
  })

  test('the target: the identity makes the source active again', async () => {
    const { from, vault, roots, identity } = await signed()
    const request = { vault, identity, reason: 'the target burnt' }
    expect((await recoverVault(from.seat, request)).epoch).toBe(3)
    expect((await recoverVault(from.seat, request)).epoch).toBe(3)
    // Ended here; a target that comes back late is still to be told.
    expect(await unfinished(from)).toMatchObject({ phase: 'rolled-back', next: 'decline' })
    expect(await expectSound([from], vault, roots)).toBe(from)
    await put(from, vault, [rawBlock('later')], 'later')
  })

  test('only by the identity, and only a place that was part of it', async () => {
    const { to, vault } = await signed()
    const stranger = [createSigner(new Uint8Array(32).fill(7))]
    const request = { vault, identity: stranger, reason: 'mine now' }
    await expect(recoverVault(to.seat, request)).rejects.toThrow(
      expect.objectContaining({ code: 'SIGNATURE_THRESHOLD' }),
    )
    const other = memoryPlace('C', 3)
    await expect(recoverVault(other.seat, request)).rejects.toThrow(
      expect.objectContaining({ code: 'MIGRATION_STATE' }),
    )
    expect((await to.store.tenures.read(vault)).state).toBe('prepared')
  })
})

async function signedHandoffOf(place: MemoryPlace, vault: ContentId) {
  const state = await unfinished(place)
  const handoff = await place.store.tenures.evidence(vault)
  return { handoff: handoff as Uint8Array, keyEvent: state?.keyEvent as Uint8Array }
}
