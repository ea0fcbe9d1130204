import { expect, test } from 'vitest'
import { sameRoots, statementOf } from '../src/index.ts'
import { activeVault, commit, fill, pathEntry, rawBlock } from './memory-vault.ts'

test('the same content has the same statement whatever its history', async () => {
  const a = await activeVault('a')
  const b = await activeVault('b')
  const blocks = [rawBlock('one'), rawBlock('two'), rawBlock('three')]
  const entries = blocks.map(({ id }, i) => pathEntry(String(i), id))
  await commit(a, blocks, entries)
  for (const [i, block] of [...blocks.entries()].reverse())
    await commit(b, [block], [entries[i] as (typeof entries)[0]])
  const [ours, theirs] = [await statementOf(a.soup), await statementOf(b.soup)]
  expect(sameRoots(ours, theirs)).toBe(true)
  expect(ours.counts).toEqual({ objects: 3, bytes: 11, entries: 3 })
  expect([ours.sequence, theirs.sequence]).toEqual([1, 3])
})

test('either root tells two vaults apart', async () => {
  const a = await activeVault('a')
  await fill(a, 10)
  const before = await statementOf(a.soup)
  await commit(a, [rawBlock('more')])
  const objects = await statementOf(a.soup)
  await commit(a, [], [pathEntry('file-0', rawBlock('more').id)])
  const entries = await statementOf(a.soup)
  expect(sameRoots(before, objects)).toBe(false)
  expect(sameRoots(objects, entries)).toBe(false)
  expect(entries.roots.objects).toBe(objects.roots.objects)
  expect(entries.roots.objects).toMatch(/^[0-9a-f]{64}$/)
})
