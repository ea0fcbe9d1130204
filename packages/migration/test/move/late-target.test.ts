// A target that was lost behind the signature, and comes back when the vault has gone on without it.
import type { Bytes, ContentId, Signer } from '@vault/core'
import { createSigner, encodeEnvelope, link, signEnvelope, utf8 } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { giveUpMove } from '../../src/move/give-up-move.ts'
import { cleanTarget, givenUpAt } from '../../src/move/given-up.ts'
import { listMoves, readMove } from '../../src/move/journal.ts'
import { keyStateAt } from '../../src/move/key-state.ts'
import { moveStatus } from '../../src/move/move-status.ts'
import { moveVault, rollBackMove } from '../../src/move/move-vault.ts'
import { recoverVault } from '../../src/move/recover-vault.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import type { MoveState } from '../../src/move/state.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { signRecovery } from '../../src/records/recovery.ts'
import { Fate, seatOf } from './crash.ts'
import { activeAt, crashes, ended, expectSound, killedAt, move, partsOf, resume } from './moving.ts'
import { found, type MemoryPlace, memoryPlace, put } from './seats.ts'

async function places() {
  const [a, b, c] = [memoryPlace('A', 1), memoryPlace('B', 2), memoryPlace('C', 3)] as const
  const vault = await found(a)
  await put(a, vault, [rawBlock('one'), rawBlock('two')])
  const { roles } = await keyStateAt(a.seat, vault)
  const identity = await a.seat.keys.signers('identity', roles.identity)
  return { a, b, c, vault, identity }
}

/** Signed away to B, which was lost before it took the vault; the identity made A active again. */
async function recovered() {
  const scene = await places()
  const { a, b, vault, identity } = scene
  const parts = partsOf(a, b, vault)
  const migration = await killedAt('activate', parts)
  const { handoff, keyEvent } = (await readMove(a.store.records, migration)) as MoveState
  await recoverVault(a.seat, { vault, identity, reason: 'the target burnt' })
  await put(a, vault, [rawBlock('three')], 'later')
  const { roots } = await statementOf(a.store.soup(vault))
  return { ...scene, parts, migration, roots, signed: { handoff: handoff as Bytes, keyEvent: keyEvent as Bytes } }
}

const stateAt = async ({ store }: MemoryPlace, vault: ContentId) => (await store.tenures.read(vault)).state

test('it is cleaned by the next move to it, and does not take the hand-off any more', async () => {
  const { a, b, vault, parts, migration, roots, signed } = await recovered()
  const state = (await readMove(a.store.records, migration)) as MoveState
  expect(moveStatus(state)).toMatchObject({ phase: 'rolled-back', reason: 'the target burnt' })
  expect(moveStatus(state).steps.map(({ effect, status }) => `${effect} ${status}`)).toEqual([
    'reopen done',
    'record-rollback done',
    'decline next',
  ])
  expect(givenUpAt(await listMoves(a.store.records), b.seat.instance)).toHaveLength(1)
  expect(await stateAt(b, vault)).toBe('prepared')
  await cleanTarget(parts)
  expect(await stateAt(b, vault)).toBe('none')
  expect(await readMove(a.store.records, migration)).toMatchObject({ phase: 'rolled-back', next: null })
  await expect(parts.target.activate(signed)).rejects.toMatchObject({ code: 'MIGRATION_DECLINED' })
  expect(await move(a, b, vault)).toMatchObject({ phase: 'complete' })
  expect(await expectSound([a, b], vault, roots)).toBe(b)
})

test('nor does it get the vault where whoever made the source active again died before the move was closed', async () => {
  const { a, b, vault, identity } = await places()
  const migration = await killedAt('activate', partsOf(a, b, vault))
  const request = { vault, identity, reason: 'the target burnt' }
  expect(await crashes(() => recoverVault(seatOf(a, new Fate(1)), request))).toBe(true)
  expect(await activeAt([a, b], vault)).toEqual([a])
  await expect(resume(a, b, vault, migration)).rejects.toMatchObject({ code: 'MIGRATION_STATE' })
  expect(await activeAt([a, b], vault)).toEqual([a])
  await recoverVault(a.seat, request)
  expect(await resume(a, b, vault, migration)).toMatchObject({ phase: 'rolled-back', next: null })
  expect(await stateAt(b, vault)).toBe('none')
})

test('or by the rollback of its migration, though the vault has moved on since', async () => {
  const { a, b, c, vault, parts, migration, roots } = await recovered()
  await move(a, c, vault)
  expect(await ended(rollBackMove(migration, parts))).toMatchObject({ phase: 'rolled-back', next: null })
  expect(await stateAt(b, vault)).toBe('none')
  expect(await expectSound([a, b, c], vault, roots)).toBe(c)
})

test('where it has taken the vault after all, it gives nothing up', async () => {
  const { a, b, vault, parts, migration, signed } = await recovered()
  await parts.target.activate(signed)
  const told: unknown[] = []
  const refused = async () => {
    for await (const event of rollBackMove(migration, parts)) told.push(event)
  }
  await expect(refused()).rejects.toMatchObject({
    code: 'MIGRATION_FORKED',
    message: expect.stringContaining('Choose the one that it is to be'),
  })
  expect(told).toEqual([])
  await expect(cleanTarget(parts)).rejects.toMatchObject({ code: 'MIGRATION_FORKED' })
  expect(await stateAt(b, vault)).toBe('active')
  expect((await readMove(a.store.records, migration))?.next).toBe('decline')
})

test('from the place where the vault is by now, the hand-off with which it came proves that it has gone on', async () => {
  const { a, b, c, vault, roots, signed } = await recovered()
  await move(a, c, vault)
  // Nothing of A is left.
  const parts = partsOf(c, b, vault)
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  expect(await stateAt(b, vault)).toBe('prepared')
  expect(await ended(moveVault(plan, parts))).toMatchObject({ phase: 'complete' })
  await expect(parts.target.activate(signed)).rejects.toMatchObject({ code: 'MIGRATION_DECLINED' })
  expect(await expectSound([b, c], vault, roots)).toBe(b)
})

test('from the place that was made active again, the word of the identity does', async () => {
  const { a, b, vault, roots, signed } = await recovered()
  const parts = partsOf(a, b, vault)
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  expect(await ended(moveVault(plan, parts))).toMatchObject({ phase: 'complete' })
  await expect(parts.target.activate(signed)).rejects.toMatchObject({ code: 'MIGRATION_DECLINED' })
  expect(await expectSound([a, b], vault, roots)).toBe(b)
})

/** Offers a target another migration of the vault, with this document. */
async function offered(
  b: MemoryPlace,
  vault: ContentId,
  from: MemoryPlace,
  evidence?: Bytes,
  known: ContentId = vault,
): Promise<unknown> {
  const keyEvents = await from.store.tenures.keyEvents(known)
  const offer = { vault, keyEvents, migration: 'f'.repeat(32), plan: vault, epoch: 9, driver: 1, keys: 'new' } as const
  return await seatTarget(b.seat).accept({ ...offer, ...(evidence && { evidence }) })
}

const evidenceAt = async ({ store }: MemoryPlace, vault: ContentId) => (await store.tenures.evidence(vault)) as Bytes

test('a higher epoch alone, and what others sign, prove nothing', async () => {
  const { a, b, vault, migration, identity } = await recovered()
  const refused = { code: 'MIGRATION_TARGET_REFUSED', details: { state: 'prepared', migration } }
  const stranger = [createSigner(new Uint8Array(32).fill(7))]
  const recovery = {
    type: 'migration-recovery',
    v: 1,
    vault: link(vault),
    migration,
    epoch: 3,
    reason: 'x',
    at: 1,
  } as const
  const instance = a.seat.instance
  const word = async (changed: object, signers: readonly Signer[]) =>
    encodeEnvelope(await signRecovery({ ...recovery, instance, ...changed }, signers))
  const nothing = [
    undefined,
    encodeEnvelope(await signEnvelope('key', utf8('none'), stranger)),
    utf8('no envelope'),
    await word({}, stranger),
    await word({ migration: 'e'.repeat(32) }, identity),
    await word({ instance: b.seat.instance }, identity),
    await word({ epoch: 1 }, identity),
  ]
  for (const evidence of nothing) await expect(offered(b, vault, a, evidence)).rejects.toMatchObject(refused)
  expect(await stateAt(b, vault)).toBe('prepared')
  expect(await activeAt([a, b], vault)).toEqual([a])
  await offered(b, vault, a, await word({}, identity))
  expect(await stateAt(b, vault)).toBe('receiving')
})

test('what is refused for its keys has nothing given up, whatever it proves', async () => {
  const { a, b, c, vault } = await recovered()
  const other = await found(c)
  const evidence = await evidenceAt(a, vault)
  await expect(offered(b, vault, c, evidence, other)).rejects.toMatchObject({ code: 'MIGRATION_HANDOFF_REFUSED' })
  expect(await stateAt(b, vault)).toBe('prepared')
})

test('nor does a hand-off that was declined before, or the one that it waits for', async () => {
  const { a, b, c, vault } = await places()
  const first = await killedAt('activate', partsOf(a, c, vault))
  const declined = await evidenceAt(a, vault)
  await ended(rollBackMove(first, partsOf(a, c, vault)))
  const migration = await killedAt('activate', partsOf(a, b, vault))
  const refused = { code: 'MIGRATION_TARGET_REFUSED', details: { state: 'prepared', migration } }
  for (const evidence of [declined, await evidenceAt(a, vault)])
    await expect(offered(b, vault, a, evidence)).rejects.toMatchObject(refused)
  expect(await stateAt(b, vault)).toBe('prepared')
})

test('what was given up before it was signed is passed by a hand-off in its epoch', async () => {
  const { a, b, c, vault } = await places()
  const parts = partsOf(a, b, vault)
  await ended(giveUpMove(await killedAt('sign', parts), { source: parts.source, authorize: parts.authorize }))
  await move(a, c, vault)
  expect(await move(c, b, vault)).toMatchObject({ phase: 'complete' })
})

test('a target that had taken the vault and was lost before the end is gone on without only where people say so', async () => {
  const { a, b, vault, identity } = await places()
  const parts = partsOf(a, b, vault)
  const migration = await killedAt('route', parts)
  const request = { vault, identity, reason: 'the target burnt' }
  const record = () => a.store.records.read(`migration/${migration}/state`)
  const before = await record()
  await expect(recoverVault(a.seat, request)).rejects.toMatchObject({
    code: 'MIGRATION_COMPLETE',
    message: expect.stringContaining('recover --taken'),
  })
  expect([await stateAt(a, vault), await record()]).toEqual(['retired', before])
  await expect(ended(rollBackMove(migration, parts))).rejects.toMatchObject({
    code: 'MIGRATION_TARGET_ADVANCED',
    message: expect.stringContaining('recover --taken'),
  })
  // Nobody is shut out by what is refused.
  expect(await record()).toEqual(before)
  expect((await recoverVault(a.seat, { ...request, taken: true })).state).toBe('active')
  // It is as active as it was: a fork, and nothing that is cleaned.
  await expect(ended(rollBackMove(migration, parts))).rejects.toMatchObject({ code: 'MIGRATION_FORKED' })
  await expect(planMigration(parts, { handoff: { keys: 'new' } })).rejects.toMatchObject({ code: 'MIGRATION_FORKED' })
  expect(await stateAt(b, vault)).toBe('active')
})

test('nor is anybody led to it where whoever said so died before the move was closed', async () => {
  const { a, b, vault, identity } = await places()
  const migration = await killedAt('route', partsOf(a, b, vault))
  const request = { vault, identity, reason: 'the target burnt', taken: true }
  expect(await crashes(() => recoverVault(seatOf(a, new Fate(1)), request))).toBe(true)
  await expect(resume(a, b, vault, migration)).rejects.toMatchObject({ code: 'MIGRATION_STATE' })
  await recoverVault(a.seat, request)
  expect(await readMove(a.store.records, migration)).toMatchObject({ phase: 'rolled-back', next: 'decline' })
})

test('what is complete is not recovered, whatever people say', async () => {
  const { a, b, vault, identity } = await places()
  await move(a, b, vault)
  const request = { vault, identity, reason: 'the target burnt', taken: true }
  await expect(recoverVault(a.seat, request)).rejects.toMatchObject({ code: 'MIGRATION_COMPLETE' })
})
