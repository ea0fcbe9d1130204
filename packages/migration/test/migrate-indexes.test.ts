import { describe, expect, test } from 'vitest'
import { statementOf } from '../../transfer/src/index.ts'
import { activeVault, commit, fill, type MemoryVault, rawBlock } from '../../transfer/test/memory-vault.ts'
import { type IndexStrategy, migrateIndexes } from '../src/index.ts'
import { freshPlace, fullParts, planAndRun } from './places.ts'

const STRATEGIES: readonly IndexStrategy[] = ['copy', 'rebuild']

async function moved(): Promise<readonly [MemoryVault, MemoryVault]> {
  const source = await activeVault('v')
  await fill(source, 500)
  const target = freshPlace()
  await planAndRun(fullParts(source, target))
  return [source, target]
}

describe.each(STRATEGIES)('migrateIndexes by %s', (strategy) => {
  test('gives a target that was migrated the roots of its source', async () => {
    const [source, target] = await moved()
    const report = await migrateIndexes(source.soup, target.soup, { strategy })
    expect(report).toMatchObject({ strategy, ok: true, findings: [] })
    expect(report.target.roots).toEqual(report.source.roots)
    expect(report.source).toEqual(await statementOf(source.soup))
    expect(report.compared > 0).toBe(strategy === 'copy')
  })

  test('mends what the target kept wrongly', async () => {
    const [source, target] = await moved()
    const wrong = new Map([['5', { hash: new Uint8Array(32), count: 30 }]])
    await target.soup.view((view) => view.entries.keep(wrong))
    expect((await statementOf(target.soup)).roots.soup).not.toBe((await statementOf(source.soup)).roots.soup)
    expect(await migrateIndexes(source.soup, target.soup, { strategy })).toMatchObject({ ok: true })
    expect((await statementOf(target.soup)).roots).toEqual((await statementOf(source.soup)).roots)
  })

  test('takes nothing from a source that keeps something wrong, and says where', async () => {
    const [source, target] = await moved()
    const right = await statementOf(target.soup)
    const wrong = new Map([['5', { hash: new Uint8Array(32), count: 30 }]])
    await source.soup.view((view) => view.entries.keep(wrong))
    const { ok, findings, target: made } = await migrateIndexes(source.soup, target.soup, { strategy })
    expect(ok).toBe(false)
    expect(made).toEqual(right)
    expect(await statementOf(target.soup)).toEqual(right)
    const subjects = findings.map(({ code, subject }) => `${code} ${subject}`)
    expect(subjects[0]).toBe('MIGRATION_ROOT_MISMATCH soup')
    expect(subjects.includes('TRANSFER_INDEX_MISMATCH entries/5')).toBe(strategy === 'copy')
  })

  test('says that the rows differ', async () => {
    const [source, target] = await moved()
    await commit(source, [rawBlock('later')])
    const { ok, findings } = await migrateIndexes(source.soup, target.soup, { strategy })
    expect(ok).toBe(false)
    expect(findings[0]).toMatchObject({ code: 'MIGRATION_ROOT_MISMATCH', subject: 'objects' })
  })
})

test('rebuilds unless it is told to copy, and refuses other strategies', async () => {
  const [source, target] = await moved()
  expect((await migrateIndexes(source.soup, target.soup)).strategy).toBe('rebuild')
  const other = migrateIndexes(source.soup, target.soup, { strategy: 'both' as IndexStrategy })
  await expect(other).rejects.toThrow(RangeError)
})
