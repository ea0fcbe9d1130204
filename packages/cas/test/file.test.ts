import type { ContentFormat, FileBlock, StoredFile } from '@vault/cas'
import {
  createMemoryCas,
  fileBlocks,
  fileInfo,
  linksOf,
  MAX_BLOCK_LENGTH,
  readFile,
  writeBlocks,
  writeFile,
} from '@vault/cas'
import { faultyCas } from '@vault/cas/testing'
import type { ContentId } from '@vault/core'
import { codecOf, concatBytes, contentId, decode, equalBytes, hashBytes, hashOf, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const small: ContentFormat = { hash: 'blake3', chunker: { kind: 'fixed', size: 4096 } }
const standard: ContentFormat = { hash: 'blake3', chunker: { kind: 'fixed', size: MAX_BLOCK_LENGTH } }

/** Bytes of which no two stretches of a chunk's length are alike. */
function pattern(length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => Math.imul(i, 0x9e3779b1))
  return new Uint8Array(words.buffer, 0, length)
}

async function read(...parameters: Parameters<typeof readFile>): Promise<Uint8Array> {
  return concatBytes(...(await Array.fromAsync(readFile(...parameters))))
}

async function rootOf(pieces: Iterable<Uint8Array>, content: ContentFormat): Promise<FileBlock> {
  return (await Array.fromAsync(fileBlocks(pieces, content))).at(-1) as FileBlock
}

describe('a file', () => {
  it.each([0, 1, 4095, 4096])('of %i bytes is one raw block of a chunk of 4,096', async (length) => {
    const bytes = pattern(length)
    const blocks = await Array.fromAsync(fileBlocks([bytes], small))
    expect(blocks).toEqual([{ id: contentId(bytes), bytes, links: [], file: { id: contentId(bytes), size: length } }])
  })

  it('that is longer has a manifest, whose root states both hashes', async () => {
    const bytes = pattern(4097)
    const [first, last, root] = (await Array.fromAsync(fileBlocks([bytes], small))) as [FileBlock, FileBlock, FileBlock]
    expect(decode(root.bytes)).toEqual({
      v: 1,
      type: 'file',
      size: 4097,
      depth: 0,
      parts: [
        [expect.objectContaining({ id: contentId(bytes.subarray(0, 4096)) }), 4096],
        [expect.objectContaining({ id: contentId(bytes.subarray(4096)) }), 1],
      ],
      blake3: hashBytes('blake3', bytes),
      sha256: hashBytes('sha2-256', bytes),
    })
    expect(root).toMatchObject({ file: { id: root.id, size: 4097 }, links: [first.id, last.id] })
    expect([first.file, last.file]).toEqual([undefined, undefined])
  })

  it('is named with the hash of the vault in every block', async () => {
    for (const hash of ['blake3', 'sha2-256'] as const) {
      const blocks = await Array.fromAsync(fileBlocks([pattern(3 * 4096)], { ...small, hash }))
      expect(blocks.map(({ id }) => hashOf(id))).toEqual(Array(4).fill(hash))
      for (const { id, bytes } of blocks) expect(id).toBe(contentId(bytes, { hash, codec: codecOf(id) }))
    }
  })

  it('of 1,024 chunks has one manifest, and one chunk more begins a second level', async () => {
    const tiny: ContentFormat = { hash: 'blake3', chunker: { kind: 'fixed', size: 4 } }
    for (const [chunks, manifests] of [
      [1024, [{ depth: 0, parts: 1024 }]],
      [
        1025,
        [
          { depth: 0, parts: 1024 },
          { depth: 0, parts: 1 },
          { depth: 1, parts: 2 },
        ],
      ],
      [
        2048,
        [
          { depth: 0, parts: 1024 },
          { depth: 0, parts: 1024 },
          { depth: 1, parts: 2 },
        ],
      ],
    ] as const) {
      const blocks = await Array.fromAsync(fileBlocks([pattern(4 * chunks)], tiny))
      const nodes = blocks
        .filter(({ id }) => codecOf(id) === 'dag-cbor')
        .map(({ bytes }) => decode(bytes) as { depth: number; parts: unknown[] })
      expect(nodes.map(({ depth, parts }) => ({ depth, parts: parts.length }))).toEqual(manifests)
    }
  })

  it('of equal chunks reads back, and every piece is the caller’s own', async () => {
    const store = createMemoryCas()
    const { id } = await writeFile(store, [new Uint8Array(10 * 4096).fill(3)], small)
    let length = 0
    for await (const piece of readFile(store, id)) {
      expect(piece.every((byte) => byte === 3)).toBe(true)
      piece.fill(0)
      length += piece.length
    }
    expect(length).toBe(10 * 4096)
  })

  it('has the same id however its content is split, and reads back', async () => {
    const content = fc.uint8Array({ maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 20 }), fc.integer({ min: 1, max: 64 }), async (pieces, size) => {
        const format: ContentFormat = { hash: 'blake3', chunker: { kind: 'fixed', size } }
        const store = createMemoryCas()
        const bytes = concatBytes(...pieces)
        const file = await writeFile(store, pieces, format)
        expect(file).toEqual((await rootOf([bytes], format)).file)
        expect(await read(store, file.id)).toEqual(bytes)
        expect(await fileInfo(store, file.id)).toEqual({
          ...file,
          blake3: hashBytes('blake3', bytes),
          sha256: hashBytes('sha2-256', bytes),
        })
      }),
      { numRuns: 200 },
    )
  })

  it('gives of any range what slice gives', async () => {
    const bytes = pattern(5 * 1024 * 1024 + 17)
    const store = createMemoryCas()
    const { id } = await writeFile(store, [bytes], small)
    const bound = fc.integer({ min: 0, max: bytes.length + 5000 })
    await fc.assert(
      fc.asyncProperty(bound, fc.integer({ min: 0, max: 20000 }), async (start, length) => {
        const end = start + length
        expect(equalBytes(await read(store, id, { range: { start, end } }), bytes.subarray(start, end))).toBe(true)
      }),
      { numRuns: 100 },
    )
    const raw = await store.put(bytes.subarray(0, 100))
    expect(await read(store, raw, { range: { start: 10, end: 20 } })).toEqual(bytes.slice(10, 20))
  })

  it('refuses a range that is none, and a chunk size that no block can have', async () => {
    const store = createMemoryCas()
    const id = await store.put(utf8('range'))
    for (const [start, end] of [
      [-1, 2],
      [2, 1],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      await expect(read(store, id, { range: { start, end } })).rejects.toThrow(RangeError)
    }
    for (const size of [0, -1, 1.5, MAX_BLOCK_LENGTH + 1, Number.NaN]) {
      await expect(rootOf([], { hash: 'blake3', chunker: { kind: 'fixed', size } })).rejects.toThrow(RangeError)
    }
  })
})

describe('reading a range', () => {
  it('touches the blocks that it needs and no other', async () => {
    const inner = createMemoryCas()
    const bytes = pattern(1500 * 4096)
    const { id } = await writeFile(inner, [bytes], small)
    const touched = new Set<ContentId>()
    const store = faultyCas(inner, { vanished: (part) => touched.add(part) && false })
    await read(store, id, { range: { start: 1200 * 4096, end: 1202 * 4096 } })
    // The root, the second manifest, two chunks.
    expect(touched.size).toBe(4)
  })
})

describe('reading a file', () => {
  const bytes = pattern(40 * 4096)
  const partId = contentId(bytes.subarray(20 * 4096, 21 * 4096))

  it('names a part that is missing, after what comes before it', async () => {
    const inner = createMemoryCas()
    const { id } = await writeFile(inner, [bytes], small)
    const pieces: Uint8Array[] = []
    const reading = async () => {
      for await (const piece of readFile(faultyCas(inner, { vanished: (part) => part === partId }), id))
        pieces.push(piece)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'CAS_MISSING', details: { id: partId, root: id } })
    expect(equalBytes(concatBytes(...pieces), bytes.subarray(0, 20 * 4096))).toBe(true)
  })

  it('names a part that is damaged', async () => {
    const inner = createMemoryCas()
    const { id } = await writeFile(inner, [bytes], small)
    const store = faultyCas(inner, { damaged: (part) => part === partId })
    await expect(read(store, id)).rejects.toMatchObject({ code: 'CAS_CORRUPT', details: { id: partId, root: id } })
  })

  it('names what is missing of a file of one block, and a root', async () => {
    for (const id of [contentId(bytes), contentId(bytes, { codec: 'dag-cbor' })]) {
      await expect(read(createMemoryCas(), id)).rejects.toMatchObject({ code: 'CAS_MISSING', details: { id } })
      await expect(fileInfo(createMemoryCas(), id)).rejects.toMatchObject({ code: 'CAS_MISSING', details: { id } })
    }
  })

  it('names a part of which the store says nothing', async () => {
    const inner = createMemoryCas()
    const { id } = await writeFile(inner, [bytes], small)
    const silent = { ...inner, async *getMany() {} }
    await expect(read(silent, id)).rejects.toMatchObject({ code: 'CAS_MISSING' })
  })

  it('takes a batch answered in any order and in any pieces', async () => {
    const inner = createMemoryCas()
    const { id } = await writeFile(inner, [bytes], small)
    const shuffled: typeof inner = {
      ...inner,
      async *getMany(batches, options) {
        for await (const ids of batches) {
          for (const part of ids.toReversed()) yield* inner.getMany([[part]], options)
        }
      },
    }
    expect(equalBytes(await read(shuffled, id), bytes)).toBe(true)
  })

  it('stops with the reason of its signal, and releases the store when it is left', async () => {
    const inner = createMemoryCas()
    const { id } = await writeFile(inner, [bytes], small)
    let released = false
    const store: typeof inner = {
      ...inner,
      async *getMany(...parameters) {
        try {
          yield* inner.getMany(...parameters)
        } finally {
          released = true
        }
      },
    }
    const controller = new AbortController()
    const reason = { reason: 'test' }
    const reading = async () => {
      for await (const _ of readFile(store, id, { signal: controller.signal })) controller.abort(reason)
    }
    await expect(reading()).rejects.toBe(reason)
    expect(released).toBe(true)
    released = false
    for await (const _ of readFile(store, id)) break
    expect(released).toBe(true)
    await expect(read(store, id, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(fileInfo(store, id, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('writing', () => {
  it('yields every block once it is durable, files of one batch together, with what the caller attached', async () => {
    const store = createMemoryCas()
    async function* blocks() {
      for (const name of ['a', 'b', 'c'])
        for await (const block of fileBlocks([utf8(name)], standard)) yield { ...block, name }
    }
    const batches = await Array.fromAsync(writeBlocks(store, blocks()))
    expect(batches).toHaveLength(1)
    expect(batches[0]?.blocks.map(({ name, file }) => [name, file?.size])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ])
    expect(batches[0]?.ack.ids).toEqual(['a', 'b', 'c'].map((name) => contentId(utf8(name))))
  })

  it('gives the links of every block as linksOf does, in batches of about 8 MiB', async () => {
    const store = createMemoryCas()
    const pieces = Array.from({ length: 20 }, (_, i) => new Uint8Array(MAX_BLOCK_LENGTH).fill(i))
    const batches = await Array.fromAsync(writeBlocks(store, fileBlocks(pieces, standard)))
    expect(batches.map(({ blocks }) => blocks.length)).toEqual([8, 8, 5])
    for (const block of batches.flatMap(({ blocks }) => blocks)) expect(linksOf(block)).toEqual(block.links)
  })

  it('holds no more than what is under way, however long the content is', async () => {
    let read = 0
    let durable = 0
    let widest = 0
    async function* pieces() {
      for (let i = 0; i < 64; i++) {
        read += MAX_BLOCK_LENGTH
        widest = Math.max(widest, read - durable)
        yield new Uint8Array(MAX_BLOCK_LENGTH).fill(i)
      }
    }
    for await (const { ack } of writeBlocks(createMemoryCas(), fileBlocks(pieces(), standard))) durable += ack.bytes
    expect(widest).toBeLessThanOrEqual(10 * MAX_BLOCK_LENGTH)
  })

  it('is refused where a piece was changed before its block was stored', async () => {
    const shared = new Uint8Array(4096)
    function* reused() {
      for (let i = 0; i < 3; i++) yield shared.fill(i)
    }
    await expect(writeFile(createMemoryCas(), reused(), small)).rejects.toMatchObject({ code: 'CAS_CORRUPT' })
  })

  it('fails where the store does not acknowledge everything', async () => {
    const silent = { ...createMemoryCas(), async *putMany() {} }
    const greedy = {
      ...silent,
      async *putMany(batches: AsyncIterable<unknown> | Iterable<unknown>) {
        for await (const _ of batches) yield* []
      },
    }
    for (const store of [silent, greedy]) {
      await expect(writeFile(store, [utf8('lost')], small)).rejects.toMatchObject({ code: 'CAS_WRITE_FAILED' })
    }
  })

  it('stops with the reason of its signal', async () => {
    const reason = { reason: 'test' }
    const writing: Promise<StoredFile> = writeFile(createMemoryCas(), [utf8('x')], small, {
      signal: AbortSignal.abort(reason),
    })
    await expect(writing).rejects.toBe(reason)
  })
})
