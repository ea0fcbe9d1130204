import { forkEvidence, openHead, originOf, verifyEvidence } from '@vault/audit-chain'
import type { Bytes, ContentId } from '@vault/core'
import { toHex } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { keyStateAt } from '../../src/move/key-state.ts'
import { logKeys } from '../../src/move/log-keys.ts'
import { openSeatTrail } from '../../src/move/seat.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import { activeAt, expectSound, move, unfinished } from './moving.ts'
import { codeOf, expectCertified, rootsAt, scene } from './processes.ts'
import type { MemoryPlace } from './seats.ts'
import { memoryPlace, put } from './seats.ts'

/** Two places with one past: the second is what a backup of the first brings back. */
async function withBackup() {
  const [live, backup] = [await scene(), await scene()]
  expect(backup.vault).toBe(live.vault)
  expect(await rootsAt(backup.a, backup.vault)).toEqual(await rootsAt(live.a, live.vault))
  const c = memoryPlace('C', 3, live.a.seat.clock)
  return { ...live, backup: backup.a, c }
}

describe('an old copy of the source, brought back after the hand-off', () => {
  test('is refused by a place that had the vault since', async () => {
    const { a, b, backup, vault } = await withBackup()
    await move(a, b, vault)
    await move(b, a, vault)
    const before = await Promise.all([b.store.tenures.read(vault), b.store.tenures.keyEvents(vault), rootsAt(b, vault)])
    // It does not know the keys that the vault has had there.
    expect(await codeOf(move(backup, b, vault))).toBe('MIGRATION_HANDOFF_REFUSED')
    expect(
      await Promise.all([b.store.tenures.read(vault), b.store.tenures.keyEvents(vault), rootsAt(b, vault)]),
    ).toEqual(before)
    expect(await activeAt([a, b], vault)).toEqual([a])
    // And where the vault is active it is not received at all.
    expect(await codeOf(move(backup, a, vault))).toBe('MIGRATION_TARGET_REFUSED')
    expectCertified(await move(a, b, vault))
  })

  test('is refused by its epoch by a place that knows a later one, whatever its keys', async () => {
    const { a, b, c, vault } = await withBackup()
    // An old copy of what B had, made before it went on to C and came back.
    await move(a, b, vault)
    const keyEvents = await b.store.tenures.keyEvents(vault)
    await move(b, c, vault)
    await move(c, b, vault)
    await move(b, c, vault)
    const known = await b.store.tenures.keyEvents(vault)
    const offer = { vault, migration: '1'.repeat(32), plan: vault, driver: 1, keys: 'new' } as const
    const target = seatTarget(b.seat)
    expect(await codeOf(target.accept({ ...offer, keyEvents: known, epoch: 3 }))).toBe('MIGRATION_EPOCH')
    expect(await codeOf(target.accept({ ...offer, keyEvents, epoch: 9 }))).toBe('MIGRATION_HANDOFF_REFUSED')
    expect((await b.store.tenures.read(vault)).state).toBe('retired')
    expect(await activeAt([a, b, c], vault)).toEqual([c])
  })

  test('moves to a place that never heard of the vault: nobody there can know, and both notes together prove it', async () => {
    const { a, b, c, backup, vault } = await withBackup()
    await move(a, b, vault)
    await put(backup, vault, [rawBlock('written in the past')], 'past')
    expectCertified(await move(backup, c, vault))
    // This is what no place can prevent: two places of one vault, of two histories.
    expect(await activeAt([a, b], vault)).toEqual([b])
    expect(await activeAt([backup, c], vault)).toEqual([c])

    // What both sides have signed since: whoever knows the keys of both finds out.
    expect(await proven([b, c], vault)).toBe(true)
    // And what they signed with the one key that both once had, for whoever knows no more than how the vault was founded.
    expect(await proven([a, backup], vault)).toBe(true)
    // Two heads of one history are no evidence.
    expect(await codeOf(proven([a, b], vault))).toBe('AUDIT_EVIDENCE_INVALID')
    // The two places do not merge: neither takes the other's.
    expect(await codeOf(move(c, b, vault))).toBe('MIGRATION_FORKED')
  })

  test('takes the place that it went to: the true vault goes elsewhere', async () => {
    const { a, b, c, backup, vault } = await withBackup()
    await move(backup, c, vault)
    const roots = await rootsAt(a, vault)
    expect(await codeOf(move(a, c, vault))).toBe('MIGRATION_FORKED')
    expect(await unfinished(a)).toBeUndefined()
    expectCertified(await move(a, b, vault))
    expect(await expectSound([a, b], vault, roots)).toBe(b)
  })
})

/** Whether the heads of two places are evidence of a fork, as anybody can verify it. Throws where they are none. */
async function proven(places: readonly [MemoryPlace, MemoryPlace], vault: ContentId): Promise<boolean> {
  const heads = await Promise.all(
    places.map(async ({ seat }) => ({ trail: await openSeatTrail(seat, vault), log: await seat.log(vault) })),
  )
  const keys = (await Promise.all(places.map(async ({ seat }) => logKeys(await keyStateAt(seat, vault))))).flat()
  const identity = { origin: originOf(vault), keys }
  const notes = heads.map(({ trail }) => trail.checkpoint as Bytes) as [Bytes, Bytes]
  const larger = heads.toSorted((x, y) => y.trail.size - x.trail.size)[0]
  if (larger === undefined) return false
  const { tiles } = await openHead(larger.log, larger.trail.checkpoint, identity)
  const evidence = await forkEvidence({ notes, larger: tiles }, identity)
  const { signed, actual } = verifyEvidence(evidence, identity)
  return toHex(signed) !== toHex(actual)
}
