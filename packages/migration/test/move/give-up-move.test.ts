// A target that is gone for good keeps no source from going on, and cannot become active when it comes back.
import type { ContentId } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import type { EffectName } from '../../src/move/effect.ts'
import { giveUpMove } from '../../src/move/give-up-move.ts'
import { cleanTarget, givenUpAt } from '../../src/move/given-up.ts'
import { listMoves, readMove } from '../../src/move/journal.ts'
import { moveStatus } from '../../src/move/move-status.ts'
import { moveVault, resumeMove, rollBackMove } from '../../src/move/move-vault.ts'
import { recoverVault } from '../../src/move/recover-vault.ts'
import type { MoveState } from '../../src/move/state.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { activeAt, ended, expectSound, killedAt, move, partsOf } from './moving.ts'
import { found, type MemoryPlace, memoryPlace, put, trailAt } from './seats.ts'

async function places() {
  const [a, b, c] = [memoryPlace('A', 1), memoryPlace('B', 2), memoryPlace('C', 3)] as const
  const vault = await found(a)
  await put(a, vault, [rawBlock('one'), rawBlock('two')])
  return { a, b, c, vault }
}

/** The parts of whoever gives up: the target is not among them. */
const own = ({ source, authorize, clock }: MoveParts) => ({ source, authorize, ...(clock && { clock }) })

const stateAt = async ({ store }: MemoryPlace, vault: ContentId) => (await store.tenures.read(vault)).state

async function verbsAt(place: MemoryPlace, vault: ContentId): Promise<readonly string[]> {
  const verbs: string[] = []
  for await (const page of (await trailAt(place, vault)).entries())
    for (const { entry } of page) verbs.push(entry.action.verb)
  return verbs
}

const STOPPED: readonly EffectName[] = ['endorse', 'copy', 'verify', 'quiesce', 'copy-rest', 'prepare', 'sign']

test.each(STOPPED)(
  'a move that stopped before "%s" is given up without its target, and the next one goes',
  async (at) => {
    const { a, b, c, vault } = await places()
    const parts = partsOf(a, b, vault)
    const migration = await killedAt(at, parts)
    const left = await stateAt(b, vault)
    expect(['receiving', 'prepared']).toContain(left)
    const state = await ended(giveUpMove(migration, own(parts), { reason: 'the target burnt' }))
    expect(state).toMatchObject({ phase: 'rolled-back', next: 'decline', reason: 'the target burnt', decline: null })
    expect(moveStatus(state).steps.map(({ effect, status }) => `${effect} ${status}`)).toEqual([
      'reopen done',
      'record-rollback done',
      'decline next',
    ])
    expect(await stateAt(a, vault)).toBe('active')
    expect(await stateAt(b, vault)).toBe(left)
    await put(a, vault, [rawBlock('three')], 'later')
    const { roots } = await statementOf(a.store.soup(vault))
    // Said again, and nothing is told twice.
    expect(await ended(giveUpMove(migration, own(parts)))).toEqual(state)
    expect((await verbsAt(a, vault)).filter((verb) => verb === 'migration-rolled-back')).toHaveLength(1)

    expect(await move(a, c, vault)).toMatchObject({ phase: 'complete' })
    // What comes back gives up what it has, though the vault has moved on since.
    expect(await ended(rollBackMove(migration, parts))).toMatchObject({ phase: 'rolled-back', next: null })
    expect(await stateAt(b, vault)).toBe('none')
    expect(await expectSound([a, b, c], vault, roots)).toBe(c)
  },
)

test('a target that comes back cannot take the vault by what was given up, whatever it is asked', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const migration = await killedAt('sign', parts)
  const before = (await readMove(a.store.records, migration)) as MoveState
  await ended(giveUpMove(migration, own(parts)))
  // A run of the move that was killed: its number is an old one, and a resume finds that it has ended.
  expect(await ended(resumeMove(migration, parts))).toMatchObject({ phase: 'rolled-back', next: null })
  const { frozen, statement, acceptance, ready } = before
  const terms = { frozen, statement, acceptance, ready, migration, keyEvent: vault, plan: vault }
  const signed = parts.source.signHandoff({ ...terms, target: { instance: b.seat.instance } } as never)
  await expect(signed).rejects.toMatchObject({ code: 'MIGRATION_SOURCE_REFUSED' })
  expect(await activeAt([a, b], vault)).toEqual([a])
})

test.each(['copy', 'sign'] as const)('a target that came back is cleaned by the next move to it (%s)', async (at) => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const migration = await killedAt(at, parts)
  await ended(giveUpMove(migration, own(parts)))
  const moves = await listMoves(a.store.records)
  expect(givenUpAt(moves, b.seat.instance)).toHaveLength(1)
  expect(givenUpAt(moves, a.seat.instance)).toEqual([])
  await cleanTarget(parts)
  expect(await stateAt(b, vault)).toBe('none')
  expect(givenUpAt(await listMoves(a.store.records), b.seat.instance)).toEqual([])
  expect(await move(a, b, vault)).toMatchObject({ phase: 'complete' })
  expect(await activeAt([a, b], vault)).toEqual([b])
})

test('nor is it kept from the next move by what it accepted where the answer was lost', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const unheard: MoveParts = {
    ...parts,
    target: {
      ...parts.target,
      async accept(...terms) {
        await parts.target.accept(...terms)
        throw new Error('connection lost')
      },
    },
  }
  await expect(ended(moveVault(plan, unheard))).rejects.toThrow('connection lost')
  expect(await stateAt(b, vault)).toBe('receiving')
  await ended(giveUpMove(plan.migration_id, own(parts)))
  expect(givenUpAt(await listMoves(a.store.records), a.seat.instance)).toEqual([])
  await cleanTarget(parts)
  expect(await stateAt(b, vault)).toBe('none')
  expect(await move(a, b, vault)).toMatchObject({ phase: 'complete' })
})

test('a rollback whose target is lost in it is ended without it', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const migration = await killedAt('verify', parts)
  const gone = { ...parts.target, decline: async () => Promise.reject(new Error('connection lost')) }
  await expect(ended(rollBackMove(migration, { ...parts, target: gone }))).rejects.toThrow('connection lost')
  expect(await readMove(a.store.records, migration)).toMatchObject({ phase: 'rolling-back', next: 'decline' })
  expect(await ended(giveUpMove(migration, own(parts)))).toMatchObject({ phase: 'rolled-back', next: 'decline' })
})

test('behind the signature only the word of the target counts, and a refusal leaves everything as it was', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const migration = await killedAt('activate', parts)
  const unchanged = async (code: string) => {
    const record = await a.store.records.read(`migration/${migration}/state`)
    await expect(ended(giveUpMove(migration, own(parts)))).rejects.toMatchObject({ code })
    expect(await a.store.records.read(`migration/${migration}/state`)).toEqual(record)
    expect(await stateAt(a, vault)).toBe('retired')
  }
  await unchanged('MIGRATION_HANDED_OFF')
  const taken = { ...parts.target, activate: async () => Promise.reject(new Error('connection lost')) }
  await expect(ended(resumeMove(migration, { ...parts, target: taken }))).rejects.toThrow('connection lost')
  const gone = { ...parts.target, decline: async () => Promise.reject(new Error('connection lost')) }
  await expect(ended(rollBackMove(migration, { ...parts, target: gone }))).rejects.toThrow('connection lost')
  await unchanged('MIGRATION_HANDED_OFF')
  await ended(resumeMove(migration, parts))
  expect(await activeAt([a, b], vault)).toEqual([a])
})

test('nor where a run signed and died before it wrote that down', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const dies: MoveParts = {
    ...parts,
    source: {
      ...parts.source,
      async signHandoff(...terms) {
        await parts.source.signHandoff(...terms)
        throw new Error('killed')
      },
    },
  }
  await expect(ended(moveVault(plan, dies))).rejects.toThrow('killed')
  const record = await a.store.records.read(`migration/${plan.migration_id}/state`)
  const given = giveUpMove(plan.migration_id, own(parts))
  await expect(ended(given)).rejects.toMatchObject({ code: 'MIGRATION_HANDED_OFF' })
  expect(await a.store.records.read(`migration/${plan.migration_id}/state`)).toEqual(record)
})

test('what is complete, of another place, or not granted is not given up', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const migration = await killedAt('copy', parts)
  const record = () => a.store.records.read(`migration/${migration}/state`)
  const before = await record()
  const mismatch = { code: 'MIGRATION_PLAN_MISMATCH' }
  await expect(ended(giveUpMove(migration, { ...own(parts), to: a.seat.place.key }))).rejects.toMatchObject(mismatch)
  const denied = { ...own(parts), authorize: () => Promise.reject(new Error('denied')) }
  await expect(ended(giveUpMove(migration, denied))).rejects.toThrow('denied')
  await expect(ended(giveUpMove('0'.repeat(32), own(parts)))).rejects.toMatchObject({ code: 'MIGRATION_UNKNOWN' })
  expect(await record()).toEqual(before)
  expect(await ended(resumeMove(migration, parts))).toMatchObject({ phase: 'complete' })
  await expect(ended(giveUpMove(migration, own(parts)))).rejects.toMatchObject({ code: 'MIGRATION_COMPLETE' })
})

test('where people have made the target active meanwhile, it does not give that up, and says so', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const { roles } = await parts.source.keyState()
  const identity = await a.seat.keys.signers('identity', roles.identity)
  const migration = await killedAt('sign', parts)
  await ended(giveUpMove(migration, own(parts)))
  await recoverVault(b.seat, { vault, identity, reason: 'they thought that A was lost' })
  await expect(ended(rollBackMove(migration, parts))).rejects.toMatchObject({ code: 'MIGRATION_FORKED' })
})

test('a run that signs while its move is given up wins, and nothing is active twice', async () => {
  const { a, b, vault } = await places()
  const parts = partsOf(a, b, vault)
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const [signs, maySign, signed] = [0, 1, 2].map(() => Promise.withResolvers<void>()) as [
    PromiseWithResolvers<void>,
    PromiseWithResolvers<void>,
    PromiseWithResolvers<void>,
  ]
  const late: MoveParts = {
    ...parts,
    source: {
      ...parts.source,
      async signHandoff(...terms) {
        signs.resolve()
        await maySign.promise
        const handoff = await parts.source.signHandoff(...terms)
        signed.resolve()
        return handoff
      },
    },
  }
  const run = ended(moveVault(plan, late))
  run.catch(() => {})
  await signs.promise
  const source: typeof parts.source = {
    ...parts.source,
    async reopen(...terms) {
      maySign.resolve()
      await signed.promise
      return await parts.source.reopen(...terms)
    },
  }
  const given = giveUpMove(plan.migration_id, { ...own(parts), source })
  await expect(ended(given)).rejects.toMatchObject({ code: 'MIGRATION_HANDED_OFF' })
  await expect(run).rejects.toMatchObject({ code: 'MIGRATION_SUPERSEDED' })
  expect(await activeAt([a, b], vault)).toEqual([])
  expect(await ended(rollBackMove(plan.migration_id, parts))).toMatchObject({ phase: 'rolled-back', next: null })
  expect(await activeAt([a, b], vault)).toEqual([a])
})
