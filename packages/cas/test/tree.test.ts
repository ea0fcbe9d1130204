import type { StoredTree, TreeBlock, TreeEntry } from '@vault/cas'
import {
  compareNames,
  createMemoryCas,
  linksOf,
  readTree,
  TREE_MODES,
  treeBlocks,
  walkTree,
  writeBlocks,
} from '@vault/cas'
import type { ContentId } from '@vault/core'
import { codecOf, compareBytes, contentId, decode, encode, hashOf, link, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { treePlaceBelow } from '../src/tree-node.ts'

const blake3 = { hash: 'blake3' } as const
const A = contentId(utf8('a'))

function file(name: string, size = 1): TreeEntry {
  return { name, mode: TREE_MODES.file, id: A, size }
}

function sorted(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  return entries.toSorted((a, b) => compareNames(a.name, b.name))
}

async function rootOf(entries: Iterable<TreeEntry>): Promise<TreeBlock> {
  return (await Array.fromAsync(treeBlocks(entries, blake3))).at(-1) as TreeBlock
}

async function store(cas: ReturnType<typeof createMemoryCas>, entries: Iterable<TreeEntry>): Promise<StoredTree> {
  let tree: StoredTree | undefined
  for await (const { blocks } of writeBlocks(cas, treeBlocks(entries, blake3))) tree = blocks.at(-1)?.tree
  return tree as StoredTree
}

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..' && utf8(text).length <= 255)

describe('a directory', () => {
  it('is one block with its entries, ascending by the bytes of their names', async () => {
    const entries = [
      { name: 'B', mode: TREE_MODES.executable, id: A, size: 7 },
      { name: 'a', mode: TREE_MODES.file, id: A, size: 1 },
      { name: 'l', mode: TREE_MODES.symlink, id: A, size: 1 },
      { name: '\uff5e', mode: TREE_MODES.file, id: A, size: 2 },
      { name: '\u{1f600}', mode: TREE_MODES.file, id: A, size: 3 },
    ]
    const [block, ...others] = await Array.fromAsync(treeBlocks(entries, blake3))
    expect(others).toEqual([])
    expect(decode((block as TreeBlock).bytes)).toEqual({
      v: 1,
      type: 'tree',
      depth: 0,
      entries: entries.map(({ name, mode, size }) => [name, mode, expect.objectContaining({ id: A }), size]),
    })
    expect(block).toMatchObject({ tree: { id: block?.id, size: 14 }, links: [A] })
  })

  it('may be empty', async () => {
    const cas = createMemoryCas()
    const { id, size } = await store(cas, [])
    expect(size).toBe(0)
    expect(await Array.fromAsync(readTree(cas, id))).toEqual([])
  })

  it('is named with the hash of the vault', async () => {
    const blocks = await Array.fromAsync(
      treeBlocks(
        Array.from({ length: 1025 }, (_, i) => file(String(i).padStart(4, '0'))),
        { hash: 'sha2-256' },
      ),
    )
    expect(blocks.map(({ id }) => [hashOf(id), codecOf(id)])).toEqual(Array(3).fill(['sha2-256', 'dag-cbor']))
    for (const block of blocks) expect(linksOf(block)).toEqual(block.links)
  })

  it.each([1, 1023, 1024, 1025, 2048, 3000])('of %i entries reads back', async (count) => {
    const cas = createMemoryCas()
    const entries = Array.from({ length: count }, (_, i) => file(`entry ${String(i).padStart(5, '0')}`, i))
    const { id } = await store(cas, entries)
    expect(await Array.fromAsync(readTree(cas, id))).toEqual(entries)
  })

  it('has the same id in whatever order its entries were found', async () => {
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 50 })
    await fc.assert(
      fc.asyncProperty(names, fc.infiniteStream(fc.nat()), async (unique, keys) => {
        const entries = unique.map((each, i) => file(each, i))
        const shuffled = entries
          .map((entry) => ({ entry, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ entry }) => entry)
        const cas = createMemoryCas()
        const { id } = await store(cas, sorted(shuffled))
        expect(id).toBe((await rootOf(sorted(entries))).id)
        expect(await Array.fromAsync(readTree(cas, id))).toEqual(sorted(entries))
      }),
      { numRuns: 100 },
    )
  })

  it('is refused where names do not ascend', async () => {
    for (const names of [
      ['b', 'a'],
      ['a', 'a'],
      ['\u{1f600}', '\uff5e'],
    ]) {
      await expect(rootOf(names.map((each) => file(each)))).rejects.toThrow(RangeError)
    }
  })

  it.each<[string, Partial<TreeEntry>]>([
    ['an empty name', { name: '' }],
    ['the name .', { name: '.' }],
    ['the name ..', { name: '..' }],
    ['a name with a slash', { name: 'a/b' }],
    ['a name with a NUL', { name: 'a\0' }],
    ['a lone surrogate', { name: 'a\ud800' }],
    ['a name of 256 bytes', { name: 'é'.repeat(128) }],
    ['another mode', { mode: 0o100600 as TreeEntry['mode'] }],
    ['a size below 0', { size: -1 }],
    ['a size that is a fraction', { size: 0.5 }],
    ['a raw block of more than 1 MiB', { size: 2 ** 20 + 1 }],
    ['a raw directory', { mode: TREE_MODES.directory }],
    ['a link of no text', { mode: TREE_MODES.symlink, size: 0 }],
    ['a link of 4,096 bytes', { mode: TREE_MODES.symlink, size: 4096 }],
    ['a link that is no raw block', { mode: TREE_MODES.symlink, id: contentId(utf8('a'), { codec: 'dag-cbor' }) }],
  ])('is refused with %s, when it is written and when it is read', async (_, wrong) => {
    const entry = { ...file('a'), ...wrong }
    await expect(rootOf([entry])).rejects.toMatchObject({ code: 'CAS_MALFORMED', details: { name: entry.name } })
    if (!entry.name.isWellFormed()) return
    const cas = createMemoryCas()
    const cells = [entry.name, entry.mode, link(entry.id), entry.size]
    const id = await cas.put(encode({ v: 1, type: 'tree', depth: 0, entries: [cells] }), { codec: 'dag-cbor' })
    await expect(Array.fromAsync(readTree(cas, id))).rejects.toMatchObject({ code: 'CAS_MALFORMED', details: { id } })
  })

  it('takes the longest name and the longest link', async () => {
    const entry = { name: 'x'.repeat(255), mode: TREE_MODES.symlink, id: A, size: 4095 }
    expect((await rootOf([entry])).tree?.size).toBe(4095)
  })
})

describe('names', () => {
  it('are ordered by their UTF-8 bytes', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}') })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(Math.sign(compareBytes(utf8(a), utf8(b))))
      }),
    )
  })
})

describe('a hostile directory', () => {
  type Fields = Record<string, unknown>
  const cell = (each: string) => [each, TREE_MODES.file, link(A), 1]
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => cell(String(from + i).padStart(5, '0')))
  const leaf = (entries: unknown): Fields => ({ v: 1, type: 'tree', depth: 0, entries })

  async function failureOf(value: unknown): Promise<unknown> {
    const cas = createMemoryCas()
    const id = await cas.put(encode(value), { codec: 'dag-cbor' })
    return await Array.fromAsync(readTree(cas, id)).then(
      () => 'read',
      (error: { code: unknown; details: { id: unknown } }) => {
        expect(error.details.id).toBe(id)
        return error.code
      },
    )
  }

  it.each<[string, unknown]>([
    ['a list', []],
    ['another type', { ...leaf([]), type: 'file' }],
    ['a field too many', { ...leaf([]), size: 3 }],
    ['no version', { type: 'tree', depth: 0, entries: [] }],
    ['no depth', { v: 1, type: 'tree', entries: [] }],
    ['entries that are no list', leaf({})],
    ['1,025 entries', leaf(many(0, 1025))],
    ['an entry that is a text', leaf(['a'])],
    ['an entry of three cells', leaf([cell('a').slice(0, 3)])],
    ['an entry of five cells', leaf([[...cell('a'), 1]])],
    ['names that descend', leaf([cell('b'), cell('a')])],
    ['a name twice', leaf([cell('a'), cell('a')])],
    ['parts at depth 0', { v: 1, type: 'tree', depth: 0, parts: [] }],
    ['entries at depth 1', { v: 1, type: 'tree', depth: 1, entries: [] }],
    [
      'a root of depth 1 with one part',
      { v: 1, type: 'tree', depth: 1, parts: [['a', link(contentId(utf8('x'), { codec: 'dag-cbor' }))]] },
    ],
    ['a depth of 9', { v: 1, type: 'tree', depth: 9, parts: [] }],
    [
      'a raw part',
      {
        v: 1,
        type: 'tree',
        depth: 1,
        parts: [
          ['a', link(A)],
          ['b', link(A)],
        ],
      },
    ],
  ])('with %s is refused', async (_, value) => {
    expect(await failureOf(value)).toBe('CAS_MALFORMED')
  })

  it('of a newer version is refused as such', async () => {
    expect(await failureOf({ ...leaf([]), v: 2 })).toBe('CAS_FORMAT')
  })

  async function nested(parts: readonly (readonly [string, Fields])[], depth = 1): Promise<number> {
    const cas = createMemoryCas()
    const cells: unknown[] = []
    for (const [first, node] of parts) cells.push([first, link(await cas.put(encode(node), { codec: 'dag-cbor' }))])
    const id = await cas.put(encode({ v: 1, type: 'tree', depth, parts: cells }), { codec: 'dag-cbor' })
    return (await Array.fromAsync(readTree(cas, id))).length
  }

  it('that nests is read where it is sound', async () => {
    expect(
      await nested([
        ['00000', leaf(many(0, 1024))],
        ['01024', leaf(many(1024, 3))],
      ]),
    ).toBe(1027)
  })

  it.each<[string, readonly (readonly [string, Fields])[]]>([
    [
      'a node does not begin with the name above',
      [
        ['00000', leaf(many(0, 1024))],
        ['01023x', leaf(many(1024, 3))],
      ],
    ],
    [
      'names go on beyond the next node’s',
      [
        ['00000', leaf(many(0, 1024))],
        ['01000', leaf(many(1000, 3))],
      ],
    ],
    [
      'a node is not full though others follow',
      [
        ['00000', leaf(many(0, 1023))],
        ['01024', leaf(many(1024, 3))],
      ],
    ],
    [
      'the last node is empty',
      [
        ['00000', leaf(many(0, 1024))],
        ['01024', leaf([])],
      ],
    ],
    [
      'first names descend',
      [
        ['00000', leaf(many(0, 1024))],
        ['00000', leaf(many(0, 1024))],
      ],
    ],
    [
      'a node has the depth of the root',
      [
        ['00000', leaf(many(0, 1024))],
        ['01024', { v: 1, type: 'tree', depth: 1, parts: [] }],
      ],
    ],
  ])('that nests is refused where %s', async (_, parts) => {
    await expect(nested(parts)).rejects.toMatchObject({ code: 'CAS_MALFORMED' })
  })

  it('that nests is refused where a level is left out', async () => {
    const parts = [
      ['00000', leaf(many(0, 1024))],
      ['01024', leaf(many(1024, 3))],
    ] as const
    await expect(nested(parts, 2)).rejects.toMatchObject({ code: 'CAS_MALFORMED' })
  })

  it('bounds the last part of a node by what follows the node', () => {
    const part = (each: string) => ({ name: each, id: contentId(utf8(each), { codec: 'dag-cbor' }) })
    const root = { depth: 2, parts: [part('a'), part('m')] }
    const first = treePlaceBelow(root, undefined, 0)
    expect(first).toEqual({ depth: 1, rightmost: false, first: 'a', before: 'm' })
    const node = { depth: 1, parts: [part('a'), part('f')] }
    expect(treePlaceBelow(node, first, 0)).toEqual({ depth: 0, rightmost: false, first: 'a', before: 'f' })
    expect(treePlaceBelow(node, first, 1)).toEqual({ depth: 0, rightmost: false, first: 'f', before: 'm' })
    const last = treePlaceBelow(root, undefined, 1)
    expect(treePlaceBelow(node, last, 1)).toEqual({ depth: 0, rightmost: true, first: 'f', before: undefined })
  })
})

describe('a walk', () => {
  async function chain(levels: number): Promise<{ cas: ReturnType<typeof createMemoryCas>; id: ContentId }> {
    const cas = createMemoryCas()
    let { id, size } = await store(cas, [file('leaf')])
    for (let i = 0; i < levels; i++)
      ({ id, size } = await store(cas, [{ name: 'd', mode: TREE_MODES.directory, id, size }]))
    return { cas, id }
  }

  it('gives each directory before its content, with paths', async () => {
    const cas = createMemoryCas()
    const inner = await store(cas, [file('x', 2), file('y', 3)])
    const { id } = await store(cas, [file('a'), { name: 'd', mode: TREE_MODES.directory, ...inner }, file('e')])
    const walked = await Array.fromAsync(walkTree(cas, id))
    expect(walked.map(({ path, size }) => [path, size])).toEqual([
      ['a', 1],
      ['d', 5],
      ['d/x', 2],
      ['d/y', 3],
      ['e', 1],
    ])
  })

  it('refuses a directory whose size is not the sum of its entries', async () => {
    const cas = createMemoryCas()
    const inner = await store(cas, [file('x', 2)])
    const { id } = await store(cas, [{ name: 'd', mode: TREE_MODES.directory, id: inner.id, size: 3 }])
    await expect(Array.fromAsync(walkTree(cas, id))).rejects.toMatchObject({
      code: 'CAS_MALFORMED',
      details: { id: inner.id },
    })
  })

  it('goes 256 levels down, and no further unless it is told to', async () => {
    const deepest = await chain(256)
    expect(await Array.fromAsync(walkTree(deepest.cas, deepest.id))).toHaveLength(257)
    const { cas, id } = await chain(257)
    await expect(Array.fromAsync(walkTree(cas, id))).rejects.toMatchObject({ code: 'CAS_TOO_LARGE' })
    expect(await Array.fromAsync(walkTree(cas, id, { limits: { depth: 257 } }))).toHaveLength(258)
  })

  it('ends where few blocks that share each other make a tree without end', async () => {
    const cas = createMemoryCas()
    let { id, size } = await store(cas, [])
    for (let i = 0; i < 100; i++) {
      const both = { mode: TREE_MODES.directory, id, size }
      ;({ id, size } = await store(cas, [
        { name: 'a', ...both },
        { name: 'b', ...both },
      ]))
    }
    let count = 0
    const walking = async () => {
      for await (const _ of walkTree(cas, id, { limits: { entries: 1000 } })) count++
    }
    await expect(walking()).rejects.toMatchObject({ code: 'CAS_TOO_LARGE' })
    expect(count).toBe(1000)
  })

  it('names what is missing, and stops with the reason of its signal', async () => {
    const cas = createMemoryCas()
    const gone = await rootOf([file('x')])
    const { id } = await store(cas, [{ name: 'd', mode: TREE_MODES.directory, id: gone.id, size: 1 }])
    await expect(Array.fromAsync(walkTree(cas, id))).rejects.toMatchObject({
      code: 'CAS_MISSING',
      details: { id: gone.id },
    })
    const reason = { reason: 'test' }
    for (const read of [walkTree, readTree]) {
      await expect(Array.fromAsync(read(cas, id, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason)
    }
  })
})
