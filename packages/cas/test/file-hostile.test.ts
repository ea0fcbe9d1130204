import type { ContentFormat, FileBlock, MemoryCas } from '@vault/cas'
import { createMemoryCas, fileBlocks, fileInfo, readFile, writeFile } from '@vault/cas'
import type { ContentId } from '@vault/core'
import { contentId, decode, encode, hashBytes, link, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const format: ContentFormat = { hash: 'blake3', chunker: { kind: 'fixed', size: 2 } }
const hash = new Uint8Array(32)

type Fields = Record<string, unknown>

const a = utf8('aa')
const A = link(contentId(a))

/** A sound root of two chunks of two bytes. */
const sound: Fields = {
  v: 1,
  type: 'file',
  size: 4,
  depth: 0,
  parts: [
    [A, 2],
    [A, 2],
  ],
  blake3: hashBytes('blake3', utf8('aaaa')),
  sha256: hashBytes('sha2-256', utf8('aaaa')),
}

async function store(...values: unknown[]): Promise<{ store: MemoryCas; ids: readonly ContentId[] }> {
  const memory = createMemoryCas()
  for (const bytes of [a, utf8('')]) await memory.put(bytes)
  const ids: ContentId[] = []
  for (const value of values) {
    ids.push(await memory.put(value instanceof Uint8Array ? value : encode(value), { codec: 'dag-cbor' }))
  }
  return { store: memory, ids }
}

/** What each way of looking at the file ends with: a code, or `fine`. Every refusal names the file. */
async function outcomes(value: unknown): Promise<{ info: unknown; whole: unknown }> {
  const { store: memory, ids } = await store(value)
  const id = ids[0] as ContentId
  const outcome = (looking: Promise<unknown>) =>
    looking.then(
      () => 'fine',
      (error: { code: unknown; details: { id: unknown } }) => {
        expect(error.details.id).toBe(id)
        return error.code
      },
    )
  return { info: await outcome(fileInfo(memory, id)), whole: await outcome(Array.fromAsync(readFile(memory, id))) }
}

function without(name: string): Fields {
  return Object.fromEntries(Object.entries(sound).filter(([key]) => key !== name))
}

const refused: readonly (readonly [string, unknown])[] = [
  ['bytes that are no CBOR', Uint8Array.of(0xff)],
  ['CBOR that is not canonical', Uint8Array.of(0x18, 1)],
  ['a list', [1, 2]],
  ['null', null],
  ['bytes', new Uint8Array(3)],
  ['a link', A],
  ['another type', { ...sound, type: 'tree' }],
  ['version 0', { ...sound, v: 0 }],
  ['a version that is a text', { ...sound, v: '1' }],
  ['a field too many', { ...sound, x: 1 }],
  ...['v', 'type', 'size', 'depth', 'parts', 'blake3', 'sha256'].map((name) => [`no ${name}`, without(name)] as const),
  ['a hash that is short', { ...sound, blake3: new Uint8Array(31) }],
  ['a hash that is a text', { ...sound, sha256: 'x'.repeat(32) }],
  ['parts that are no list', { ...sound, parts: {} }],
  ['no parts', { ...sound, parts: [], size: 0 }],
  ['one part', { ...sound, parts: [[A, 2]], size: 2 }],
  ['1,025 parts', { ...sound, parts: Array(1025).fill([A, 2]), size: 2050 }],
  ['a depth below 0', { ...sound, depth: -1 }],
  ['a depth of 9', { ...sound, depth: 9 }],
  ['a depth that is a fraction', { ...sound, depth: 0.5 }],
  ['a part that is no list', { ...sound, parts: [A, A] }],
  ['a part without size', { ...sound, parts: [[A], [A]] }],
  [
    'a part with a third cell',
    {
      ...sound,
      parts: [
        [A, 2, 0],
        [A, 2, 0],
      ],
    },
  ],
  [
    'a part whose link is a text',
    {
      ...sound,
      parts: [
        [A.id, 2],
        [A.id, 2],
      ],
    },
  ],
  [
    'a part of no bytes',
    {
      ...sound,
      parts: [
        [A, 2],
        [A, 2],
        [link(contentId(utf8(''))), 0],
      ],
    },
  ],
  [
    'a part of fewer than no bytes',
    {
      ...sound,
      parts: [
        [A, 6],
        [A, -2],
      ],
    },
  ],
  [
    'a part longer than a block',
    {
      ...sound,
      parts: [
        [A, 2 ** 20 + 1],
        [A, 2],
      ],
      size: 2 ** 20 + 3,
    },
  ],
  ['a size that is not the sum', { ...sound, size: 5 }],
  [
    'a size beyond 2^53',
    {
      ...sound,
      depth: 1,
      parts: Array(1024).fill([link(contentId(a, { codec: 'dag-cbor' })), 2 ** 52]),
      size: 2 ** 53 - 1,
    },
  ],
  ['a raw part below depth 1', { ...sound, depth: 1 }],
  ['a dag-cbor part at depth 0', { ...sound, parts: Array(2).fill([link(contentId(a, { codec: 'dag-cbor' })), 2]) }],
]

describe('a hostile manifest', () => {
  it('is not this one', async () => {
    expect(await outcomes(sound)).toEqual({ info: 'fine', whole: 'fine' })
  })

  it.each(refused)('with %s is refused when it is looked at', async (_, value) => {
    expect(await outcomes(value)).toEqual({ info: 'CAS_MALFORMED', whole: 'CAS_MALFORMED' })
  })

  it('of a newer version is refused as such', async () => {
    expect(await outcomes({ ...sound, v: 2 })).toEqual({ info: 'CAS_FORMAT', whole: 'CAS_FORMAT' })
  })

  it('with chunks of another length than it says is refused when they are read', async () => {
    const parts = [1, 3].map((size) => [A, size])
    expect(await outcomes({ ...sound, parts })).toEqual({ info: 'fine', whole: 'CAS_MALFORMED' })
  })

  it('with the hash of other content is refused when all of it was read, and only then', async () => {
    const value = { ...sound, blake3: hash }
    expect(await outcomes(value)).toEqual({ info: 'fine', whole: 'CAS_MALFORMED' })
    const { store: memory, ids } = await store(value)
    const pieces = await Array.fromAsync(readFile(memory, ids[0] as ContentId, { range: { start: 0, end: 3 } }))
    expect(Buffer.concat(pieces).toString()).toBe('aaa')
  })
})

describe('a hostile manifest below another', () => {
  const full: Fields = { v: 1, type: 'file', size: 2048, depth: 0, parts: Array(1024).fill([A, 2]) }
  const last: Fields = { v: 1, type: 'file', size: 2, depth: 0, parts: [[A, 2]] }

  async function read(children: readonly Fields[], sizes: readonly number[], depth = 1): Promise<number> {
    const { store: memory, ids } = await store(...children)
    const parts = ids.map((id, i) => [link(id), sizes[i]])
    const size = sizes.reduce((sum, each) => sum + each, 0)
    const root = { v: 1, type: 'file', size, depth, parts, blake3: hash, sha256: hash }
    const id = await memory.put(encode(root), { codec: 'dag-cbor' })
    let length = 0
    for await (const piece of readFile(memory, id, { range: { start: 0, end: size - 1 } })) length += piece.length
    return length + 1
  }

  it('is read where it is sound', async () => {
    expect(await read([full, last], [2048, 2])).toBe(2050)
  })

  it.each<readonly [string, readonly Fields[], readonly number[]]>([
    ['has hashes', [{ ...full, blake3: hash, sha256: hash }, last], [2048, 2]],
    ['has another size than the one above says', [full, last], [2047, 3]],
    ['is not full though others follow', [last, full], [2, 2048]],
    ['has no parts', [full, { ...last, parts: [], size: 0 }], [2048, 2]],
    ['has the depth of the one above', [full, { ...last, depth: 1 }], [2048, 2]],
    ['is no file', [full, { ...last, type: 'tree' }], [2048, 2]],
  ])('is refused where it %s', async (_, children, sizes) => {
    await expect(read(children, sizes)).rejects.toMatchObject({ code: 'CAS_MALFORMED' })
  })

  it('is refused where a level is left out', async () => {
    await expect(read([full, last], [2048, 2], 2)).rejects.toMatchObject({ code: 'CAS_MALFORMED' })
  })
})

describe('a deep file that shares its parts', () => {
  it('is read where a range asks, in the time of the range', async () => {
    const memory = createMemoryCas()
    const chunk = new Uint8Array(1024 * 1024).fill(5)
    let id = await memory.put(chunk)
    let size = chunk.length
    for (let depth = 0; depth < 3; depth++) {
      const parts = Array(depth < 2 ? 1024 : 7).fill([link(id), size])
      size *= parts.length
      const root = depth === 2 ? { blake3: hash, sha256: hash } : {}
      id = await memory.put(encode({ v: 1, type: 'file', size, depth, parts, ...root }), { codec: 'dag-cbor' })
    }
    expect(size).toBe(7 * 2 ** 40)
    const range = { start: 3 * 2 ** 40 - 5, end: 3 * 2 ** 40 + 5 }
    const pieces = await Array.fromAsync(readFile(memory, id, { range }))
    expect(pieces.map((piece) => piece.length)).toEqual([5, 5])
  })
})

describe('a damaged manifest', () => {
  it('is refused with a code of this package, or reads as what it says', async () => {
    const blocks = await Array.fromAsync(fileBlocks([utf8('some text, cut in twos')], format))
    const root = blocks.at(-1) as FileBlock
    await fc.assert(
      fc.asyncProperty(fc.nat(root.bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const memory = createMemoryCas()
        await writeFile(memory, [utf8('some text, cut in twos')], format)
        const bytes = root.bytes.slice()
        bytes[at] = (bytes[at] as number) ^ flip
        const id = await memory.put(bytes, { codec: 'dag-cbor' })
        const outcome = await Array.fromAsync(readFile(memory, id)).then(
          () => 'read',
          (error: { code?: unknown }) => error.code,
        )
        // A flip in the SHA-256 is not seen by reading, which compares the BLAKE3.
        const isSha256 = outcome === 'read' && (decode(bytes) as { sha256: Uint8Array }).sha256.length === 32
        expect(isSha256 || ['CAS_MALFORMED', 'CAS_FORMAT', 'CAS_MISSING'].includes(outcome as string)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
