import { isVaultError } from '@vault/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyDifference, type DifferenceStep, sameRoots, statementOf } from '../src/index.ts'
import type { MemoryVault } from './memory-vault.ts'
import { activeVault, collect, commit, fill, pathEntry, rawBlock, receivingVault } from './memory-vault.ts'

const into = ({ objects, soup }: MemoryVault) => ({ objects, soup, intake: soup })
const copy = (source: MemoryVault, target: MemoryVault, window = 65_536) =>
  collect(copyDifference(source, into(target), { migration: 'm', window }))

test('one pass makes a target equal, whatever it held', async () => {
  const numbers = fc.uniqueArray(fc.nat(60), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(numbers, numbers, fc.integer({ min: 1, max: 30 }), async (before, now, window) => {
      const source = await activeVault('v')
      const target = await receivingVault('v')
      const entriesOf = (set: number[], mode: string) =>
        set.map((n) => pathEntry(`${n}`, rawBlock(`${n}`).id, n % 2 === 0 ? { mode } : {}))
      const earlier = await activeVault('v')
      await commit(
        earlier,
        before.map((n) => rawBlock(`${n}`)),
        entriesOf(before, 'old'),
      )
      await copy(earlier, target)
      await commit(
        source,
        now.map((n) => rawBlock(`${n}`)),
        entriesOf(now, 'new'),
      )
      await copy(source, target, window)
      expect(sameRoots(await statementOf(source.soup), await statementOf(target.soup))).toBe(true)
      expect(await copy(source, target)).toEqual([])
    }),
    { numRuns: 40 },
  )
})

test('nothing is taken away before what replaces it is there', async () => {
  const source = await activeVault('v')
  const target = await receivingVault('v')
  const old = await activeVault('v')
  await fill(old, 10, 'old')
  await copy(old, target)
  await fill(source, 10, 'new')
  const steps = await copy(source, target)
  expect(steps.map(({ type }) => type)).toEqual(['objects', 'entries', 'entries-removed', 'objects-removed'])
})

test('a stop between any two steps leaves what was yielded, and the next pass does the rest', async () => {
  const source = await activeVault('v')
  await fill(source, 200)
  const target = await receivingVault('v')
  let done = 0
  for (let pass = 0; pass < 100; pass++) {
    const steps: DifferenceStep[] = []
    for await (const step of copyDifference(source, into(target), { migration: 'm', window: 50 })) {
      steps.push(step)
      if (steps.length === 2) break
    }
    if (steps.length === 0) break
    done++
  }
  expect(done).toBe(4)
  expect(sameRoots(await statementOf(source.soup), await statementOf(target.soup))).toBe(true)
})

test('a window of large objects is bounded by their bytes', async () => {
  const source = await activeVault('v')
  await commit(
    source,
    Array.from({ length: 70 }, (_, i) => rawBlock(`${i} `.padEnd(1_000_000))),
  )
  const steps = await copy(source, await receivingVault('v'))
  expect(steps.map((step) => step.type === 'objects' && step.bytes <= 64 * 1024 * 1024)).toEqual([
    true,
    true,
    true,
    true,
  ])
})

test('another migration is shut out by the target', async () => {
  const source = await activeVault('v')
  await fill(source, 3)
  const target = await receivingVault('v')
  const copying = collect(copyDifference(source, into(target), { migration: 'other' }))
  await expect(copying).rejects.toSatisfy((error) => isVaultError(error, 'SOUP_TENURE'))
})

test('a window of objects with many links is bounded by them', async () => {
  const source = await activeVault('v')
  const target = await receivingVault('v')
  const [first] = await fill(source, 60)
  const links = Array(10_000).fill(first?.id)
  const soup: typeof source.soup = {
    ...source.soup,
    membersByKey: async (...args) => (await source.soup.membersByKey(...args)).map((member) => ({ ...member, links })),
  }
  const steps = await copy({ ...source, soup }, target)
  const windows = steps.flatMap((step) => (step.type === 'objects' ? [step.ids.length] : []))
  expect(windows).toEqual([3, 6, 13, 26, 12])
})

test('more objects than a window holds', async () => {
  const source = await activeVault('v')
  await fill(source, 6_000)
  const target = await receivingVault('v')
  const steps = await copy(source, target, 1_000)
  expect(steps.reduce((sum, step) => sum + (step.type === 'objects' ? step.ids.length : 0), 0)).toBe(6_000)
  expect(sameRoots(await statementOf(source.soup), await statementOf(target.soup))).toBe(true)
})
