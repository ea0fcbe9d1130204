import type { Bytes } from '@vault/core'
import { concatBytes, isVaultError, toHex, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogNode, LogNodes } from '../src/index.ts'
import {
  createLogEdge,
  EMPTY_ROOT,
  leafHash,
  loadLogEdge,
  logRoot,
  nodeHash,
  proveConsistency,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
} from '../src/index.ts'
import { MemoryNodes, SparseNodes } from './log-nodes.ts'
import { auditPath, consistencyProof, sha256, treeHash } from './log-reference.ts'
import { hex } from './packed-store.ts'

const MAX = Number.MAX_SAFE_INTEGER
const LARGEST = 600
const data = Array.from({ length: LARGEST }, (_, i) => utf8(`leaf ${i}`))
const leaves = data.map((leaf) => leafHash(leaf))
const nodes = new MemoryNodes(data)
const roots = Array.from({ length: LARGEST + 1 }, (_, size) => treeHash(data.slice(0, size)))
const rootOf = (size: number) => roots[size] as Bytes

type Inclusion = Parameters<typeof verifyInclusion>[0]
type Consistency = Parameters<typeof verifyConsistency>[0]

/** Whether a proof holds; anything thrown but `MERKLE_PROOF_INVALID` is a failure. */
function holds(claim: Inclusion | Consistency, proof: readonly Uint8Array[]): boolean {
  try {
    if ('index' in claim) verifyInclusion(claim, proof)
    else verifyConsistency(claim, proof)
    return true
  } catch (error) {
    expect(isVaultError(error, 'MERKLE_PROOF_INVALID') ? 'MERKLE_PROOF_INVALID' : error).toBe('MERKLE_PROOF_INVALID')
    return false
  }
}

function flip(bytes: Uint8Array, bit: number): Bytes {
  const copy = new Uint8Array(bytes)
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (0x80 >> (bit & 7))
  return copy
}

/** Every proof that differs from this one in one hash: a bit of it, its length, its absence, its place, or one more. */
function mutations(proof: readonly Uint8Array[], bit: number): Uint8Array[][] {
  const changed = proof.flatMap((hash, i) => [
    proof.with(i, flip(hash, bit)),
    proof.with(i, hash.subarray(0, 31)),
    proof.with(i, concatBytes(hash, new Uint8Array(1))),
    proof.toSpliced(i, 1),
    proof.toSpliced(i, 0, hash),
    ...(i > 0 ? [proof.with(i, proof[i - 1] as Uint8Array).with(i - 1, hash)] : []),
  ])
  return [
    ...changed,
    [...proof, new Uint8Array(32)],
    [new Uint8Array(32), ...proof],
    [...proof, EMPTY_ROOT, EMPTY_ROOT],
  ]
}

const anySize = fc.integer({ min: 1, max: LARGEST })
/** Two numbers of which the first is at most the second. */
const anyRange = fc.tuple(fc.nat(LARGEST), fc.nat(LARGEST)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
const anyLeaf = anySize.chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }))
const anyBit = fc.nat(255)

describe('the eight leaves that implementations of RFC 6962 are tested with', () => {
  const eight = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map(hex)
  const eightNodes = new MemoryNodes(eight)
  const known = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]

  test('have the published roots', async () => {
    const edge = createLogEdge(0, [])
    for (const [size, root] of known.entries()) {
      expect(toHex(treeHash(eight.slice(0, size)))).toBe(root)
      expect(toHex(await logRoot(eightNodes, size))).toBe(root)
      expect(toHex(edge.root())).toBe(root)
      if (size < 8) edge.append(leafHash(eight[size] as Bytes))
    }
  })

  test('have the proofs of the recursive definition', async () => {
    for (let size = 1; size <= 8; size++) {
      const some = eight.slice(0, size)
      for (let index = 0; index < size; index++) {
        expect(await proveInclusion(eightNodes, { index, size })).toEqual(auditPath(index, some))
        expect(await proveConsistency(eightNodes, { from: index + 1, to: size })).toEqual(
          consistencyProof(index + 1, some),
        )
      }
    }
  })
})

describe('hashes', () => {
  test('are prefixed SHA-256 over any length', () => {
    for (const length of [0, 1, 63, 64, 65, 65_535]) {
      const bytes = new Uint8Array(length).fill(7)
      expect(leafHash(bytes)).toEqual(sha256(new Uint8Array([0]), bytes))
    }
    const [left, right] = [sha256(), sha256(new Uint8Array(1))]
    expect(nodeHash(left, right)).toEqual(sha256(new Uint8Array([1]), left, right))
  })

  test('of other lengths are no nodes', () => {
    for (const length of [0, 31, 33]) {
      expect(() => nodeHash(new Uint8Array(length), EMPTY_ROOT)).toThrow(RangeError)
      expect(() => nodeHash(EMPTY_ROOT, new Uint8Array(length))).toThrow(RangeError)
    }
  })
})

describe('roots', () => {
  test(`of every size up to ${LARGEST} are those of the recursive definition`, async () => {
    const edge = createLogEdge(0, [])
    for (let size = 0; size <= LARGEST; size++) {
      expect([edge.size, toHex(edge.root())]).toEqual([size, toHex(rootOf(size))])
      expect(toHex(await logRoot(nodes, size))).toBe(toHex(rootOf(size)))
      if (size < LARGEST) edge.append(leaves[size] as Bytes)
    }
  })

  test('of any leaves, whatever their number and content, are those of the recursive definition', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 80 }), async (some) => {
        const edge = createLogEdge(0, [])
        for (const leaf of some) edge.append(leafHash(leaf))
        const root = toHex(treeHash(some))
        expect([toHex(edge.root()), toHex(await logRoot(new MemoryNodes(some), some.length))]).toEqual([root, root])
      }),
    )
  })
})

describe('proofs', () => {
  test('are those of the recursive definition, come from one read, and hold', async () => {
    await fc.assert(
      fc.asyncProperty(anyLeaf, anyRange, async ({ index, size }, [from, to]) => {
        nodes.reads = 0
        const inclusion = await proveInclusion(nodes, { index, size })
        expect(nodes.reads).toBe(size === 1 ? 0 : 1)
        expect(inclusion).toEqual(auditPath(index, data.slice(0, size)))
        expect(holds({ index, size, leaf: leaves[index] as Bytes, root: rootOf(size) }, inclusion)).toBe(true)

        nodes.reads = 0
        const consistency = await proveConsistency(nodes, { from, to })
        expect(nodes.reads).toBe(from === 0 || from === to ? 0 : 1)
        if (from > 0) expect(consistency).toEqual(consistencyProof(from, data.slice(0, to)))
        expect(holds({ from, to, fromRoot: rootOf(from), toRoot: rootOf(to) }, consistency)).toBe(true)
      }),
    )
  })

  test('of every leaf and every growth of the first 33 sizes hold, and for no other leaf and size', async () => {
    for (let size = 1; size <= 33; size++) {
      for (let index = 0; index < size; index++) {
        const claim = { index, size, leaf: leaves[index] as Bytes, root: rootOf(size) }
        const inclusion = await proveInclusion(nodes, { index, size })
        expect(holds(claim, inclusion)).toBe(true)
        for (let other = 0; other <= size; other++) {
          if (other !== index) expect(holds({ ...claim, index: other }, inclusion)).toBe(false)
        }
        const growth = { from: index, to: size, fromRoot: rootOf(index), toRoot: rootOf(size) }
        const consistency = await proveConsistency(nodes, { from: index, to: size })
        expect(holds(growth, consistency)).toBe(true)
        for (let other = 0; other <= size; other++) {
          if (other !== index) expect(holds({ ...growth, from: other }, consistency)).toBe(false)
        }
      }
    }
  })

  test('of inclusion fail with one hash changed, and for another leaf, index, size or root', async () => {
    await fc.assert(
      fc.asyncProperty(anyLeaf, anyBit, anyLeaf, async ({ index, size }, bit, other) => {
        const claim = { index, size, leaf: leaves[index] as Bytes, root: rootOf(size) }
        const proof = await proveInclusion(nodes, { index, size })
        for (const mutated of mutations(proof, bit)) expect(holds(claim, mutated)).toBe(false)
        for (const wrong of [
          { ...claim, leaf: flip(claim.leaf, bit) },
          { ...claim, leaf: claim.leaf.subarray(0, 31) },
          { ...claim, leaf: concatBytes(claim.leaf, new Uint8Array(1)) },
          { ...claim, root: flip(claim.root, bit) },
          { ...claim, root: claim.root.subarray(1) },
          ...(other.index === index
            ? []
            : [
                { ...claim, index: other.index },
                { ...claim, leaf: leaves[other.index] as Bytes },
              ]),
          ...(other.size === size ? [] : [{ ...claim, root: rootOf(other.size) }]),
        ]) {
          expect(holds(wrong, proof)).toBe(false)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('of consistency fail with one hash changed, and for another size or root', async () => {
    await fc.assert(
      fc.asyncProperty(anyRange, anyBit, fc.nat(LARGEST), async ([from, to], bit, other) => {
        const claim = { from, to, fromRoot: rootOf(from), toRoot: rootOf(to) }
        const proof = await proveConsistency(nodes, { from, to })
        for (const mutated of mutations(proof, bit)) expect(holds(claim, mutated)).toBe(false)
        const wrong: Consistency[] = [
          { ...claim, fromRoot: flip(claim.fromRoot, bit) },
          { ...claim, fromRoot: claim.fromRoot.subarray(1) },
          { ...claim, toRoot: claim.toRoot.subarray(1) },
        ]
        // Of a log that began empty, nothing is said.
        if (from > 0) wrong.push({ ...claim, toRoot: flip(claim.toRoot, bit) })
        if (other !== from) wrong.push({ ...claim, from: other }, { ...claim, fromRoot: rootOf(other) })
        if (other !== to && from > 0) wrong.push({ ...claim, toRoot: rootOf(other) })
        for (const each of wrong) expect(holds(each, proof)).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  test('fail for another size with its root', async () => {
    await fc.assert(
      fc.asyncProperty(anyLeaf, anyRange, anySize, async ({ index, size }, [from, to], other) => {
        const leaf = leaves[index] as Bytes
        const inclusion = await proveInclusion(nodes, { index, size })
        if (other !== size) expect(holds({ index, size: other, leaf, root: rootOf(other) }, inclusion)).toBe(false)
        const consistency = await proveConsistency(nodes, { from, to })
        if (other !== to && from > 0) {
          expect(holds({ from, to: other, fromRoot: rootOf(from), toRoot: rootOf(other) }, consistency)).toBe(false)
        }
      }),
    )
  })

  test('bind a size through its root alone: of sizes with ways of one shape, the claim must say which is signed', async () => {
    const inclusion = await proveInclusion(nodes, { index: 0, size: 8 })
    const claim = { index: 0, leaf: leaves[0] as Bytes, root: rootOf(8) }
    const sizes = Array.from({ length: 20 }, (_, size) => size)
    expect(sizes.filter((size) => holds({ ...claim, size }, inclusion))).toEqual([5, 6, 7, 8])
    expect(sizes.filter((size) => holds({ ...claim, size, root: rootOf(size) }, inclusion))).toEqual([8])

    const consistency = await proveConsistency(nodes, { from: 1, to: 8 })
    const growth = { from: 1, fromRoot: rootOf(1), toRoot: rootOf(8) }
    expect(sizes.filter((to) => holds({ ...growth, to }, consistency))).toEqual([5, 6, 7, 8])
    expect(sizes.filter((to) => to > 0 && holds({ ...growth, to, toRoot: rootOf(to) }, consistency))).toEqual([8])
  })

  test('of nothing: the empty log, the same log, and numbers that are no sizes', () => {
    const other = rootOf(1)
    expect(holds({ from: 0, to: 0, fromRoot: EMPTY_ROOT, toRoot: EMPTY_ROOT }, [])).toBe(true)
    expect(holds({ from: 0, to: 5, fromRoot: EMPTY_ROOT, toRoot: rootOf(5) }, [])).toBe(true)
    expect(holds({ from: 5, to: 5, fromRoot: rootOf(5), toRoot: rootOf(5) }, [])).toBe(true)
    expect(holds({ from: 0, to: 0, fromRoot: other, toRoot: other }, [])).toBe(false)
    expect(holds({ from: 0, to: 5, fromRoot: other, toRoot: rootOf(5) }, [])).toBe(false)
    expect(holds({ from: 0, to: 5, fromRoot: EMPTY_ROOT, toRoot: rootOf(5) }, [other])).toBe(false)
    expect(holds({ from: 5, to: 5, fromRoot: rootOf(5), toRoot: rootOf(4) }, [])).toBe(false)
    expect(holds({ from: 2, to: 1, fromRoot: other, toRoot: other }, [])).toBe(false)
    expect(holds({ from: 5, to: 5, fromRoot: rootOf(5), toRoot: rootOf(5) }, [other])).toBe(false)
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX + 1, '1' as unknown as number]) {
      expect(holds({ index: wrong, size: 2, leaf: other, root: other }, [])).toBe(false)
      expect(holds({ index: 0, size: wrong, leaf: other, root: other }, [])).toBe(false)
      expect(holds({ from: wrong, to: 2, fromRoot: other, toRoot: other }, [])).toBe(false)
      expect(holds({ from: 1, to: wrong, fromRoot: other, toRoot: other }, [])).toBe(false)
    }
  })

  test('from anywhere, of any length, only ever give MERKLE_PROOF_INVALID, and soon', () => {
    const proof = new Array<Uint8Array>(5_000_000).fill(EMPTY_ROOT)
    const before = performance.now()
    expect(holds({ index: 5, size: MAX, leaf: EMPTY_ROOT, root: EMPTY_ROOT }, proof)).toBe(false)
    expect(holds({ from: 5, to: MAX, fromRoot: EMPTY_ROOT, toRoot: EMPTY_ROOT }, proof)).toBe(false)
    expect(performance.now() - before).toBeLessThan(500)
    const hash = fc.oneof(fc.constant(EMPTY_ROOT), fc.uint8Array({ maxLength: 40 }))
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.maxSafeNat(),
        hash,
        hash,
        fc.array(hash, { maxLength: 60 }),
        (a, b, x, y, some) => {
          expect(holds({ index: a, size: b, leaf: x, root: y }, some)).toBe(false)
          if (a > 0 && a !== b) expect(holds({ from: a, to: b, fromRoot: x, toRoot: y }, some)).toBe(false)
        },
      ),
    )
  })
})

describe('logs of up to 2^53 - 1 leaves', () => {
  const near = [2 ** 31, 2 ** 32, 2 ** 33, 2 ** 40, 2 ** 52, MAX]
  const anyLarge = fc.oneof(
    fc.tuple(fc.constantFrom(...near), fc.integer({ min: -3, max: 3 })).map(([n, by]) => Math.min(n + by, MAX)),
    fc.integer({ min: 1, max: MAX }),
  )

  test('have the roots and proofs of the recursive definition', async () => {
    await fc.assert(
      fc.asyncProperty(anyLarge, anyLarge, anyBit, async (a, b, bit) => {
        const [from, size] = [Math.min(a, b), Math.max(a, b)]
        const index = from - 1
        const sparse = new SparseNodes([index, Math.floor(index / 2), size - 1])
        const [fromRoot, root] = [sparse.root(from), sparse.root(size)]
        expect([await logRoot(sparse, size), await logRoot(sparse, from)]).toEqual([root, fromRoot])

        const claim = { index, size, leaf: sparse.leaf(index), root }
        const inclusion = await proveInclusion(sparse, { index, size })
        expect(inclusion.length).toBeLessThanOrEqual(53)
        expect(holds(claim, inclusion)).toBe(true)
        for (const mutated of mutations(inclusion, bit)) expect(holds(claim, mutated)).toBe(false)
        if (index > 0) expect(holds({ ...claim, index: index - 1 }, inclusion)).toBe(false)
        const low = index % 2 ** 32
        if (low !== index) expect(holds({ ...claim, index: low }, inclusion)).toBe(false)

        const growth = { from, to: size, fromRoot, toRoot: root }
        const consistency = await proveConsistency(sparse, { from, to: size })
        expect(consistency.length).toBeLessThanOrEqual(54)
        expect(holds(growth, consistency)).toBe(true)
        for (const mutated of mutations(consistency, bit)) expect(holds(growth, mutated)).toBe(false)
        expect(sparse.most).toBeLessThanOrEqual(105)
      }),
      { numRuns: 30 },
    )
  })

  test('grow on from there, up to the last leaf', async () => {
    for (const near of [2 ** 31 - 2, 2 ** 32 - 2, 2 ** 40 - 2, MAX - 4]) {
      const sparse = new SparseNodes([near + 1])
      const edge = await loadLogEdge(sparse, near)
      for (let size = near; size < near + 4; size++) {
        expect([edge.size, toHex(edge.root())]).toEqual([size, toHex(sparse.root(size))])
        const completed: [LogNode, Bytes][] = []
        edge.append(sparse.leaf(size), (node, hash) => void completed.push([node, hash]))
        expect(completed.map(([, hash]) => hash)).toEqual(await sparse.read(completed.map(([node]) => node)))
      }
    }
    const full = await loadLogEdge(new SparseNodes([]), MAX)
    expect(full.hashes).toHaveLength(53)
    expect(() => full.append(EMPTY_ROOT)).toThrow(RangeError)
    expect(full.size).toBe(MAX)
  })
})

describe('an edge', () => {
  test('loaded at any size goes on as the one that grew, and hands on what it is made of', async () => {
    await fc.assert(
      fc.asyncProperty(anyRange, async ([from, to]) => {
        const loaded = await loadLogEdge(nodes, from)
        expect([loaded.size, toHex(loaded.root())]).toEqual([from, toHex(rootOf(from))])
        const edge = createLogEdge(loaded.size, loaded.hashes)
        for (let size = from; size < to; size++) {
          for (const each of [loaded, edge]) each.append(leaves[size] as Bytes)
        }
        for (const each of [loaded, edge]) expect([each.size, toHex(each.root())]).toEqual([to, toHex(rootOf(to))])
      }),
    )
  })

  test('names every complete subtree once, when it becomes complete and from the bottom up', () => {
    const edge = createLogEdge(0, [])
    const seen = new Set<string>()
    for (let size = 1; size <= LARGEST; size++) {
      const completed: LogNode[] = []
      edge.append(leaves[size - 1] as Bytes, (node, hash) => {
        completed.push(node)
        expect(hash).toEqual(nodes.hash(node))
      })
      const expected: LogNode[] = []
      for (let level = 0; size % 2 ** level === 0; level++) expected.push({ level, index: size / 2 ** level - 1 })
      expect(completed).toEqual(expected)
      for (const { level, index } of completed) seen.add(`${level}/${index}`)
    }
    let all = 0
    for (let level = 0; level < 10; level++) all += Math.floor(LARGEST / 2 ** level)
    expect(seen.size).toBe(all)
  })

  test('stays as it was where an append fails', () => {
    const edge = createLogEdge(0, [])
    for (const leaf of leaves.slice(0, 7)) edge.append(leaf)
    const fault = new Error('no space left')
    for (const at of [0, 1, 2, 3]) {
      const append = () =>
        edge.append(leaves[7] as Bytes, ({ level }) => {
          if (level === at) throw fault
        })
      expect(append).toThrow(fault)
      expect([edge.size, toHex(edge.root())]).toEqual([7, toHex(rootOf(7))])
    }
    expect(() => edge.append(new Uint8Array(31))).toThrow(RangeError)
    edge.append(leaves[7] as Bytes)
    expect(edge.root()).toEqual(rootOf(8))
  })

  test('shares no memory with those it deals with', () => {
    const given = leafHash(data[0] as Bytes)
    const edge = createLogEdge(1, [given])
    given.fill(0)
    const leaf = leafHash(data[1] as Bytes)
    const completed: Bytes[] = []
    edge.append(leaf, (_, hash) => void completed.push(hash))
    leaf.fill(0)
    expect(completed).toEqual([leaves[1], rootOf(2)])
    for (const hash of completed) hash.fill(0)
    edge.root().fill(0)
    edge.hashes[0]?.fill(0)
    expect(edge.root()).toEqual(rootOf(2))
    createLogEdge(0, []).root().fill(0)
    expect(createLogEdge(0, []).root()).toEqual(rootOf(0))
  })

  test('is not made from hashes that do not fit its size', () => {
    expect(() => createLogEdge(3, [EMPTY_ROOT])).toThrow(RangeError)
    expect(() => createLogEdge(0, [EMPTY_ROOT])).toThrow(RangeError)
    expect(() => createLogEdge(1, [new Uint8Array(33)])).toThrow(RangeError)
    expect(() => createLogEdge(-1, [])).toThrow(RangeError)
    expect(() => createLogEdge(MAX + 1, [])).toThrow(RangeError)
  })
})

describe('reading nodes', () => {
  const uses: Record<string, (from: LogNodes, signal?: AbortSignal) => Promise<unknown>> = {
    logRoot: (from, signal) => logRoot(from, 7, { signal }),
    proveInclusion: (from, signal) => proveInclusion(from, { index: 2, size: 7 }, { signal }),
    proveConsistency: (from, signal) => proveConsistency(from, { from: 3, to: 7 }, { signal }),
    loadLogEdge: (from, signal) => loadLogEdge(from, 7, { signal }),
  }

  test.each(Object.entries(uses))('%s refuses too few, too many and too short hashes', async (_, use) => {
    for (const damage of [
      (hashes: readonly Bytes[]) => hashes.slice(1),
      (hashes: readonly Bytes[]) => [...hashes, EMPTY_ROOT],
      (hashes: readonly Bytes[]) => hashes.with(-1, new Uint8Array(31)),
    ]) {
      const damaged: LogNodes = { read: async (wanted) => damage(await nodes.read(wanted)) }
      await expect(use(damaged)).rejects.toMatchObject({ code: 'MERKLE_NODES_INVALID' })
    }
  })

  test.each(Object.entries(uses))('%s passes on what is missing, and an abort', async (_, use) => {
    const fault = new Error('no such tile')
    await expect(use({ read: () => Promise.reject(fault) })).rejects.toBe(fault)
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    await use(
      { read: (wanted, options) => nodes.read(wanted).finally(() => (seen = options?.signal)) },
      controller.signal,
    )
    expect(seen).toBe(controller.signal)
    controller.abort(fault)
    await expect(use(nodes, controller.signal)).rejects.toBe(fault)
    const same = proveConsistency(nodes, { from: 7, to: 7 }, { signal: controller.signal })
    await expect(same).rejects.toBe(fault)
  })

  test('never hands out memory of the reader', async () => {
    const one = leafHash(data[0] as Bytes)
    const from: LogNodes = { read: async (wanted) => wanted.map(() => one) }
    for (const hash of [await logRoot(from, 1), ...(await proveInclusion(from, { index: 0, size: 4 }))]) hash.fill(0)
    expect(one).toEqual(rootOf(1))
    ;(await logRoot(from, 0)).fill(0)
    expect(await logRoot(from, 0)).toEqual(rootOf(0))
  })

  test("for leaves and sizes that are none is a caller's mistake", async () => {
    for (const wrong of [-1, 0.5, Number.NaN, MAX + 1]) {
      await expect(logRoot(nodes, wrong)).rejects.toThrow(RangeError)
      await expect(loadLogEdge(nodes, wrong)).rejects.toThrow(RangeError)
      await expect(proveInclusion(nodes, { index: wrong, size: 5 })).rejects.toThrow(RangeError)
      await expect(proveInclusion(nodes, { index: 0, size: wrong })).rejects.toThrow(RangeError)
      await expect(proveConsistency(nodes, { from: wrong, to: 5 })).rejects.toThrow(RangeError)
      await expect(proveConsistency(nodes, { from: 0, to: wrong })).rejects.toThrow(RangeError)
    }
    await expect(proveInclusion(nodes, { index: 5, size: 5 })).rejects.toThrow(RangeError)
    await expect(proveConsistency(nodes, { from: 6, to: 5 })).rejects.toThrow(RangeError)
  })
})
