import { isVaultError } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { expect, test } from 'vitest'
import {
  activeVault,
  collect,
  commit,
  fill,
  linkingBlock,
  pathEntry,
  rawBlock,
} from '../../transfer/test/memory-vault.ts'
import { type MigrationEvent, planMigration, runMigration, verifyMigration } from '../src/index.ts'
import { freshPlace, fullParts, planAndRun, run, summaryOf } from './places.ts'

test('a vault moves whole and ends as a verified replica', async () => {
  const source = await activeVault('v')
  const blocks = await fill(source, 500)
  await commit(source, [
    linkingBlock(
      'all',
      blocks.map(({ id }) => id),
    ),
  ])
  for (const value of [1, 2, 3]) {
    await source.soup.commit({ epoch: 0, entries: { put: [{ key: 'p', type: 'policy', fields: { value } }] } })
  }
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts, { reason: 'cost' })
  const events = await collect(runMigration(plan, parts))
  const summary = summaryOf(events)

  expect(events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []))).toEqual([
    'snapshot',
    'transfer',
    'verify',
    'complete',
  ])
  expect(summary).toMatchObject({
    migration_id: plan.migration_id,
    rounds: 1,
    sent: { objects: 501, entries: 501, versions: 2, objectsRemoved: 0, entriesRemoved: 0 },
    verification: { ok: true, findings: [], checked: { objects: 501, entries: 501 }, coverage: { mode: 'full' } },
    tenure: { state: 'replica', migration: plan.migration_id },
  })
  expect((await statementOf(target.soup)).roots).toEqual((await statementOf(source.soup)).roots)
  expect(await collect(target.soup.history('p'))).toEqual(await collect(source.soup.history('p')))
  expect(await target.store.tenures.keyEvents(source.vault)).toEqual(await source.store.tenures.keyEvents(source.vault))
  expect(await target.objects.get(blocks[7]!.id)).toEqual(blocks[7]!.bytes)
  expect(await verifyMigration(plan, parts)).toMatchObject({ ok: true, findings: [] })
  await expect(
    target.soup.commit({ epoch: 0, entries: { put: [pathEntry('x', blocks[0]!.id)] } }),
  ).rejects.toMatchObject({ code: 'SOUP_NOT_ACTIVE' })
})

test('an empty vault moves too', async () => {
  const summary = await planAndRun(fullParts(await activeVault('v'), freshPlace()))
  expect(summary).toMatchObject({ sent: { objects: 0, entries: 0 }, verification: { ok: true } })
})

test('planning changes nothing', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const target = freshPlace()
  const before = await source.soup.tenure()
  await planMigration(fullParts(source, target))
  expect(await source.soup.tenure()).toEqual(before)
  expect(await target.store.tenures.list()).toEqual([])
})

test('running again costs the difference, and makes exactly equal', async () => {
  const source = await activeVault('v')
  const blocks = await fill(source, 300)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts)
  await run(plan, parts)
  expect(await run(plan, parts)).toMatchObject({
    sent: { objects: 0, entries: 0, objectsRemoved: 0 },
    verification: { ok: true, coverage: { mode: 'difference' }, checked: { objects: 0 } },
  })
  await fill(source, 5, 'more')
  const change = { entries: { remove: ['path:file-0', 'path:file-1'] }, objects: { release: [blocks[0]!.id] } }
  await source.soup.commit({ epoch: 0, ...change })
  const again = await planAndRun(parts)
  expect(again).toMatchObject({
    sent: { objects: 5, entries: 5, objectsRemoved: 1, entriesRemoved: 2 },
    verification: { ok: true, coverage: { mode: 'difference' }, checked: { objects: 5 } },
    tenure: { state: 'replica', migration: again.migration_id },
  })
  expect((await verifyMigration(plan, parts)).ok).toBe(true)
})

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  'a run that is left after event %i is finished by another plan',
  async (n) => {
    const source = await activeVault('v')
    await fill(source, 50)
    const parts = fullParts(source, freshPlace())
    let seen = 0
    for await (const _ of runMigration(await planMigration(parts), parts)) if (++seen === n) break
    const summary = await planAndRun(parts)
    expect(summary).toMatchObject({ verification: { ok: true }, tenure: { state: 'replica' } })
    expect(summary.statement.roots).toEqual((await statementOf(source.soup)).roots)
  },
)

test('an abort ends a run with its reason, and the next one goes on', async () => {
  const source = await activeVault('v')
  await fill(source, 50)
  const parts = fullParts(source, freshPlace())
  const plan = await planMigration(parts)
  const stop = new AbortController()
  const reason = new Error('enough')
  const events: MigrationEvent[] = []
  const running = (async () => {
    for await (const event of runMigration(plan, parts, { signal: stop.signal })) {
      events.push(event)
      if (event.type === 'batch') stop.abort(reason)
    }
  })()
  await expect(running).rejects.toBe(reason)
  expect(events.at(-1)).toMatchObject({ type: 'batch', batch: { type: 'objects' } })
  expect(await run(plan, parts)).toMatchObject({ sent: { objects: 0, entries: 50 }, verification: { ok: true } })
})

test('a source that changes meanwhile takes another round', async () => {
  const source = await activeVault('v')
  const blocks = await fill(source, 100)
  const target = freshPlace()
  const parts = fullParts(source, target)
  let changed = false
  for await (const event of runMigration(await planMigration(parts), parts)) {
    if (event.type === 'summary') expect(event.summary).toMatchObject({ rounds: 2, verification: { ok: true } })
    if (changed || event.type !== 'batch' || event.batch.type !== 'objects') continue
    changed = true
    await commit(source, [rawBlock('late')], [pathEntry('late', rawBlock('late').id)])
    const change = { entries: { remove: ['path:file-3'] }, objects: { release: [blocks[3]!.id] } }
    await source.soup.commit({ epoch: 0, ...change })
  }
  expect((await statementOf(target.soup)).roots).toEqual((await statementOf(source.soup)).roots)
})

test('a source that never rests ends the run as incomplete, and what was sent stays', async () => {
  const source = await activeVault('v')
  await fill(source, 20)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts, { rounds: 3 })
  let n = 0
  const running = (async () => {
    for await (const event of runMigration(plan, parts))
      if (event.type === 'batch') await fill(source, 1, `busy-${n++}`)
  })()
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_INCOMPLETE', details: { rounds: 3 } })
  expect(await target.store.tenures.read(source.vault)).toMatchObject({ state: 'receiving' })
  const summary = await run(plan, parts)
  expect(summary.verification.ok).toBe(true)
  expect(summary.sent.objects).toBeLessThan(3)
})

test('an older plan and its run are shut out once another plan writes', async () => {
  const source = await activeVault('v')
  await fill(source, 20)
  const parts = fullParts(source, freshPlace())
  const events = runMigration(await planMigration(parts), parts)[Symbol.asyncIterator]()
  for (let i = 0; i < 4; i++) await events.next()
  const second = runMigration(await planMigration(parts), parts)[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) await second.next()
  const rest = (async () => {
    while (!(await events.next()).done);
  })()
  await expect(rest).rejects.toSatisfy((error) => isVaultError(error, 'SOUP_TENURE'))
  let last = await second.next()
  for (let step = last; !step.done; step = await second.next()) last = step
  expect(last.value).toMatchObject({ type: 'summary', summary: { verification: { ok: true } } })
})
