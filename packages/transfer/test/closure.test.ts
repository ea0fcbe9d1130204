import type { ContentId } from '@vault/core'
import { expect, test } from 'vitest'
import { closureOf } from '../src/index.ts'
import { activeVault, collect, commit, linkingBlock, rawBlock } from './memory-vault.ts'

function expectLinksFirst(
  windows: readonly (readonly ContentId[])[],
  links: ReadonlyMap<ContentId, readonly ContentId[]>,
) {
  const seen = new Set<ContentId>()
  for (const window of windows) {
    for (const id of window) seen.add(id)
    for (const id of window) for (const part of links.get(id) ?? []) expect(seen.has(part)).toBe(true)
  }
}

test('names everything that is linked to, links first', async () => {
  const vault = await activeVault('v')
  const leaves = Array.from({ length: 18_000 }, (_, i) => rawBlock(`${i}`))
  const nodes = Array.from({ length: 20 }, (_, i) =>
    linkingBlock(
      `${i}`,
      leaves.slice(i * 900, (i + 1) * 900).map(({ id }) => id),
    ),
  )
  const ids = nodes.map(({ id }) => id)
  const root = linkingBlock('root', [...ids, leaves[0]!.id])
  await commit(vault, [...leaves, ...nodes, root])
  const windows = await collect(closureOf(vault.soup, [root.id]))
  expect(new Set(windows.flat()).size).toBe(18_021)
  expect(windows.length).toBeGreaterThan(1)
  const links = new Map((await vault.soup.members({ limit: 30_000 })).map((member) => [member.id, member.links]))
  expectLinksFirst(windows, links)
})

test('a ladder of diamonds is walked once, and a node that is its own uncle comes in order', async () => {
  const vault = await activeVault('v')
  let below = [rawBlock('ground')]
  const all = [...below]
  for (let rung = 0; rung < 40; rung++) {
    const ids = below.map(({ id }) => id)
    below = [linkingBlock(`a${rung}`, ids), linkingBlock(`b${rung}`, ids)]
    all.push(...below)
  }
  const [a, b] = below as [(typeof all)[0], (typeof all)[0]]
  const uncle = linkingBlock('uncle', [linkingBlock('nephew', [a.id]).id, a.id, b.id])
  await commit(vault, [...all, linkingBlock('nephew', [a.id]), uncle])
  const windows = await collect(closureOf(vault.soup, [uncle.id]))
  expect(new Set(windows.flat()).size).toBe(all.length + 2)
  const links = new Map((await vault.soup.members({ limit: 1_000 })).map((member) => [member.id, member.links]))
  expectLinksFirst(windows, links)
})

test('a ladder of diamonds is walked once across windows too', async () => {
  const vault = await activeVault('v')
  const size = 64 * 1024 * 1024
  let below = [rawBlock('ground').id]
  const add = [{ id: below[0]!, size, links: [] as ContentId[] }]
  for (let rung = 0; rung < 16; rung++) {
    const links = below
    below = [linkingBlock(`a${rung}`, links).id, linkingBlock(`b${rung}`, links).id]
    add.push(...below.map((id) => ({ id, size, links })))
  }
  await vault.soup.commit({ epoch: 0, objects: { add } })
  const windows = await collect(closureOf(vault.soup, below))
  expect(windows.length).toBeGreaterThan(10)
  expect(new Set(windows.flat()).size).toBe(33)
  expect(windows.flat().length).toBeLessThan(66)
})

test('what is settled is left out with all that it links to', async () => {
  const vault = await activeVault('v')
  const leaf = rawBlock('leaf')
  const known = linkingBlock('known', [leaf.id])
  const other = rawBlock('other')
  const root = linkingBlock('root', [known.id, other.id])
  await commit(vault, [leaf, known, other, root])
  const settled = async (ids: readonly ContentId[]) => ids.map((id) => id === known.id)
  const windows = await collect(closureOf(vault.soup, [root.id], { settled }))
  expect(new Set(windows.flat())).toEqual(new Set([other.id, root.id]))
})

test('a chain of links deeper than calls can be', async () => {
  const vault = await activeVault('v')
  const chain = [rawBlock('end')]
  for (let i = 0; i < 5_000; i++) chain.push(linkingBlock(`${i}`, [chain.at(-1)!.id]))
  await commit(vault, chain)
  const windows = await collect(closureOf(vault.soup, [chain.at(-1)!.id]))
  expect(windows.flat()).toEqual(chain.map(({ id }) => id))
})
