import { decodeEntry, type Entry, entryKey } from '@vault/soup'
import { expect, test } from 'vitest'
import { copyEntries, type EntryTarget, removeEntries } from '../src/index.ts'
import type { MemoryVault } from './memory-vault.ts'
import { activeVault, collect, fill, receivingVault } from './memory-vault.ts'

const options = { migration: 'm' }
const into = ({ soup }: MemoryVault): EntryTarget => ({ soup, intake: soup })
const policy = (value: number): Entry => ({ key: 'policy', type: 'policy', fields: { value } })

async function pair() {
  return { source: await activeVault('v'), target: await receivingVault('v') }
}

async function keysOf({ soup }: MemoryVault) {
  return (await soup.entriesAfter({ limit: 100_000 })).map(({ key }) => key)
}

test('copies entries in their own bytes and counts them', async () => {
  const { source, target } = await pair()
  await fill(source, 3_000)
  const steps = await collect(copyEntries(source.soup, into(target), await keysOf(source), options))
  expect(steps.reduce((sum, { entries }) => sum + entries, 0)).toBe(3_000)
  const limit = 5_000
  expect(await target.soup.entriesAfter({ limit })).toEqual(await source.soup.entriesAfter({ limit }))
})

test('earlier versions come along, once, and a later run brings only the new ones', async () => {
  const { source, target } = await pair()
  for (let value = 0; value < 5; value++) await source.soup.commit({ epoch: 0, entries: { put: [policy(value)] } })
  const keys = [entryKey('policy')]
  const [first] = await collect(copyEntries(source.soup, into(target), keys, options))
  expect(first).toMatchObject({ entries: 1, versions: 4 })
  expect(await collect(target.soup.history('policy'))).toEqual(await collect(source.soup.history('policy')))
  for (let value = 5; value < 8; value++) await source.soup.commit({ epoch: 0, entries: { put: [policy(value)] } })
  const [second] = await collect(copyEntries(source.soup, into(target), keys, options))
  expect(second).toMatchObject({ entries: 1, versions: 3 })
  expect(await collect(target.soup.history('policy'))).toEqual(await collect(source.soup.history('policy')))
})

test('a crash among the versions leaves nothing that a later run takes for whole', async () => {
  const { source, target } = await pair()
  const count = 1_500
  for (let value = 0; value < count; value++) await source.soup.commit({ epoch: 0, entries: { put: [policy(value)] } })
  let calls = 0
  const intake: EntryTarget['intake'] = {
    async receive(batch, o) {
      if (++calls === 2) throw new Error('crash')
      return target.soup.receive(batch, o)
    },
  }
  const keys = [entryKey('policy')]
  const crashing = collect(copyEntries(source.soup, { soup: target.soup, intake }, keys, options))
  await expect(crashing).rejects.toThrow('crash')
  expect(await target.soup.entry('policy')).toBeUndefined()
  const steps = await collect(copyEntries(source.soup, into(target), keys, options))
  expect(steps).toMatchObject([{ entries: 1, versions: count - 1 - 1_024 }])
  expect(await collect(target.soup.history('policy'))).toHaveLength(count - 1)
})

test('a version that is not what its id names is refused', async () => {
  const { source, target } = await pair()
  for (const value of [1, 2]) await source.soup.commit({ epoch: 0, entries: { put: [policy(value)] } })
  const [row] = await source.soup.entriesByKey([entryKey('policy')])
  const soup = { ...source.soup, version: async () => row!.bytes }
  const copying = collect(copyEntries(soup, into(target), [entryKey('policy')], options))
  await expect(copying).rejects.toMatchObject({ code: 'TRANSFER_ENTRY_REFUSED' })
  expect(await target.soup.entry('policy')).toBeUndefined()
})

test('a target that gives back something else is refused by name', async () => {
  const { source, target } = await pair()
  await fill(source, 10)
  const soup: EntryTarget['soup'] = {
    ...target.soup,
    async entriesByKey(keys, o) {
      const rows = await target.soup.entriesByKey(keys, o)
      return rows.map((row, i) => (i === 4 ? { ...row, bytes: rows[0]!.bytes } : row))
    },
  }
  const keys = await keysOf(source)
  const [, , , , fifth] = await source.soup.entriesByKey(keys)
  const copying = collect(copyEntries(source.soup, { soup, intake: target.soup }, keys, options))
  await expect(copying).rejects.toMatchObject({
    code: 'TRANSFER_ENTRY_REFUSED',
    details: { key: decodeEntry(fifth!.bytes).key },
  })
})

test('a target that forgets an entry is refused', async () => {
  const { source, target } = await pair()
  await fill(source, 3)
  const intake: EntryTarget['intake'] = {
    receive: (batch, o) => target.soup.receive({ ...batch, entries: { put: batch.entries?.put?.slice(1) ?? [] } }, o),
  }
  const copying = collect(copyEntries(source.soup, { soup: target.soup, intake }, await keysOf(source), options))
  await expect(copying).rejects.toMatchObject({ code: 'TRANSFER_ENTRY_REFUSED' })
})

test('removes by table key', async () => {
  const { source, target } = await pair()
  await fill(source, 5)
  await collect(copyEntries(source.soup, into(target), await keysOf(source), options))
  const removed = await collect(removeEntries(into(target), [entryKey('path:file-1'), entryKey('path:gone')], options))
  expect(removed).toEqual([['path:file-1']])
  expect(await target.soup.entry('path:file-1')).toBeUndefined()
  expect(await keysOf(target)).toHaveLength(4)
})
