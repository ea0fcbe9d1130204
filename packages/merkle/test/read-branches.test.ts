import type { KeyTable, Subtree } from '@vault/core'
import { toHex } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { BRANCH_ABOVE, type Branch, readBranches, rootOfPage, setRoot } from '../src/index.ts'
import { hashedKeys } from './arbitrary.ts'
import { PackedStore } from './packed-store.ts'

async function allBranches(table: KeyTable, limit: number): Promise<readonly Branch[]> {
  const all: Branch[] = []
  let after: string | undefined
  do {
    const { branches, next } = await readBranches(table, { limit, ...(after === undefined ? {} : { after }) })
    expect(branches.length).toBeLessThanOrEqual(limit)
    all.push(...branches)
    after = next
  } while (after !== undefined)
  return all
}

/** Computed from the rows alone. */
function expectedBranches(keys: readonly Uint8Array[]): readonly Branch[] {
  const sorted = keys.map(toHex).sort()
  const subtree = (prefix: string): Subtree => {
    const under = sorted.filter((key) => key.startsWith(prefix))
    const bytes = Uint8Array.from(Buffer.from(under.join(''), 'hex'))
    return { hash: rootOfPage({ count: under.length, keys: bytes }), count: under.length }
  }
  const below = (prefix: string): readonly Branch[] => {
    if (subtree(prefix).count <= BRANCH_ABOVE) return []
    const digits = [...'0123456789abcdef']
    const children = digits.map((digit) => subtree(prefix + digit))
    return [{ prefix, children }, ...digits.flatMap((digit) => below(prefix + digit))]
  }
  return below('')
}

describe('readBranches', () => {
  test.for<[string, readonly Uint8Array[]]>([
    ['no keys', []],
    ['64 keys', hashedKeys(64, 1)],
    ['65 keys', hashedKeys(65, 1)],
    ['3,000 keys', hashedKeys(3_000, 2)],
    ['keys behind 3 shared bytes and others', [...hashedKeys(300, 3, new Uint8Array(3)), ...hashedKeys(200, 4)]],
  ])('gives every branch, in order, for pages of any size: %s', async ([, keys]) => {
    const expected = expectedBranches(keys)
    for (const limit of [1, 2, 7, 10_000]) {
      const fresh = new PackedStore(keys.map((key) => ({ key }))).view()
      expect(await allBranches(fresh, limit)).toEqual(expected)
      const rooted = new PackedStore(keys.map((key) => ({ key })))
      await setRoot(rooted.view())
      expect(await allBranches(rooted.view(), limit)).toEqual(expected)
    }
  })

  test('gives subtrees that setRoot has a table keep, and reads no row where it has', async () => {
    const store = new PackedStore(hashedKeys(5_000, 5).map((key) => ({ key })))
    await setRoot(store.view())
    store.work.rows = 0
    const branches = await allBranches(store.view(), 100)
    expect(branches.length).toBeGreaterThan(16)
    for (const { prefix, children } of branches) {
      for (const [i, child] of children.entries()) expect(child).toEqual(store.kept.get(prefix + i.toString(16)))
    }
    expect(store.work.rows).toBe(0)
  })

  test('refuses a limit that is none', async () => {
    await expect(readBranches(new PackedStore().view(), { limit: 0 })).rejects.toThrow(RangeError)
  })
})
