import { objectKey, toHex } from '@vault/core'
import { entryKey } from '@vault/soup'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffVaults } from '../src/index.ts'
import { activeVault, collect, commit, fill, pathEntry, rawBlock } from './memory-vault.ts'

const hex = (keys: readonly Uint8Array[]) => keys.map(toHex)

test('windows add up to the difference of the sets, in order, whatever their size', async () => {
  const numbers = fc.uniqueArray(fc.nat(200), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(numbers, numbers, fc.integer({ min: 1, max: 40 }), async (ours, theirs, window) => {
      const [a, b] = [await activeVault('a'), await activeVault('b')]
      for (const [vault, set, value] of [
        [a, ours, 'x'],
        [b, theirs, 'y'],
      ] as const) {
        const blocks = set.map((n) => rawBlock(`${n}`))
        const entries = set.map((n, i) => pathEntry(`${n}`, blocks[i]!.id, n % 3 === 0 ? { value } : {}))
        await commit(vault, blocks, entries)
      }
      const found = await collect(diffVaults(a.soup, b.soup, { window }))
      const of = (table: string, side: 'onlySource' | 'onlyTarget' | 'differing') =>
        found.filter((part) => part.table === table).flatMap((part) => hex(part[side]))
      const only = (left: number[], right: number[]) => left.filter((n) => !right.includes(n))
      const objectKeys = (set: number[]) => hex(set.map((n) => objectKey(rawBlock(`${n}`).id))).sort()
      const entryKeys = (set: number[]) => hex(set.map((n) => entryKey(`path:${n}`))).sort()
      expect(of('objects', 'onlySource')).toEqual(objectKeys(only(ours, theirs)))
      expect(of('objects', 'onlyTarget')).toEqual(objectKeys(only(theirs, ours)))
      expect(of('entries', 'onlySource')).toEqual(entryKeys(only(ours, theirs)))
      expect(of('entries', 'onlyTarget')).toEqual(entryKeys(only(theirs, ours)))
      const both = ours.filter((n) => theirs.includes(n) && n % 3 === 0)
      expect(of('entries', 'differing')).toEqual(entryKeys(both))
    }),
    { numRuns: 40 },
  )
})

test('equal vaults differ in nothing, and one table can be asked for alone', async () => {
  const [a, b] = [await activeVault('a'), await activeVault('b')]
  await fill(a, 50)
  await fill(b, 50)
  expect(await collect(diffVaults(a.soup, b.soup))).toEqual([])
  await commit(a, [rawBlock('more')], [pathEntry('more', rawBlock('more').id)])
  const found = await collect(diffVaults(a.soup, b.soup, { tables: ['entries'] }))
  expect(found.map(({ table, onlySource }) => [table, onlySource.length])).toEqual([['entries', 1]])
})
