import { faultyCas } from '@vault/cas/testing'
import { VaultError } from '@vault/core'
import type { Entry } from '@vault/soup'
import { expect, test } from 'vitest'
import type { MemoryVault } from '../../transfer/test/memory-vault.ts'
import {
  activeVault,
  collect,
  commit,
  fill,
  linkingBlock,
  pathEntry,
  rawBlock,
} from '../../transfer/test/memory-vault.ts'
import {
  exportObject,
  type MigrationParts,
  migrateObject,
  planMigration,
  runMigration,
  verifyMigration,
} from '../src/index.ts'
import { partialParts, planAndRun, run, sourceOf } from './places.ts'

const select = { prefix: 'path:wanted' }

/** A vault with a wanted tree of three objects, and others. */
async function vaultWithTree() {
  const source = await activeVault('v')
  const parts = [rawBlock('part 1'), rawBlock('part 2')]
  const root = linkingBlock(
    'wanted',
    parts.map(({ id }) => id),
  )
  const description: Entry = { key: `obj:${root.id}`, type: 'object', fields: { note: 'a tree' } }
  await commit(source, [...parts, root], [pathEntry('wanted', root.id), description])
  await fill(source, 20, 'other')
  return { source, parts, root, description }
}

async function idsOf({ soup }: MemoryVault) {
  return new Set((await soup.members({ limit: 1_000 })).map(({ id }) => id))
}

test('moves what is selected, with all that it links to and what describes it, and touches nothing else', async () => {
  const { source, parts, root, description } = await vaultWithTree()
  const target = await activeVault('w')
  const own = await fill(target, 5, 'own')
  const between = partialParts(source, target)
  const plan = await planMigration(between, { select })
  const summary = await run(plan, between)
  expect(summary).toMatchObject({
    sent: { objects: 3, entries: 2 },
    verification: { ok: true, checked: { objects: 3, entries: 2 } },
    tenure: { vault: target.vault, state: 'active' },
  })
  expect(await idsOf(target)).toEqual(new Set([...own, ...parts, root].map(({ id }) => id)))
  expect(await target.soup.entry('path:wanted')).toEqual(pathEntry('wanted', root.id))
  expect(await target.soup.entry(description.key)).toEqual(description)
  expect(await verifyMigration(plan, between)).toMatchObject({ ok: true })
  expect(await run(plan, between)).toMatchObject({ sent: { objects: 0 }, verification: { ok: true } })
})

test('an entry of the same name and another value is a conflict, named before the first byte', async () => {
  const { source } = await vaultWithTree()
  const target = await activeVault('w')
  await commit(target, [rawBlock('mine')], [pathEntry('wanted', rawBlock('mine').id)])
  const before = await target.soup.tenure()
  await expect(planAndRun(partialParts(source, target), { select })).rejects.toMatchObject({
    code: 'MIGRATION_CONFLICT',
    details: { keys: ['path:wanted'] },
  })
  expect(await target.soup.tenure()).toEqual(before)
  expect(await collect(target.objects.list())).toEqual([[rawBlock('mine').id]])
})

test('what the target takes from nobody is refused with the plan, and by a run before the first byte', async () => {
  const { source } = await vaultWithTree()
  await commit(source, [rawBlock('secret')], [pathEntry('wanted/secret', rawBlock('secret').id)])
  const target = await activeVault('w')
  const open = partialParts(source, target)
  const screen = (entries: readonly Entry[]) => {
    const key = entries.find((entry) => entry.key === 'path:wanted/secret')?.key
    if (key !== undefined) throw new VaultError({ code: 'NOT_TAKEN', message: 'It is not taken.', details: { key } })
  }
  const screening = { ...open, target: { ...open.target, screen } }
  const before = await target.soup.tenure()
  await expect(planMigration(screening, { select })).rejects.toMatchObject({ code: 'NOT_TAKEN' })
  // It may have come since the plan was made.
  const plan = await planMigration(open, { select })
  await expect(run(plan, screening)).rejects.toMatchObject({ code: 'NOT_TAKEN' })
  expect(await target.soup.tenure()).toEqual(before)
  expect(await collect(target.objects.list())).toEqual([])
  expect(await planAndRun(screening, { select: { prefix: 'path:other' } })).toMatchObject({
    verification: { ok: true },
  })
})

test('histories are made again, and an entry that is only behind goes on', async () => {
  const source = await activeVault('v')
  const target = await activeVault('w')
  const put = (value: number) =>
    source.soup.commit({ epoch: 0, entries: { put: [{ key: 'p', type: 'policy', fields: { value } }] } })
  for (const value of [1, 2, 3]) await put(value)
  const between = partialParts(source, target)
  await planAndRun(between, { select: { prefix: 'p' } })
  await put(4)
  await put(5)
  expect(await planAndRun(between, { select: { prefix: 'p' } })).toMatchObject({ verification: { ok: true } })
  expect(await target.soup.entry('p')).toEqual(await source.soup.entry('p'))
  expect(await collect(target.soup.history('p'))).toEqual(await collect(source.soup.history('p')))
})

test('a batch that is given twice, because its answer was lost, is taken once', async () => {
  const source = await activeVault('v')
  const target = await activeVault('w')
  for (const value of ['first', 'second', 'third', 'fourth']) {
    const block = rawBlock(value)
    await commit(source, [block], [{ key: 'p', type: 'policy', object: block.id, fields: {} }])
  }
  const between = partialParts(source, target)
  const twice: MigrationParts['target'] = {
    ...between.target,
    async receive(offer, options) {
      const opened = await between.target.receive(offer, options)
      const receive: (typeof opened.intake)['receive'] = async (batch, abort) => {
        await opened.intake.receive(batch, abort)
        return await opened.intake.receive(batch, abort)
      }
      return { ...opened, intake: { receive } }
    },
  }
  const summary = await planAndRun({ ...between, target: twice }, { select: { prefix: 'p' } })
  expect(summary).toMatchObject({ sent: { versions: 3 }, verification: { ok: true } })
  expect(await collect(target.soup.history('p'))).toEqual(await collect(source.soup.history('p')))
})

test('a history whose versions name different objects brings all of them', async () => {
  const source = await activeVault('v')
  const target = await activeVault('w')
  const blocks = [rawBlock('first'), rawBlock('second'), rawBlock('third')]
  for (const block of blocks) {
    await commit(source, [block], [{ key: 'p', type: 'policy', object: block.id, fields: {} }])
  }
  const description: Entry = { key: `obj:${blocks[0]!.id}`, type: 'object', object: rawBlock('note').id, fields: {} }
  await commit(source, [rawBlock('note')], [description])
  const summary = await planAndRun(partialParts(source, target), { select: { prefix: 'p' } })
  expect(summary).toMatchObject({ sent: { objects: 4, entries: 2, versions: 2 }, verification: { ok: true } })
  expect(await collect(target.soup.history('p'))).toEqual(await collect(source.soup.history('p')))
  expect(await target.soup.entry(description.key)).toEqual(description)
})

test.each([
  ['before the entries come', 'phase' as const],
  ['after the objects came', 'batch' as const],
])('what the target puts %s is not overwritten', async (_, type) => {
  const { source } = await vaultWithTree()
  const target = await activeVault('w')
  const mine = rawBlock('mine')
  const between = partialParts(source, target)
  const running = (async () => {
    for await (const event of runMigration(await planMigration(between, { select }), between)) {
      if (event.type !== type || (event.type === 'phase' && event.phase !== 'transfer')) continue
      if ((await target.soup.entry('path:wanted')) === undefined)
        await commit(target, [mine], [pathEntry('wanted', mine.id)])
    }
  })()
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT', details: { keys: ['path:wanted'] } })
  expect(await target.soup.entry('path:wanted')).toEqual(pathEntry('wanted', mine.id))
})

test('what the target puts between the look at an entry and its change is not overwritten', async () => {
  const { source } = await vaultWithTree()
  const target = await activeVault('w')
  const mine = rawBlock('mine')
  const soup: typeof target.soup = {
    ...target.soup,
    async commit(change, options) {
      if (change.entries?.put?.some(({ key }) => key === 'path:wanted')) {
        await commit(target, [mine], [pathEntry('wanted', mine.id)])
      }
      return await target.soup.commit(change, options)
    },
  }
  await expect(planAndRun(partialParts(source, { ...target, soup }), { select })).rejects.toMatchObject({
    code: 'MIGRATION_CONFLICT',
    details: { keys: ['path:wanted'] },
  })
  expect(await target.soup.entry('path:wanted')).toEqual(pathEntry('wanted', mine.id))
})

test('refs move, and do not move what is there', async () => {
  const source = await activeVault('v')
  const target = await activeVault('w')
  const head = rawBlock('head')
  await commit(source, [head])
  await source.soup.commit({ epoch: 0, refs: { main: head.id } })
  const between = partialParts(source, target)
  await planAndRun(between, { select: { prefix: 'ref:' } })
  expect((await target.soup.entry('ref:main'))?.object).toBe(head.id)
  expect(await planAndRun(between, { select: { prefix: 'ref:' } })).toMatchObject({ verification: { ok: true } })
  await commit(target, [rawBlock('other')])
  await target.soup.commit({ epoch: 0, refs: { main: rawBlock('other').id } })
  await expect(planAndRun(between, { select: { prefix: 'ref:' } })).rejects.toMatchObject({
    code: 'MIGRATION_CONFLICT',
  })
})

test('what the source cannot give is named, and what needs it does not come under charge', async () => {
  const { source, parts, root } = await vaultWithTree()
  const target = await activeVault('w')
  const objects = faultyCas(source.objects, { damaged: (id) => id === parts[0]!.id })
  const between = { ...partialParts(source, target), source: sourceOf(source, objects) }
  await expect(planAndRun(between, { select })).rejects.toMatchObject({
    code: 'MIGRATION_SOURCE_DAMAGED',
    details: { findings: [{ subject: parts[0]!.id }] },
  })
  expect(await target.soup.charged([root.id])).toEqual([false])
})

test('a part that the target does not give back is found', async () => {
  const { source, parts } = await vaultWithTree()
  const target = await activeVault('w')
  const lying = {
    ...target,
    objects: { ...target.objects, ...faultyCas(target.objects, { loses: (id) => id === parts[1]!.id }) },
  }
  await expect(planAndRun(partialParts(source, lying), { select })).rejects.toMatchObject({
    code: 'MIGRATION_VERIFICATION_FAILED',
    details: { findings: [{ code: 'MIGRATION_CONTENT_MISMATCH', subject: parts[1]!.id }] },
  })
})

test('what the target let go of since is missing', async () => {
  const { source, root } = await vaultWithTree()
  const target = await activeVault('w')
  const between = partialParts(source, target)
  const plan = await planMigration(between, { select })
  await run(plan, between)
  await target.soup.commit({ epoch: 0, entries: { remove: ['path:wanted'] }, objects: { release: [root.id] } })
  const { findings } = await verifyMigration(plan, between)
  const missing = findings.filter(({ code }) => code === 'MIGRATION_OBJECT_MISSING')
  expect(missing).toHaveLength(3)
  expect(findings.map(({ subject }) => subject)).toContain('path:wanted')
})

test('a part goes into another active vault and nowhere else', async () => {
  const { source } = await vaultWithTree()
  const same = partialParts(source, source)
  await expect(planMigration(same, { select })).rejects.toMatchObject({ code: 'MIGRATION_TARGET_REFUSED' })
  const whole = partialParts(source, await activeVault('w'))
  await expect(planMigration(whole)).rejects.toMatchObject({ code: 'MIGRATION_TARGET_REFUSED' })
})

test('one object, with its links and its description', async () => {
  const { source, parts, root, description } = await vaultWithTree()
  const target = await activeVault('w')
  const between = partialParts(source, target)
  const summary = await migrateObject({ hash: root.id, ...between })
  expect(summary).toMatchObject({ sent: { objects: 3, entries: 1 }, verification: { ok: true } })
  expect(await idsOf(target)).toEqual(new Set([...parts, root].map(({ id }) => id)))
  expect(await target.soup.entry(description.key)).toEqual(description)
  await expect(migrateObject({ hash: rawBlock('nowhere').id, ...between })).rejects.toMatchObject({
    code: 'MIGRATION_OBJECT_UNKNOWN',
  })
  const denied = { ...between, authorize: async () => Promise.reject(new Error('denied')) }
  await expect(migrateObject({ hash: root.id, ...denied })).rejects.toThrow('denied')
})

test('an exported object has the names of the record', async () => {
  const { source, parts, root, description } = await vaultWithTree()
  expect(await exportObject(root.id, sourceOf(source))).toEqual({
    hash: root.id,
    content: root.bytes,
    'soup-entry': description,
    references: parts.map(({ id }) => id),
  })
  expect(Object.keys(await exportObject(parts[0]!.id, sourceOf(source)))).toEqual(['hash', 'content', 'references'])
  await expect(exportObject(rawBlock('nowhere').id, sourceOf(source))).rejects.toMatchObject({
    code: 'MIGRATION_OBJECT_UNKNOWN',
  })
})

test('leaving a partial run keeps what came, and running again ends it', async () => {
  const { source } = await vaultWithTree()
  const target = await activeVault('w')
  const between = partialParts(source, target)
  const plan = await planMigration(between, { select })
  for await (const event of runMigration(plan, between)) if (event.type === 'batch') break
  expect(await run(plan, between)).toMatchObject({ sent: { objects: 0, entries: 2 }, verification: { ok: true } })
})
