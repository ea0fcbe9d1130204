import type { ContentId } from '@vault/core'
import { statementOf } from '@vault/transfer'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { expectSound, move } from './moving.ts'
import { found, memoryPlace, put, testClock, trailAt } from './seats.ts'

async function twoPlaces() {
  const clock = testClock()
  const [a, b] = [memoryPlace('A', 1, clock), memoryPlace('B', 2, clock)]
  const vault: ContentId = await found(a)
  await put(
    a,
    vault,
    Array.from({ length: 12 }, (_, i) => rawBlock(`content ${i}`)),
  )
  return { a, b, vault, roots: (await statementOf(a.store.soup(vault))).roots }
}

describe('a move', () => {
  test('ends with one active place, the same roots and one trail', async () => {
    const { a, b, vault, roots } = await twoPlaces()
    const state = await move(a, b, vault)
    expect(state.phase).toBe('complete')
    expect(await expectSound([a, b], vault, roots)).toBe(b)
    expect((await a.store.tenures.read(vault)).state).toBe('retired')
    const verbs: string[] = []
    for await (const page of (await trailAt(b, vault)).entries())
      for (const { index, entry } of page) {
        verbs.push(entry.action.verb)
        if (entry.action.verb === 'migration-audit') expect(entry.action.parameters).toMatchObject({ entries: index })
      }
    expect(verbs).toEqual([
      'migration-authorized',
      'migration-start',
      'object-transferred',
      'object-transferred',
      'key-transition',
      'migration-audit',
      'handoff',
      'migration-complete',
    ])
  })

  test('goes back the same way, again and again', async () => {
    const { a, b, vault } = await twoPlaces()
    await move(a, b, vault)
    await put(b, vault, [rawBlock('new at B')], 'new')
    await move(b, a, vault)
    await put(a, vault, [rawBlock('new at A')], 'newer')
    const { roots } = await statementOf(a.store.soup(vault))
    await move(a, b, vault)
    expect(await expectSound([a, b], vault, roots)).toBe(b)
    expect((await b.store.tenures.read(vault)).epoch).toBe(3)
  })
})
