import { compareBytes, concatBytes, isVaultError, type KeyTable, toHex } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_ROOT, proveAbsence, rootOfPage, setRoot } from '../src/index.ts'
import { anyKey, anyValue, hashedKeys } from './arbitrary.ts'
import type { Change } from './packed-store.ts'
import { hex, PackedStore, ZEROS } from './packed-store.ts'
import { pageOf, referenceRoot } from './reference.ts'

const put = (key: Uint8Array, value: Uint8Array = ZEROS): Change => ({ key, value })

const storeOf = (keys: readonly Uint8Array[]) => new PackedStore(keys.map((key) => ({ key })))

describe('rootOfPage', () => {
  test('is what the definition says, for any set in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyKey, anyValue), { maxLength: 60 }), (rows) => {
        const leaves = [...new Map(rows.map(([key, value]) => [toHex(key), { key, value }])).values()]
        expect(rootOfPage(pageOf(leaves))).toEqual(referenceRoot(leaves))
      }),
    )
  })

  test('has 32 zero bytes for every value of a page without values', () => {
    const page = pageOf(hashedKeys(20, 1).map((key) => ({ key, value: ZEROS })))
    expect(rootOfPage({ count: page.count, keys: page.keys })).toEqual(rootOfPage(page))
  })

  test('refuses keys that do not ascend, equal keys and wrong lengths', () => {
    const [a, b] = [hex('00'.repeat(32)), hex('01'.repeat(32))]
    expect(() => rootOfPage({ count: 2, keys: concatBytes(b, a) })).toThrow(RangeError)
    expect(() => rootOfPage({ count: 2, keys: concatBytes(a, a) })).toThrow(RangeError)
    expect(() => rootOfPage({ count: 1, keys: concatBytes(a, b) })).toThrow(RangeError)
    expect(() => rootOfPage({ count: 1, keys: a, values: concatBytes(a, b) })).toThrow(RangeError)
  })
})

describe('setRoot', () => {
  test('is EMPTY_ROOT and 0 for an empty table, as a copy', async () => {
    const { hash, count } = await setRoot(new PackedStore().view())
    expect([toHex(hash), count]).toEqual([toHex(EMPTY_ROOT), 0])
    expect(hash).not.toBe(EMPTY_ROOT)
    expect(toHex(rootOfPage({ count: 0, keys: new Uint8Array(0) }))).toBe(toHex(EMPTY_ROOT))
  })

  test('after any history, with roots asked for and kept at any moment, equals the root built anew', async () => {
    const step = fc.record({
      changes: fc.array(fc.record({ key: anyKey, value: fc.option(anyValue, { nil: undefined }) }), { maxLength: 40 }),
      many: fc.option(
        fc.record({ count: fc.integer({ min: 1, max: 400 }), seed: fc.nat(3), shared: fc.constantFrom(0, 1, 20) }),
      ),
      root: fc.boolean(),
      late: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (history) => {
        const store = new PackedStore()
        let old = store.view()
        for (const { changes, many, root, late } of history) {
          const bulk = many === null ? [] : hashedKeys(many.count, many.seed, new Uint8Array(many.shared))
          store.apply([...bulk.map((key) => put(key)), ...changes])
          if (late) await setRoot(old)
          if (root) {
            const { hash, count } = await setRoot(store.view())
            expect([toHex(hash), count]).toEqual([toHex(rootOfPage(store.page())), store.count])
          }
          old = store.view()
        }
        expect(await setRoot(store.view())).toEqual({ hash: rootOfPage(store.page()), count: store.count })
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['uniform keys', hashedKeys(20_000, 5)],
    ['30 shared bytes', hashedKeys(9_000, 6, new Uint8Array(30))],
    ['half behind 20 shared bytes', [...hashedKeys(6_000, 7), ...hashedKeys(6_000, 8, new Uint8Array(20).fill(0xff))]],
    [
      'one key for every bit',
      Array.from({ length: 256 }, (_, bit) => hex((1n << BigInt(bit)).toString(16).padStart(64, '0'))),
    ],
  ])('reads every row once from nothing and changed buckets only afterwards: %s', async (_name, keys) => {
    const store = storeOf(keys)
    const first = await setRoot(store.view({ plain: true }))
    expect(first).toEqual({ hash: rootOfPage(store.page()), count: store.count })
    expect(store.work.rows).toBeLessThanOrEqual(store.count * 1.03 + 200)

    Object.assign(store.work, { scans: 0, rows: 0, children: 0, kept: 0 })
    expect(await setRoot(store.view())).toEqual(first)
    expect(store.work.rows).toBeLessThanOrEqual(store.count > 64 ? 0 : 64)

    const sorted = [...keys].sort(compareBytes)
    store.apply([{ key: sorted[sorted.length >> 1] as Uint8Array }])
    expect((await setRoot(store.view())).hash).toEqual(rootOfPage(store.page()))
    expect(store.work.rows).toBeLessThanOrEqual(130)
    expect(store.work.children).toBeLessThanOrEqual(80)
  })

  test('keeps the children of every subtree with more than 24 keys, and of no other', async () => {
    const store = storeOf([...hashedKeys(5_000, 9), ...hashedKeys(300, 10, new Uint8Array(9))])
    await setRoot(store.view())
    const { count, keys } = store.page()
    const under = new Map<string, number>()
    for (let row = 0; row < count; row++) {
      const key = toHex(keys.subarray(row * 32, row * 32 + 32))
      for (let length = 0; length < 64; length++) {
        const prefix = key.slice(0, length)
        under.set(prefix, (under.get(prefix) ?? 0) + 1)
      }
    }
    const expected = [...under]
      .filter(([, n]) => n > 24)
      .flatMap(([prefix]) => [...'0123456789abcdef'].map((d) => prefix + d))
    expect([...store.kept.keys()].sort()).toEqual(expected.sort())
    for (const [prefix, subtree] of store.kept) expect(subtree.count).toBe(under.get(prefix) ?? 0)
  })

  test.each([
    [24, 0],
    [25, 16],
  ])('of a table of %i keys keeps %i subtrees', async (count, kept) => {
    const store = storeOf(hashedKeys(count, 15))
    await setRoot(store.view())
    await proveAbsence(store.view(), ZEROS)
    expect(store.kept.size).toBe(kept)
  })

  test('computes without keeping over a view that forgets', async () => {
    const store = storeOf(hashedKeys(3_000, 11))
    expect((await setRoot(store.view({ forgetful: true }))).hash).toEqual(rootOfPage(store.page()))
    expect(store.kept.size).toBe(0)
  })

  test('stops with the reason of the signal, before and between reads', async () => {
    const reason = new Error('enough')
    const store = storeOf(hashedKeys(5_000, 12))
    await expect(setRoot(store.view(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(store.work).toEqual({ scans: 0, rows: 0, children: 0, kept: 0 })
    const controller = new AbortController()
    const view = store.view()
    const aborting: KeyTable = {
      ...view,
      scan: (range) => {
        if (store.work.scans === 3) controller.abort(reason)
        return view.scan(range)
      },
    }
    await expect(setRoot(aborting, { signal: controller.signal })).rejects.toBe(reason)
  })

  test.each<[string, (view: KeyTable) => Partial<KeyTable>]>([
    ['rows out of order', () => ({ scan: async () => ({ count: 2, keys: concatBytes(hex('01'.repeat(32)), ZEROS) }) })],
    ['more rows than asked for', (view) => ({ scan: (range) => view.scan({ ...range, limit: range.limit + 1 }) })],
    ['rows outside the prefix', (view) => ({ scan: (range) => view.scan({ ...range, prefix: '' }) })],
    ['rows before the cursor', (view) => ({ scan: ({ prefix, limit }) => view.scan({ prefix, limit }) })],
    [
      'subtrees without end',
      () => ({ children: async () => [undefined, ...Array(15).fill({ hash: ZEROS, count: 1 })] }),
    ],
  ])('refuses a table that returns %s', async (_name, broken) => {
    const store = storeOf(hashedKeys(2_000, 13))
    await setRoot(store.view())
    store.apply(hashedKeys(100, 14).map((key) => put(key)))
    const view = store.view()
    const table = { ...view, ...broken(view) }
    await expect(setRoot(table)).rejects.toSatisfy((error) => isVaultError(error, 'MERKLE_TABLE_INVALID'))
  })
})
