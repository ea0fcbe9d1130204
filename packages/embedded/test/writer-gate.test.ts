import { setTimeout as sleep } from 'node:timers/promises'
import { contentId, encode, isVaultError, utf8 } from '@vault/core'
import { type LiveTerms, type MoveEvent, moveVault, planMigration, readLiveMove, rollBackMove } from '@vault/migration'
import { describe, expect, test } from 'vitest'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner, type Vault } from '../src/index.ts'
import type { Waited } from '../src/writer-gate.ts'
import { WriterGate } from '../src/writer-gate.ts'
import { scratch } from './scratch.ts'

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (isVaultError(error)) return error.code
    throw error
  }
}

/** A vault that moves, stopped before a step. */
async function moving(vault: Vault, to: string, before: string, live?: LiveTerms) {
  const target = await openMoveTarget(to)
  const parts = { source: await moveSourceOf(vault), target, authorize: owner, address: to, ...(live && { live }) }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const events = moveVault(plan, parts)
  for await (const event of until(events, before)) if (event.type === 'moved') throw new Error('it has ended')
  const goOn = async () => {
    for await (const _ of events);
  }
  return { plan, parts, target, goOn }
}

/** Events before a step; what comes then is left to whoever goes on. */
async function* until(events: AsyncGenerator<MoveEvent>, before: string): AsyncGenerator<MoveEvent> {
  while (true) {
    const { value, done } = await events.next()
    if (done || (value.type === 'step' && value.step.effect === before)) return
    yield value
  }
}

test('a writer in the pause of a live move waits, and is led to the new place', { timeout: 60_000 }, async () => {
  await using space = await scratch()
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'))
  await using other = await openVault(space.at('a'))
  await other.put(utf8('before'))
  const { target, parts, plan, goOn } = await moving(vault, space.at('b'), 'account', { maxPauseMs: 30_000 })
  await using _ = target
  let ended = false
  const writing = codeOf(other.put(utf8('meanwhile'))).finally(() => {
    ended = true
  })
  await sleep(60)
  expect(ended).toBe(false)
  await goOn()
  expect(await writing).toBe('VAULT_MOVED')
  const refused = await other.put(utf8('later')).catch((error: unknown) => error)
  expect(refused).toMatchObject({
    code: 'VAULT_MOVED',
    details: { vault: vault.id, place: 'b', address: space.at('b'), epoch: 1, migration: plan.migration_id },
  })
  const record = await readLiveMove(parts.source.records, plan.migration_id)
  expect(record?.pauseMs).toBeGreaterThanOrEqual(60)
  await using there = await openVault(space.at('b'))
  expect((await there.roots()).counts.objects).toBe(1)
})

test('it goes on where the move is taken back', { timeout: 60_000 }, async () => {
  await using space = await scratch()
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'))
  await using other = await openVault(space.at('a'))
  const { target, parts, plan } = await moving(vault, space.at('b'), 'account', { maxPauseMs: 30_000 })
  await using _ = target
  const writing = other.put(utf8('meanwhile'))
  await sleep(40)
  for await (const _event of rollBackMove(plan.migration_id, parts));
  const id = await writing
  expect(await other.get(id)).toEqual(utf8('meanwhile'))
  expect((await vault.soup.tenure()).state).toBe('active')
})

test('it waits no longer than it was asked to, and not at all where nobody asked', { timeout: 60_000 }, async () => {
  await using space = await scratch()
  for (const [name, live] of [
    ['asked', { maxPauseMs: 120 }],
    ['unasked', undefined],
  ] as const) {
    await createVault(space.at(name), { passphrase: undefined })
    await using vault = await openVault(space.at(name))
    await using other = await openVault(space.at(name))
    const { target } = await moving(vault, space.at(`${name}-b`), 'account', live)
    await using _ = target
    const began = performance.now()
    expect(await codeOf(other.put(utf8('meanwhile')))).toBe('VAULT_READ_ONLY')
    const waited = performance.now() - began
    if (live !== undefined) expect(waited).toBeGreaterThan(100)
  }
})

test('it is not refused where the pause takes too long', { timeout: 60_000 }, async () => {
  await using space = await scratch()
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'))
  await using other = await openVault(space.at('a'))
  const { target, parts, plan, goOn } = await moving(vault, space.at('b'), 'account', { maxPauseMs: 150 })
  await using _ = target
  const writing = codeOf(other.put(utf8('meanwhile')))
  await sleep(250)
  await goOn()
  expect((await readLiveMove(parts.source.records, plan.migration_id))?.overruns).toBeGreaterThanOrEqual(1)
  // It was let go on, or the next pause was there before it looked.
  expect([undefined, 'VAULT_MOVED']).toContain(await writing)
})

test('a delay counts until its time, and an abort ends it', { timeout: 60_000 }, async () => {
  await using space = await scratch()
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'))
  const source = await moveSourceOf(vault)
  const notice = { migration: '0'.repeat(32), waitMs: 0, to: { label: 'b', instance: '1'.repeat(32), address: null } }
  await source.steer({ ...notice, delayMs: 60_000, until: Date.now() + 10_000 })
  await expect(vault.put(utf8('x'), { signal: AbortSignal.timeout(40) })).rejects.toThrow()
  await source.steer({ ...notice, delayMs: 60_000, until: Date.now() - 1 })
  await vault.put(utf8('x'))
})

describe('what a change waits', () => {
  const migration = '0'.repeat(32)
  const vault = contentId(utf8('vault'), { hash: 'sha2-256', codec: 'dag-cbor' })

  /** A gate at a store that takes 20 ms for each look. */
  function gate(notice: { delayMs: number; waitMs: number; until: number }, state = 'quiesced'): WriterGate {
    const to = { label: 'b', instance: '1'.repeat(32), address: null }
    const bytes = encode({ type: 'writer-notice', v: 1, migration, to, ...notice })
    const tenures = {
      async read() {
        await sleep(20)
        return { vault, state, migration, epoch: 0 }
      },
    }
    const soups = { tenures, records: { read: async () => ({ version: 1, bytes }) } }
    return new WriterGate({ vault, dir: 'd', soups: soups as never, clock: () => new Date() })
  }

  async function waits(work: (waited: Waited) => Promise<unknown>): Promise<number> {
    const began = performance.now()
    expect(await codeOf(work({ ms: 0 }))).toBe('VAULT_READ_ONLY')
    return performance.now() - began
  }

  test('is no more than was said, however slow each look is', async () => {
    const slow = gate({ delayMs: 0, waitMs: 200, until: 0 })
    const ms = await waits((waited) => slow.open(waited, {}))
    expect(ms).toBeGreaterThanOrEqual(195)
    expect(ms).toBeLessThan(450)
  })

  test('counts together: the delay, and each time that the vault is found quiesced', async () => {
    const slow = gate({ delayMs: 300, waitMs: 300, until: Date.now() + 9_000 })
    const ms = await waits(async (waited) => {
      await slow.slow(waited, {})
      await slow.slow(waited, {})
      expect(await codeOf(slow.open(waited, {}))).toBe('VAULT_READ_ONLY')
      await slow.open(waited, {})
    })
    expect(ms).toBeGreaterThanOrEqual(295)
    expect(ms).toBeLessThan(550)
  })

  test('is nothing for a delay that lies further ahead than one is ever said', async () => {
    const slow = gate({ delayMs: 300, waitMs: 0, until: Date.now() + 3_600_000 })
    const ms = await waits(async (waited) => {
      await slow.slow(waited, {})
      await slow.open(waited, {})
    })
    expect(ms).toBeLessThan(250)
  })
})
