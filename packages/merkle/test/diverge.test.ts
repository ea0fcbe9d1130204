import type { Bytes, DistantTable, KeyTable } from '@vault/core'
import { compareBytes, equalBytes, isVaultError, toHex } from '@vault/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Divergence } from '../src/index.ts'
import { diverge, rootOfPage, setRoot, spanDifferences } from '../src/index.ts'
import { anyKey, anyValue, hashedKeys } from './arbitrary.ts'
import { PackedStore, ZEROS } from './packed-store.ts'

const hashed = vi.hoisted(() => ({ count: 0 }))
vi.mock('@vault/core', async (original) => {
  const core = await original<typeof import('@vault/core')>()
  return {
    ...core,
    hashBytes: (...input: Parameters<typeof core.hashBytes>) => {
      hashed.count++
      return core.hashBytes(...input)
    },
  }
})
beforeEach(() => {
  hashed.count = 0
})

const storeOf = (keys: readonly Uint8Array[]) => new PackedStore(keys.map((key) => ({ key })))
const texts = ({ onlyA, onlyB, differing }: Divergence) => [onlyA, onlyB, differing].map((keys) => keys.map(toHex))

/** All windows joined; fresh views for each. Also checks what every window owes. */
async function allOf(
  a: () => KeyTable,
  b: () => KeyTable,
  limit: number,
): Promise<{ lists: string[][]; windows: number }> {
  const lists: string[][] = [[], [], []]
  let [after, windows]: [Bytes | undefined, number] = [undefined, 0]
  do {
    const window = await diverge(a(), b(), { limit, ...(after && { after }) })
    windows++
    const found = texts(window)
    const keys = found.flat().sort()
    expect(keys.length).toBeLessThanOrEqual(limit)
    if (window.next !== undefined) expect([keys.length, keys.at(-1)]).toEqual([limit, toHex(window.next)])
    if (after !== undefined) for (const key of keys) expect(key > toHex(after)).toBe(true)
    for (const [i, list] of found.entries()) lists[i]?.push(...list)
    after = window.next
  } while (after !== undefined)
  return { lists, windows }
}

function expectedOf(a: PackedStore, b: PackedStore): string[][] {
  const [ofA, ofB] = [a, b].map((store) => {
    const { count, keys, values } = store.page()
    const at = (bytes: Uint8Array | undefined, row: number) => toHex(bytes?.subarray(row * 32, row * 32 + 32) ?? ZEROS)
    return new Map(Array.from({ length: count }, (_, row) => [at(keys, row), at(values, row)]))
  }) as [Map<string, string>, Map<string, string>]
  return [
    [...ofA.keys()].filter((key) => !ofB.has(key)),
    [...ofB.keys()].filter((key) => !ofA.has(key)),
    [...ofA].filter(([key, value]) => ofB.has(key) && ofB.get(key) !== value).map(([key]) => key),
  ]
}

/** The table as one that is far away: it is told what the other one has. Counts the questions and what they are about. */
function distant(table: KeyTable, asked = { questions: 0, spans: 0, rows: 0 }): DistantTable {
  return {
    scan: (range, options) => table.scan(range, options),
    children: () => Promise.reject(new Error('It is not read node by node.')),
    keep: (subtrees, options) => table.keep(subtrees, options),
    async differences(spans, options) {
      asked.questions++
      asked.spans += spans.length
      const stated = spans.map(({ prefix, children }) => ({
        prefix,
        isSame: (digit: number, { hash }: { readonly hash: Bytes }) => equalBytes(hash, children[digit]?.hash as Bytes),
      }))
      const answers = await spanDifferences(table, stated, options)
      for (const page of answers.flatMap(({ rows }) => rows)) asked.rows += page?.count ?? 0
      return answers
    },
  }
}

describe('diverge', () => {
  test('is the difference of the sets, in windows of any size, whatever is kept on either side', async () => {
    const rows = fc.array(fc.tuple(anyKey, anyValue), { maxLength: 60 })
    const bulk = fc.record({
      count: fc.constantFrom(0, 50, 300, 1_500),
      shared: fc.constantFrom(0, 2, 20),
      drop: fc.constantFrom(1, 2, 7, 100),
    })
    const keeping = fc.constantFrom('none', 'old', 'all', 'forgetful')
    await fc.assert(
      fc.asyncProperty(
        rows,
        rows,
        bulk,
        keeping,
        keeping,
        fc.constantFrom(1, 3, 64, 100_000),
        fc.constantFrom('neither', 'a', 'b'),
        async (x, y, common, keepA, keepB, limit, far) => {
          const keys = hashedKeys(common.count, 1, new Uint8Array(common.shared))
          const a = storeOf(keys)
          const b = storeOf(keys.filter((_, i) => i % common.drop !== 0))
          if (keepA === 'old') await setRoot(a.view())
          if (keepB === 'old') await setRoot(b.view())
          a.apply(x.map(([key, value]) => ({ key, value })))
          b.apply(y.map(([key, value]) => ({ key, value })))
          if (keepA === 'all') await setRoot(a.view())
          if (keepB === 'all') await setRoot(b.view())
          const viewOf = (store: PackedStore, isForgetful: boolean, isFar: boolean) => () => {
            const view = store.view({ forgetful: isForgetful })
            return isFar ? distant(view) : view
          }
          const views = [
            viewOf(a, keepA === 'forgetful', far === 'a'),
            viewOf(b, keepB === 'forgetful', far === 'b'),
          ] as const
          const expected = expectedOf(a, b)
          const wanted = Math.max(limit, Math.ceil(expected.flat().length / 20))
          const { lists, windows } = await allOf(...views, wanted)
          expect(lists).toEqual(expected)
          expect(windows).toBe(Math.max(1, Math.ceil(expected.flat().length / wanted)))
          // What was kept on the way is right.
          for (const store of [a, b]) expect((await setRoot(store.view())).hash).toEqual(rootOfPage(store.page()))
        },
      ),
      { numRuns: 45 },
    )
  })

  test('asks a table that is far away once for each level of the tree, and has it give few rows', async () => {
    const keys = hashedKeys(20_000, 3)
    const [a, b] = [storeOf(keys), storeOf(keys)]
    a.apply(hashedKeys(100, 4).map((key) => ({ key, value: ZEROS })))
    await setRoot(a.view())
    await setRoot(b.view())
    const asked = { questions: 0, spans: 0, rows: 0 }
    const found = await diverge(a.view(), distant(b.view(), asked), { limit: 65_536 })
    expect([found.onlyA.length, found.onlyB.length, found.differing.length]).toEqual([100, 0, 0])
    expect(asked.questions).toBeLessThanOrEqual(5)
    expect(asked.spans).toBeLessThanOrEqual(1 + 16 + 3 * 100)
    expect(asked.rows).toBeLessThanOrEqual(8 * 100)
  })

  test('refuses what a table that is far away cannot have', async () => {
    const keys = hashedKeys(2_000, 5)
    const a = storeOf(keys)
    const b = storeOf(keys.slice(1))
    const saying = (differences: DistantTable['differences']): DistantTable => ({ ...distant(b.view()), differences })
    const from = (differences: DistantTable['differences']) => diverge(a.view(), saying(differences), { limit: 10 })
    const refused = { code: 'MERKLE_TABLE_INVALID' }
    await expect(from(async () => [])).rejects.toMatchObject(refused)
    await expect(from(async (spans) => spans.map(() => ({ digits: [16], rows: [] })))).rejects.toMatchObject(refused)
    // That everything differs, and no rows: it is asked ever deeper, and not for ever.
    await expect(from(async (spans) => spans.map(() => ({ digits: [0], rows: [] })))).resolves.toBeDefined()
    const foreign = { count: 1, keys: new Uint8Array(32).fill(255) }
    const shallow = storeOf(keys.slice(0, 40)).view()
    const lying = saying(async () => [{ digits: [0], rows: [foreign] }])
    await expect(diverge(shallow, lying, { limit: 10 })).rejects.toMatchObject(refused)
  })

  test('costs what differs where subtrees are kept', async () => {
    const keys = hashedKeys(15_000, 2)
    const a = storeOf(keys)
    const b = storeOf(keys)
    b.apply(keys.slice(0, 5).map((key) => ({ key })))
    a.apply(keys.slice(5, 10).map((key) => ({ key, value: new Uint8Array(32).fill(1) })))
    await setRoot(a.view())
    await setRoot(b.view())
    Object.assign(a.work, { scans: 0, rows: 0, children: 0, kept: 0 })
    hashed.count = 0
    const found = await diverge(a.view(), b.view(), { limit: 100 })
    expect([found.onlyA.length, found.onlyB.length, found.differing.length]).toEqual([5, 0, 5])
    expect(a.work.rows).toBeLessThanOrEqual(10 * 64)
    expect(a.work.children).toBeLessThanOrEqual(10 * 4)
    // Only where one side has more than 64 keys, and so has kept what lies below, and the other has not.
    expect(hashed.count).toBeLessThanOrEqual(10 * 2 * 64)
    expect(await diverge(a.view(), a.view(), { limit: 1 })).toEqual({ onlyA: [], onlyB: [], differing: [] })
  })

  test('reads what changed at this end twice at most before it asks the other one for what lies there', async () => {
    const keys = hashedKeys(15_000, 7)
    const [a, b] = [storeOf(keys), storeOf(keys)]
    await setRoot(a.view())
    await setRoot(b.view())
    a.apply(keys.slice(0, 50).map((key) => ({ key, value: new Uint8Array(32).fill(1) })))
    Object.assign(a.work, { scans: 0, rows: 0, children: 0, kept: 0 })
    const found = await diverge(a.view(), distant(b.view()), { limit: 100 })
    expect(found.differing.length).toBe(50)
    // To hash it, whatever number of levels lie above it, and for its rows; and one look whether there is any.
    expect(a.work.scans).toBeLessThanOrEqual(1 + 2 * 50)
  })

  test('keeps what was hashed at this end before the other one is asked', async () => {
    const keys = hashedKeys(3_000, 8)
    const [a, b] = [storeOf(keys), storeOf(keys.slice(1))]
    const differences = () => Promise.reject(new Error('away'))
    const away: DistantTable = { ...distant(b.view()), differences }
    await expect(diverge(a.view(), away, { limit: 1 })).rejects.toThrow('away')
    expect(a.kept.size).toBeGreaterThan(16)
  })

  test('hashes and keeps the buckets that changed, and no others', async () => {
    const keys = hashedKeys(15_000, 3)
    const [a, b] = [storeOf(keys), storeOf(keys)]
    await setRoot(a.view())
    await setRoot(b.view())
    const kept = a.kept.size
    a.apply(keys.slice(0, 20).map((key) => ({ key })))
    a.apply(keys.slice(0, 20).map((key) => ({ key, value: ZEROS })))
    expect(a.kept.size).toBeLessThan(kept)
    hashed.count = 0
    expect((await diverge(a.view(), b.view(), { limit: 9 })).onlyA).toEqual([])
    expect(hashed.count).toBeLessThanOrEqual(20 * 2 * 64)
    hashed.count = 0
    expect((await diverge(a.view(), b.view(), { limit: 9 })).onlyA).toEqual([])
    expect(hashed.count).toBe(0)
  })

  test('hashes nothing and reads one side once where the other is empty', async () => {
    const keys = hashedKeys(20_000, 4)
    for (const kept of [false, true]) {
      const full = storeOf(keys)
      if (kept) await setRoot(full.view())
      for (const [a, b] of [
        [full, new PackedStore()],
        [new PackedStore(), full],
      ] as const) {
        Object.assign(full.work, { scans: 0, rows: 0, children: 0, kept: 0 })
        hashed.count = 0
        const { lists, windows } = await allOf(
          () => a.view(),
          () => b.view(),
          6_000,
        )
        expect(lists[a === full ? 0 : 1]).toEqual([...keys].sort(compareBytes).map(toHex))
        expect([windows, hashed.count]).toEqual([4, 0])
        // Windows begin inside a prefix: one row beyond each, and one look at the side that is not known to be full.
        expect(full.work.rows).toBeLessThanOrEqual(keys.length + 4 * 5 * 257)
      }
    }
  })

  test('goes on after a cursor without looking at what lies before it', async () => {
    const keys = hashedKeys(20_000, 5).sort(compareBytes)
    const [a, b] = [storeOf(keys), storeOf(keys.filter((_, i) => i % 2 === 0))]
    await setRoot(a.view())
    await setRoot(b.view())
    Object.assign(a.work, { scans: 0, rows: 0, children: 0, kept: 0 })
    const { onlyA, next } = await diverge(a.view(), b.view(), { limit: 1_000, after: keys.at(-11) as Bytes })
    expect([onlyA.map(toHex), next]).toEqual([
      keys
        .slice(-10)
        .filter((_, i) => i % 2 === 1)
        .map(toHex),
      undefined,
    ])
    expect(a.work.rows).toBeLessThan(200)
  })

  test('says so where a kept subtree is not that of the rows, instead of finding no difference for ever', async () => {
    const keys = hashedKeys(3_000, 6)
    const [a, b] = [storeOf(keys), storeOf(keys)]
    await setRoot(a.view())
    await setRoot(b.view())
    const refuse = async () => {
      const outcome = diverge(a.view(), b.view(), { limit: 10 })
      await expect(outcome).rejects.toSatisfy((error) => isVaultError(error, 'MERKLE_TABLE_INVALID'))
    }
    for (const prefix of ['a', 'a5']) {
      a.kept.set(prefix, { hash: ZEROS, count: a.kept.get(prefix)?.count ?? 0 })
      await refuse()
      a.kept.delete(prefix)
    }
    // A wrong count is found although there is a difference as well.
    a.kept.set('a5', { hash: ZEROS, count: 1 })
    b.apply(
      keys
        .filter((key) => key[0] === 0xa5)
        .slice(0, 1)
        .map((key) => ({ key })),
    )
    await refuse()
  })

  test("refuses a caller's mistakes and stops with the reason of the signal", async () => {
    const view = storeOf(hashedKeys(10, 7)).view()
    await expect(diverge(view, view, { limit: 0 })).rejects.toThrow(RangeError)
    await expect(diverge(view, view, { limit: 1, after: new Uint8Array(31) })).rejects.toThrow(RangeError)
    const reason = new Error('enough')
    await expect(diverge(view, view, { limit: 1, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
