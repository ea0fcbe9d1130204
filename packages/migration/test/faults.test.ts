import type { BulkCas } from '@vault/cas'
import { faultyCas } from '@vault/cas/testing'
import { expect, test } from 'vitest'
import { activeVault, collect, fill } from '../../transfer/test/memory-vault.ts'
import { type MigrationEvent, planMigration, runMigration, verifyMigration } from '../src/index.ts'
import { freshPlace, fullParts, planAndRun, run, sourceOf, summaryOf } from './places.ts'

test('a target that acknowledges without storing is found out', async () => {
  const source = await activeVault('v')
  const ids = (await fill(source, 100)).map(({ id }) => id)
  const target = freshPlace()
  const parts = fullParts(source, target, faultyCas(target.objects, { loses: (id) => id === ids[42] }))
  await expect(planAndRun(parts)).rejects.toMatchObject({
    code: 'MIGRATION_VERIFICATION_FAILED',
    details: { findings: [{ code: 'MIGRATION_CONTENT_MISMATCH', subject: ids[42] }], omitted: 0 },
  })
  expect(await target.store.tenures.read(source.vault)).toMatchObject({ state: 'receiving' })
})

test('a target that hands out flipped bytes as sound is found out', async () => {
  const source = await activeVault('v')
  const ids = (await fill(source, 100)).map(({ id }) => id)
  const target = freshPlace()
  const flipping: BulkCas = {
    ...target.objects,
    async *getMany(batches, o) {
      for await (const piece of target.objects.getMany(batches, o)) {
        const flip = (bytes: Uint8Array) =>
          bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) as Uint8Array<ArrayBuffer>
        yield {
          ...piece,
          blocks: piece.blocks.map((block) => (block.id === ids[7] ? { ...block, bytes: flip(block.bytes) } : block)),
        }
      }
    },
  }
  await expect(planAndRun(fullParts(source, target, flipping))).rejects.toMatchObject({
    code: 'MIGRATION_VERIFICATION_FAILED',
    details: { findings: [{ code: 'MIGRATION_CONTENT_MISMATCH', subject: ids[7] }] },
  })
})

test('the update of a replica is read back too', async () => {
  const source = await activeVault('v')
  await fill(source, 10)
  const target = freshPlace()
  await planAndRun(fullParts(source, target))
  const ids = (await fill(source, 10, 'more')).map(({ id }) => id)
  const lying = fullParts(source, target, faultyCas(target.objects, { loses: (id) => id === ids[3] }))
  await expect(planAndRun(lying)).rejects.toMatchObject({
    code: 'MIGRATION_VERIFICATION_FAILED',
    details: { findings: [{ subject: ids[3] }] },
  })
  expect(await planAndRun(fullParts(source, target))).toMatchObject({
    verification: { ok: true, coverage: { mode: 'full' } },
  })
})

test('what is damaged at the target under way is sent again', async () => {
  const source = await activeVault('v')
  const ids = (await fill(source, 100)).map(({ id }) => id)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts)
  const events: MigrationEvent[] = []
  for await (const event of runMigration(plan, parts)) {
    events.push(event)
    if (event.type === 'batch' && event.batch.type === 'objects') await target.objects.erase([ids[5]!, ids[6]!])
  }
  expect(events.filter(({ type }) => type === 'finding')).toEqual([])
  const repaired = events.find((event) => event.type === 'repaired')
  expect(new Set(repaired?.ids)).toEqual(new Set([ids[5], ids[6]]))
  expect(summaryOf(events).verification).toMatchObject({ ok: true, checked: { objects: 100 } })
  expect((await verifyMigration(plan, parts)).ok).toBe(true)
})

test('damage that came later is reported by name, and mended by a run that reads everything again', async () => {
  const source = await activeVault('v')
  const ids = (await fill(source, 100)).map(({ id }) => id)
  const target = freshPlace()
  const parts = fullParts(source, target)
  const plan = await planMigration(parts)
  await run(plan, parts)
  await target.objects.erase(ids.slice(10, 13))
  const report = await verifyMigration(plan, parts)
  expect(report.ok).toBe(false)
  expect(new Set(report.findings.map(({ subject }) => subject))).toEqual(new Set(ids.slice(10, 13)))
  const events = await collect(runMigration(plan, parts, { reread: true }))
  expect(summaryOf(events)).toMatchObject({ verification: { ok: true, coverage: { mode: 'full' } } })
  expect((await verifyMigration(plan, parts)).ok).toBe(true)
})

test('every object that the source cannot give is named, and the rest is sent', async () => {
  const source = await activeVault('v')
  const ids = (await fill(source, 100)).map(({ id }) => id)
  const target = freshPlace()
  const objects = faultyCas(source.objects, { vanished: (id) => id === ids[1], damaged: (id) => id === ids[2] })
  const parts = { ...fullParts(source, target), source: sourceOf(source, objects) }
  const plan = await planMigration(parts)
  const events: MigrationEvent[] = []
  const running = (async () => {
    for await (const event of runMigration(plan, parts)) events.push(event)
  })()
  const findings = [
    { code: 'TRANSFER_SOURCE_MISSING', subject: ids[1] },
    { code: 'TRANSFER_SOURCE_DAMAGED', subject: ids[2] },
  ]
  await expect(running).rejects.toMatchObject({ code: 'MIGRATION_SOURCE_DAMAGED' })
  const named = events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []))
  expect(named).toHaveLength(2)
  expect(named).toEqual(expect.arrayContaining(findings.map((finding) => expect.objectContaining(finding))))
  expect(await target.soup.charged(ids)).toEqual(ids.map((_, i) => i !== 1 && i !== 2))
  // Restored at the source, the same plan ends.
  const restored = { ...parts, source: sourceOf(source) }
  expect(await run(plan, restored)).toMatchObject({ sent: { objects: 2 }, verification: { ok: true } })
})

test('a source that hands out wrong bytes as sound does no harm', async () => {
  const source = await activeVault('v')
  const ids = (await fill(source, 10)).map(({ id }) => id)
  const target = freshPlace()
  const objects = {
    ...source.objects,
    async *getMany(batches: Iterable<readonly (typeof ids)[0][]> | AsyncIterable<readonly (typeof ids)[0][]>) {
      for await (const piece of source.objects.getMany(batches)) {
        const [first, second] = piece.blocks
        yield { ...piece, blocks: [{ ...first!, bytes: second!.bytes }, ...piece.blocks.slice(1)] }
      }
    },
  }
  const parts = { ...fullParts(source, target), source: sourceOf(source, objects) }
  await expect(planAndRun(parts)).rejects.toMatchObject({ code: 'CAS_CORRUPT' })
  expect(await collect(target.objects.list())).toEqual([])
})

test.each([1, 2, 3, 4, 5])(
  'a target store that fails at its call %i leaves a state that the next run finishes',
  async (n) => {
    const source = await activeVault('v')
    await fill(source, 100)
    const target = freshPlace()
    const failing = faultyCas(target.objects, {
      after: ({ number }) => {
        if (number === n) throw new Error('disk gone')
      },
    })
    const outcome = await planAndRun(fullParts(source, target, failing)).then(
      () => 'done',
      (error: Error) => error.message,
    )
    expect(outcome).toBe(n <= 2 ? 'disk gone' : 'done')
    expect(await planAndRun(fullParts(source, target))).toMatchObject({ verification: { ok: true } })
  },
)
