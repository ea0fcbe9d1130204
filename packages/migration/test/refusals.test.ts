import type { Block } from '@vault/cas'
import { utf8, VaultError } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { expect, test } from 'vitest'
import {
  activeVault,
  collect,
  commit,
  emptyPlace,
  fill,
  keyEventsOf,
  rawBlock,
  vaultId,
} from '../../transfer/test/memory-vault.ts'
import {
  abandonMigration,
  migrateObject,
  planMigration,
  runMigration,
  soupStoreTarget,
  verifyMigration,
} from '../src/index.ts'
import { freshPlace, fullParts, owner, partialParts, planAndRun, run } from './places.ts'

test('a place that holds another vault with content is refused, and nothing is written', async () => {
  const source = await activeVault('v')
  await fill(source, 5)
  const other = await activeVault('other')
  const parts = fullParts(source, other)
  const plan = await planMigration(parts)
  await fill(other, 1)
  const refusal = { code: 'MIGRATION_TARGET_NOT_EMPTY', details: { vault: other.vault } }
  await expect(planMigration(parts)).rejects.toMatchObject(refusal)
  await expect(run(plan, parts)).rejects.toMatchObject(refusal)
  expect(await other.store.tenures.list()).toHaveLength(1)
})

test('the unused vault of a place gives way when another is received', async () => {
  const source = await activeVault('v')
  await fill(source, 5)
  const other = await activeVault('other')
  await planAndRun(fullParts(source, other))
  expect(await other.store.tenures.list()).toMatchObject([{ vault: source.vault, state: 'replica' }])
})

test('a vault that was emptied does not give way: it was in use', async () => {
  const source = await activeVault('v')
  const other = await activeVault('other')
  const { id } = rawBlock('once')
  await commit(other, [rawBlock('once')])
  await other.soup.commit({ epoch: 0, objects: { release: [id] } })
  expect(await other.soup.view(async (view) => view.counts)).toMatchObject({ objects: 0, entries: 0 })
  const refusal = { code: 'MIGRATION_TARGET_NOT_EMPTY', details: { vault: other.vault } }
  await expect(planMigration(fullParts(source, other))).rejects.toMatchObject(refusal)
})

test('a vault that has ended unchanged does not give way', async () => {
  const source = await activeVault('v')
  const other = await activeVault('other')
  await other.store.tenures.transition(other.vault, { state: 'active', epoch: 0 }, { state: 'ended', epoch: 0 })
  const refusal = { code: 'MIGRATION_TARGET_NOT_EMPTY', details: { vault: other.vault } }
  await expect(planMigration(fullParts(source, other))).rejects.toMatchObject(refusal)
})

test('a vault that comes to life at the target under way is not swept away', async () => {
  const source = await activeVault('v')
  await fill(source, 5)
  const other = await activeVault('other')
  const parts = fullParts(source, other)
  const running = (async () => {
    for await (const event of runMigration(await planMigration(parts), parts)) {
      if (event.type === 'phase' && event.phase === 'verify') await commit(other, [rawBlock('mine')])
    }
  })()
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_TARGET_NOT_EMPTY' })
  expect(await other.soup.charged([rawBlock('mine').id])).toEqual([true])
})

test('a vault that is active at the target is refused', async () => {
  const source = await activeVault('v')
  const parts = fullParts(source, await activeVault('v'))
  await expect(planMigration(parts)).rejects.toMatchObject({ code: 'MIGRATION_TARGET_REFUSED' })
})

test('a plan is for its own parts', async () => {
  const source = await activeVault('v')
  const parts = fullParts(source, freshPlace())
  const plan = await planMigration(parts)
  const others = [
    { ...parts, source: { ...parts.source, label: 'elsewhere' } },
    { ...parts, target: { ...parts.target, label: 'elsewhere' } },
    fullParts(await activeVault('w'), freshPlace()),
  ]
  for (const other of others) await expect(run(plan, other)).rejects.toMatchObject({ code: 'MIGRATION_PLAN_MISMATCH' })
})

test('both grants are asked for before anything is written', async () => {
  const source = await activeVault('v')
  await fill(source, 5)
  const at = new Date('2030-01-01T00:00:00Z')
  const plan = await planMigration(fullParts(source, freshPlace()))
  for (const denied of ['migrate', 'write']) {
    const asked: unknown[] = []
    const target = freshPlace()
    const authorize: typeof owner = async (request) => {
      asked.push([request.action, request.object, request.at, request.signers])
      if (request.action === denied) throw new VaultError({ code: 'CAPS_DENIED', message: 'no' })
      return owner(request)
    }
    const parts = { ...fullParts(source, target), authorize, clock: () => at }
    await expect(planMigration(parts)).rejects.toMatchObject({ code: 'CAPS_DENIED' })
    await expect(run(plan, parts)).rejects.toMatchObject({ code: 'CAPS_DENIED' })
    expect(asked.at(-1)).toEqual([denied, source.vault, at, []])
    expect(await target.store.tenures.list()).toEqual([])
  }
})

test('a grant that expires under way is asked for again, and its refusal stops the run', async () => {
  const source = await activeVault('v')
  await fill(source, 5)
  const target = freshPlace()
  let now = 0
  let asked = 0
  const parts = {
    ...fullParts(source, target),
    clock: () => new Date(now),
    authorize: async (request: Parameters<typeof owner>[0]) => {
      if (++asked > 4) throw new VaultError({ code: 'CAPS_DENIED', message: 'expired' })
      return { ...(await owner(request)), expires: new Date(now + 10) }
    },
  }
  const plan = await planMigration(parts)
  const running = (async () => {
    for await (const event of runMigration(plan, parts)) if (event.type === 'batch') now += 20
  })()
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_NOT_GRANTED', details: { code: 'CAPS_DENIED' } })
  expect(asked).toBe(5)
  expect(await target.soup.entriesAfter({ limit: 1 })).toEqual([])
})

test('giving up takes away what came, and nothing else', async () => {
  const source = await activeVault('v')
  await fill(source, 20)
  const own = await activeVault('own')
  const parts = fullParts(source, own)
  const plan = await planMigration(parts)
  for await (const event of runMigration(plan, parts)) if (event.type === 'batch') break
  expect(await own.store.tenures.list()).toHaveLength(2)
  await abandonMigration(await planMigration(parts), parts)
  expect(await own.store.tenures.list()).toHaveLength(2)
  await abandonMigration(plan, parts)
  expect(await own.store.tenures.list()).toMatchObject([{ vault: own.vault, state: 'active' }])
  await run(plan, parts)
  await expect(abandonMigration(plan, parts)).rejects.toMatchObject({ code: 'MIGRATION_COMPLETE' })
})

test('a place that handed the vault off once stays retired when it gives up', async () => {
  const source = await activeVault('v')
  await fill(source, 20)
  const target = emptyPlace(vaultId('v'))
  const { tenures } = target.store
  await tenures.transition(source.vault, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
  const quiesced = { state: 'quiesced', epoch: 0, migration: 'away' } as const
  await tenures.transition(source.vault, { state: 'active', epoch: 0 }, quiesced)
  const evidence = utf8('a hand-off')
  await tenures.transition(source.vault, { ...quiesced, events: 0 }, { state: 'retired', epoch: 1, evidence })
  const retired = await tenures.read(source.vault)
  const parts = fullParts(source, target)
  const plan = await planMigration(parts)
  for await (const event of runMigration(plan, parts)) if (event.type === 'statement') break
  await abandonMigration(plan, parts)
  expect(await tenures.read(source.vault)).toEqual(retired)
  for await (const event of runMigration(plan, parts)) if (event.type === 'batch') break
  await abandonMigration(plan, parts)
  expect(await tenures.read(source.vault)).toMatchObject({ state: 'retired', epoch: 1, migration: 'away' })
  expect(await target.soup.members({ limit: 100 })).toEqual([])
})

test('giving up an update that has not written leaves the replica as it was', async () => {
  const source = await activeVault('v')
  await fill(source, 20)
  const target = freshPlace()
  const parts = fullParts(source, target)
  await planAndRun(parts)
  const replica = await target.soup.tenure()
  await fill(source, 5, 'more')
  const { active, quiesced } = {
    active: { state: 'active', epoch: 0 },
    quiesced: { state: 'quiesced', epoch: 0, migration: 'm' },
  } as const
  await source.store.tenures.transition(source.vault, active, quiesced)
  const keyEvents = await keyEventsOf('v', 2)
  await source.store.tenures.transition(source.vault, quiesced, { ...active, keyEvents })
  const events = await target.store.tenures.keyEvents(source.vault)
  const plan = await planMigration(parts)
  for await (const event of runMigration(plan, parts)) if (event.type === 'statement') break
  expect(await target.soup.tenure()).toMatchObject({ state: 'receiving', before: { state: 'replica' } })
  await abandonMigration(plan, parts)
  expect(await target.soup.tenure()).toEqual(replica)
  expect(await target.store.tenures.keyEvents(source.vault)).toEqual(events)
  expect(await target.soup.members({ limit: 100 })).toHaveLength(20)
})

test('a place that knows nothing of a vault takes the key events of no other one', async () => {
  const target = freshPlace()
  const { receive } = soupStoreTarget({ label: 'target', objects: target.objects, store: target.store })
  const offer = { vault: target.vault, migration: 'm' }
  const refusal = { code: 'MIGRATION_TARGET_REFUSED' }
  await expect(receive({ ...offer, keyEvents: await keyEventsOf('w', 1) })).rejects.toMatchObject(refusal)
  expect(await target.store.tenures.list()).toEqual([])
  await receive({ ...offer, keyEvents: await keyEventsOf('v', 1) })
})

test('a copy keeps the key events that it knows: who brings fewer changes nothing, at whatever step', async () => {
  const source = await activeVault('v')
  await fill(source, 3)
  const target = freshPlace()
  const parts = fullParts(source, target)
  await planAndRun(parts)
  const more = await keyEventsOf('v', 3)
  const events = more.slice(0, 2)
  const { vault } = source
  const { receive } = parts.target
  const refusal = { code: 'MIGRATION_TARGET_REFUSED' }
  const bring = async (migration: string, keyEvents: readonly Uint8Array[]) => {
    const { sequence } = await target.soup.tenure()
    return await (await receive({ vault, migration, keyEvents })).finish?.(sequence)
  }
  await bring('rotated', events)
  const replica = await target.soup.tenure()
  await expect(bring('fewer', events.slice(0, 1))).rejects.toMatchObject(refusal)
  expect(await target.soup.tenure()).toEqual(replica)
  // Between the two: another one brought more.
  const { finish } = await receive({ vault, migration: 'late', keyEvents: events })
  const receiving = { state: 'receiving', epoch: 0, migration: 'late' } as const
  await target.store.tenures.transition(vault, receiving, { ...receiving, keyEvents: more })
  await expect(finish?.(replica.sequence)).rejects.toMatchObject(refusal)
  expect(await target.store.tenures.keyEvents(vault)).toEqual(more)
})

test('giving up an update that has written puts back what was there, also for a plan that went on', async () => {
  const source = await activeVault('v')
  const [first] = await fill(source, 20)
  const target = freshPlace()
  const parts = fullParts(source, target)
  await planAndRun(parts)
  const { roots } = await statementOf(target.soup)
  await fill(source, 5, 'more')
  const { epoch } = await source.soup.tenure()
  await source.soup.commit({ epoch, entries: { remove: ['path:file-0'] }, objects: { release: [(first as Block).id] } })
  for await (const event of runMigration(await planMigration(parts), parts)) if (event.type === 'batch') break
  const plan = await planMigration(parts)
  for await (const event of runMigration(plan, parts)) if (event.type === 'checked') break
  expect((await statementOf(target.soup)).roots).not.toEqual(roots)
  await abandonMigration(plan, parts)
  expect((await statementOf(target.soup)).roots).toEqual(roots)
  expect(await target.soup.tenure()).toMatchObject({ state: 'replica' })
  expect(await run(await planMigration(parts), parts)).toMatchObject({ verification: { ok: true } })
})

test('a vault that is not whole is no source', async () => {
  const source = await activeVault('v')
  await fill(source, 20)
  const half = freshPlace()
  const good = freshPlace()
  const plan = await planMigration(fullParts(half, good)).catch((error) => error)
  expect(plan).toMatchObject({ code: 'MIGRATION_SOURCE_REFUSED', details: { state: 'none' } })
  await planAndRun(fullParts(source, good))
  const planned = await planMigration(fullParts(source, good))
  for await (const event of runMigration(await planMigration(fullParts(source, half)), fullParts(source, half))) {
    if (event.type === 'batch') break
  }
  const refusal = { code: 'MIGRATION_SOURCE_REFUSED', details: { state: 'receiving' } }
  const parts = fullParts(half, good)
  await expect(planMigration(parts)).rejects.toMatchObject(refusal)
  await expect(run(planned, parts)).rejects.toMatchObject(refusal)
  await expect(verifyMigration(planned, parts)).rejects.toMatchObject(refusal)
  const other = partialParts(half, await activeVault('w'))
  await expect(migrateObject({ hash: rawBlock('file 0').id, ...other })).rejects.toMatchObject(refusal)
  expect(await good.soup.tenure()).toMatchObject({ state: 'replica' })
  expect(await good.soup.entriesAfter({ limit: 100 })).toHaveLength(20)
})

test('a source that is received again under way ends the run', async () => {
  const source = await activeVault('v')
  await fill(source, 20)
  const middle = freshPlace()
  await planAndRun(fullParts(source, middle))
  await fill(source, 5, 'more')
  const parts = fullParts(middle, freshPlace())
  const running = (async () => {
    for await (const event of runMigration(await planMigration(parts), parts)) {
      if (event.type !== 'phase' || event.phase !== 'transfer') continue
      const update = fullParts(source, middle)
      for await (const e of runMigration(await planMigration(update), update)) if (e.type === 'batch') break
    }
  })()
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_SOURCE_REFUSED', details: { state: 'receiving' } })
})

test('a target of few lines is a target', async () => {
  const source = await activeVault('v')
  await fill(source, 5)
  const place = freshPlace()
  const inner = soupStoreTarget({ label: 'inner', objects: place.objects, store: place.store })
  const target = {
    label: 'mine',
    look: inner.look,
    receive: inner.receive,
  }
  const parts = { ...fullParts(source, place), target }
  const events = await collect(runMigration(await planMigration(parts), parts))
  expect(events.at(-1)).toMatchObject({ type: 'summary' })
})
