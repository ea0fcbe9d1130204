import { statementOf } from '@vault/transfer'
import { expect, test } from 'vitest'
import { activeVault, commit, fill, pathEntry, rawBlock } from '../../transfer/test/memory-vault.ts'
import { abandonMigration, type MigrationEvent, planMigration, runMigration, type Summary } from '../src/index.ts'
import { freshPlace, fullParts, planAndRun } from './places.ts'

/** Runs to the end, doing something else once, at the first event that is asked for. */
async function runWith(
  events: AsyncIterable<MigrationEvent>,
  at: (event: MigrationEvent) => boolean,
  meanwhile: () => Promise<unknown>,
): Promise<Summary | undefined> {
  let done = false
  let summary: Summary | undefined
  for await (const event of events) {
    if (event.type === 'summary') summary = event.summary
    if (done || !at(event)) continue
    done = true
    await meanwhile()
  }
  expect(done).toBe(true)
  return summary
}

async function leaveAtBatch(events: AsyncIterable<MigrationEvent>): Promise<void> {
  for await (const event of events) if (event.type === 'batch') return
}

test('a run does not end well over what another run of its plan began after its verification', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts)
  const meanwhile = async () => {
    await fill(source, 5, 'more')
    await leaveAtBatch(runMigration(plan, parts))
  }
  const running = runWith(runMigration(plan, parts), ({ type }) => type === 'checked', meanwhile)
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_INCOMPLETE' })
  expect(await target.soup.tenure()).toMatchObject({ state: 'receiving' })
  const { statement } = await planAndRun(parts)
  expect((await statementOf(target.soup)).roots).toEqual(statement.roots)
})

test('a run over what another plan has finished meanwhile is refused', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const parts = fullParts(source, freshPlace())
  const plan = await planMigration(parts)
  const running = runWith(
    runMigration(plan, parts),
    ({ type }) => type === 'checked',
    () => planAndRun(parts),
  )
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_TARGET_REFUSED', details: { state: 'replica' } })
})

test('two runs of one plan that do the same both end well', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts)
  const summary = await runWith(
    runMigration(plan, parts),
    ({ type }) => type === 'checked',
    async () => {
      for await (const _ of runMigration(plan, parts));
    },
  )
  expect(summary).toMatchObject({ verification: { ok: true }, tenure: await target.soup.tenure() })
})

test('an update that was not the only one to write is read back whole', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const target = freshPlace()
  const parts = fullParts(source, target)
  await planAndRun(parts)
  await fill(source, 5, 'more')
  const plan = await planMigration(parts)
  const summary = await runWith(
    runMigration(plan, parts),
    (event) => event.type === 'phase' && event.phase === 'transfer',
    () => leaveAtBatch(runMigration(plan, parts)),
  )
  expect(summary?.verification).toMatchObject({ ok: true, coverage: { mode: 'full' }, checked: { objects: 15 } })
})

test('an update after whose last change another one wrote is read back whole', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const parts = fullParts(source, freshPlace())
  await planAndRun(parts)
  await fill(source, 5, 'more')
  const plan = await planMigration(parts)
  const summary = await runWith(
    runMigration(plan, parts),
    (event) => event.type === 'batch' && event.batch.type === 'entries',
    async () => {
      await commit(source, [rawBlock('late')])
      await leaveAtBatch(runMigration(plan, parts))
    },
  )
  expect(summary).toMatchObject({ rounds: 1, verification: { coverage: { mode: 'full' }, checked: { objects: 21 } } })
})

test('what a run updates is what it found when it began to receive', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const target = freshPlace()
  const parts = fullParts(source, target)
  await planAndRun(parts)
  await commit(source, [rawBlock('x')], [pathEntry('x', rawBlock('x').id)])
  const { receive } = parts.target
  const racing = {
    ...parts,
    target: {
      ...parts.target,
      async receive(...args: Parameters<typeof receive>) {
        await leaveAtBatch(runMigration(await planMigration(parts), parts))
        return receive(...args)
      },
    },
  }
  expect(await planAndRun(racing)).toMatchObject({ verification: { ok: true, coverage: { mode: 'full' } } })
})

test('giving up one migration leaves alone what another one receives', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const [first, second] = [await planMigration(parts), await planMigration(parts)]
  await leaveAtBatch(runMigration(first, parts))
  const { tenures } = target.store
  const { transition } = tenures
  Object.assign(tenures, {
    transition: async (...args: Parameters<typeof transition>) => {
      Object.assign(tenures, { transition })
      await leaveAtBatch(runMigration(second, parts))
      await transition(...args)
    },
  })
  await expect(abandonMigration(first, parts)).rejects.toMatchObject({ code: 'SOUP_TENURE' })
  expect(await tenures.read(source.vault)).toMatchObject({ state: 'receiving', migration: second.migration_id })
  expect(await target.soup.members({ limit: 100 })).toHaveLength(10)
})
