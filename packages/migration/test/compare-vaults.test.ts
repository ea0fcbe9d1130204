import { decodeEntry } from '@vault/soup'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../transfer/test/memory-vault.ts'
import type { Difference, DifferenceCounts } from '../src/compare-vaults.ts'
import { compareVaults } from '../src/compare-vaults.ts'
import { move } from './move/moving.ts'
import { scene } from './move/processes.ts'
import { type MemoryPlace, put } from './move/seats.ts'

async function compared(a: MemoryPlace, b: MemoryPlace, vault: Parameters<MemoryPlace['store']['soup']>[0]) {
  const all: Difference[] = []
  const pages = compareVaults(a.store.soup(vault), b.store.soup(vault))
  let step = await pages.next()
  for (; step.done !== true; step = await pages.next()) all.push(...step.value)
  return { counts: step.value satisfies DifferenceCounts, all }
}

describe('two places of a vault', () => {
  test('are alike after a move, and their differences are named afterwards', async () => {
    const { a, b, vault } = await scene(3)
    await move(a, b, vault)
    expect(await compared(a, b, vault)).toEqual({
      all: [],
      counts: { objects: { onlyHere: 0, onlyThere: 0 }, entries: { onlyHere: 0, onlyThere: 0, different: 0 } },
    })
    const soup = b.store.soup(vault)
    const [one, two] = [rawBlock('one'), rawBlock('two')]
    await put(b, vault, [one], 'new')
    const [old] = await soup.entriesAfter({ limit: 1 })
    const { key } = decodeEntry((old as { bytes: Uint8Array }).bytes)
    await b.objects.put(two.bytes)
    const { epoch } = await soup.tenure()
    const changed = { key, type: 'path', object: two.id, fields: {} }
    await soup.commit({ epoch, objects: { add: [{ id: two.id, size: 3, links: [] }] }, entries: { put: [changed] } })
    const { all, counts } = await compared(a, b, vault)
    expect(counts).toEqual({
      objects: { onlyHere: 0, onlyThere: 2 },
      entries: { onlyHere: 0, onlyThere: 1, different: 1 },
    })
    expect(all).toHaveLength(4)
    expect(all).toEqual(
      expect.arrayContaining([
        { type: 'object', name: one.id, where: 'only-there' },
        { type: 'object', name: two.id, where: 'only-there' },
        { type: 'entry', name: 'path:new-0', where: 'only-there' },
        { type: 'entry', name: key, where: 'different' },
      ]),
    )
    const reversed = await compared(b, a, vault)
    expect(reversed.counts.objects).toEqual({ onlyHere: 2, onlyThere: 0 })
  })
})
