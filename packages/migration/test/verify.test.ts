import { entryKey } from '@vault/soup'
import { expect, test } from 'vitest'
import { activeVault, commit, fill, pathEntry, rawBlock } from '../../transfer/test/memory-vault.ts'
import { missProbability, planMigration, verifyMigration } from '../src/index.ts'
import { freshPlace, fullParts, run } from './places.ts'

async function migrated(count = 50) {
  const source = await activeVault('v')
  const blocks = await fill(source, count)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts)
  await run(plan, parts)
  return { source, target, parts, plan, blocks }
}

const codes = (findings: readonly { code: string; subject?: string }[]) =>
  findings.map(({ code, subject }) => [code, subject])

test('differences on both sides are named, and the roots with where they diverge', async () => {
  const { source, target, parts, plan, blocks } = await migrated()
  await commit(source, [rawBlock('new')], [pathEntry('new', rawBlock('new').id), pathEntry('file-1', blocks[2]!.id)])
  const { tenures } = target.store
  await tenures.transition(
    source.vault,
    { state: 'replica', epoch: 0 },
    { state: 'receiving', epoch: 0, migration: 'x' },
  )
  const extra = { id: rawBlock('extra').id, size: 5, links: [] }
  await target.objects.put(rawBlock('extra').bytes)
  await target.soup.receive({ migration: 'x', objects: { add: [extra] }, entries: { remove: ['path:file-4'] } })
  const report = await verifyMigration(plan, parts)
  expect(report.ok).toBe(false)
  expect(codes(report.findings)).toEqual(
    expect.arrayContaining([
      ['MIGRATION_OBJECT_MISSING', rawBlock('new').id],
      ['MIGRATION_OBJECT_SUPERFLUOUS', extra.id],
      ['MIGRATION_SOUP_MISMATCH', 'path:new'],
      ['MIGRATION_SOUP_MISMATCH', 'path:file-1'],
      ['MIGRATION_SOUP_MISMATCH', 'path:file-4'],
      ['MIGRATION_ROOT_MISMATCH', expect.stringMatching(/^[0-9a-f]{64}$/)],
    ]),
  )
  expect(report.findings).toHaveLength(7)
})

test('an entry that does not read back as its root says, and a lost version', async () => {
  const { source, target, parts, plan } = await migrated()
  for (const value of [1, 2]) {
    await source.soup.commit({ epoch: 0, entries: { put: [{ key: 'p', type: 'policy', fields: { value } }] } })
  }
  await run(plan, parts)
  const soup: typeof target.soup = {
    ...target.soup,
    version: async () => undefined,
    async entriesByKey(keys, options) {
      const rows = await target.soup.entriesByKey(keys, options)
      return rows.map((row, i) => (i === 10 ? { ...row, bytes: rows[11]!.bytes } : row))
    },
  }
  const lying = { ...parts.target, look: async () => ({ tenure: await soup.tenure(), objects: target.objects, soup }) }
  const report = await verifyMigration(plan, { ...parts, target: lying })
  const found = codes(report.findings)
  expect(found).toHaveLength(2)
  expect(found).toEqual(expect.arrayContaining([['MIGRATION_SOUP_MISMATCH', 'p']]))
})

test('a version that reads back as another one', async () => {
  const { source, target, parts, plan } = await migrated(1)
  for (const value of [1, 2]) {
    await source.soup.commit({ epoch: 0, entries: { put: [{ key: 'p', type: 'policy', fields: { value } }] } })
  }
  await run(plan, parts)
  const [row] = await target.soup.entriesByKey([entryKey('path:file-0')])
  const soup = { ...target.soup, version: async () => row!.bytes }
  const lying = { ...parts.target, look: async () => ({ tenure: await soup.tenure(), objects: target.objects, soup }) }
  const report = await verifyMigration(plan, { ...parts, target: lying })
  expect(codes(report.findings)).toEqual([['MIGRATION_SOUP_MISMATCH', 'p']])
})

test('a target that keeps quiet about some of its objects', async () => {
  const { target, parts, plan } = await migrated()
  const soup: typeof target.soup = {
    ...target.soup,
    members: async (range, options) => (await target.soup.members(range, options)).slice(1),
  }
  const lying = { ...parts.target, look: async () => ({ tenure: await soup.tenure(), objects: target.objects, soup }) }
  const report = await verifyMigration(plan, { ...parts, target: lying })
  expect(codes(report.findings)).toEqual([['MIGRATION_ROOT_MISMATCH', 'objects']])
})

test('more findings than can be named are counted', async () => {
  const { target, parts, plan, blocks } = await migrated(1_200)
  await target.objects.erase(blocks.map(({ id }) => id))
  const report = await verifyMigration(plan, parts)
  expect([report.findings.length, report.omitted]).toEqual([1_000, 200])
})

test('a sample is chosen by its seed alone and says what it may miss', async () => {
  const { target, parts, plan, blocks } = await migrated(200)
  const read: string[][] = []
  const objects: typeof target.objects = {
    ...target.objects,
    async *getMany(batches, options) {
      for await (const piece of target.objects.getMany(batches, options)) {
        read.at(-1)?.push(...piece.blocks.map(({ id }) => id))
        yield piece
      }
    },
  }
  const { look } = parts.target
  const watched = {
    ...parts.target,
    look: async (...args: Parameters<typeof look>) => ({ ...(await look(...args)), objects }),
  }
  for (const seed of ['a', 'a', 'b']) {
    read.push([])
    const report = await verifyMigration(plan, { ...parts, target: watched }, { sample: { size: 20, seed } })
    expect(report).toMatchObject({
      ok: true,
      checked: { objects: 20, entries: 20 },
      coverage: { mode: 'sample', size: 20, seed, missProbability: [{ bad: 1, probability: 0.9 }, {}, {}, {}] },
    })
  }
  expect(read[0]).toEqual(read[1])
  expect(read[0]).not.toEqual(read[2])
  await target.objects.erase(blocks.map(({ id }) => id))
  const more = await verifyMigration(plan, parts, { sample: { size: 500, seed: 'c' } })
  expect(more).toMatchObject({ findings: { length: 200 }, coverage: { mode: 'full' } })
  await expect(verifyMigration(plan, parts, { sample: { size: 100_001, seed: 'c' } })).rejects.toMatchObject({
    code: 'MIGRATION_PLAN_INVALID',
  })
})

test('the chance to miss', () => {
  expect(missProbability(1_000_000, 1_000, 1)).toBeCloseTo(0.999, 6)
  expect(missProbability(1_000_000, 1_000, 1_000)).toBeCloseTo(0.3675, 3)
  expect(missProbability(10, 10, 1)).toBe(0)
  expect(missProbability(10, 50, 3)).toBe(0)
  expect(missProbability(0, 10, 5)).toBe(1)
  expect(missProbability(4, 2, 2)).toBeCloseTo(1 / 6, 12)
})
