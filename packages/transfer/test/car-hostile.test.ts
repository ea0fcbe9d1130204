import { createMemoryCas } from '@vault/cas'
import { concatBytes, contentId, encode, idBytes, link, toHex, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importCar } from '../src/index.ts'
import { blockSection, carOf, header, inChunks, section, varint } from './car-bytes.ts'
import { collect, linkingBlock, rawBlock } from './memory-vault.ts'

const leaf = rawBlock('leaf')
const node = linkingBlock('node', [leaf.id])

async function read(bytes: Uint8Array, options: Parameters<typeof importCar>[2] = {}) {
  const objects = createMemoryCas()
  const steps = collect(importCar(inChunks(bytes), { objects }, options))
  const error: unknown = await steps.then(
    () => undefined,
    (error: unknown) => error,
  )
  return { objects, error }
}

function dagPb(bytes: Uint8Array): Uint8Array {
  const cid = idBytes(contentId(bytes, { hash: 'sha2-256' }))
  cid[1] = 0x70
  return cid
}

function linkBytes(cid: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0xd8, 0x2a, 0x58, cid.length + 1, 0), cid)
}

/** The header of a CAR with one root that is not ours. */
function foreignHeader(cid: Uint8Array): Uint8Array {
  return section(
    Uint8Array.of(0xa2, 0x65),
    utf8('roots'),
    Uint8Array.of(0x81),
    linkBytes(cid),
    Uint8Array.of(0x67),
    utf8('version'),
    Uint8Array.of(1),
  )
}

const badId = idBytes(leaf.id)
const long = new Uint8Array(1024 * 1024 + 1)
const v0 = dagPb(utf8('x')).subarray(2)
const INVALID = 'TRANSFER_CAR_INVALID'
const FOREIGN = 'TRANSFER_CAR_FOREIGN'
const TOO_LARGE = 'TRANSFER_CAR_TOO_LARGE'
const start = header(leaf.id)

describe('refuses by name', () => {
  test.for<[name: string, code: string, bytes: Uint8Array]>([
    ['nothing at all', INVALID, new Uint8Array()],
    ['a header of no bytes', INVALID, Uint8Array.of(0)],
    ['a header that ends', INVALID, start.subarray(0, 20)],
    ['a header that says it is long', TOO_LARGE, varint(64 * 1024 + 1)],
    ['a header that says it is longer than any', TOO_LARGE, varint(2 ** 52)],
    ['a length of ten bytes', INVALID, new Uint8Array(10).fill(0xff)],
    [
      'a length in a second form',
      INVALID,
      concatBytes(Uint8Array.of((start[0] as number) | 0x80, 0), start.subarray(1)),
    ],
    ['a header that is no CBOR', INVALID, section(utf8('hello'))],
    [
      'a header in another order of keys',
      INVALID,
      section(Uint8Array.of(0xa2, 0x67), utf8('version'), Uint8Array.of(1, 0x65), utf8('roots'), Uint8Array.of(0x80)),
    ],
    ['a header with more in it', INVALID, section(encode({ roots: [link(leaf.id)], version: 1, more: 1 }))],
    ['version 2', INVALID, section(encode({ version: 2 }))],
    ['version 3', INVALID, section(encode({ roots: [link(leaf.id)], version: 3 }))],
    ['no roots', INVALID, section(encode({ roots: [], version: 1 }))],
    ['roots that are no links', INVALID, section(encode({ roots: [leaf.id], version: 1 }))],
    ['a root of dag-pb', FOREIGN, foreignHeader(dagPb(utf8('x')))],
    ['a root of version 0', FOREIGN, foreignHeader(v0)],
    ['a block of dag-pb', FOREIGN, concatBytes(start, section(dagPb(utf8('x')), utf8('x')))],
    ['a block of version 0', FOREIGN, concatBytes(start, section(v0, utf8('x')))],
    ['a block under its own bytes', FOREIGN, concatBytes(start, section(Uint8Array.of(1, 0x55, 0, 1, 7), utf8('x')))],
    [
      'a block under a hash cut short',
      FOREIGN,
      concatBytes(start, section(Uint8Array.of(1, 0x55, 0x1e, 4), badId.subarray(4, 8), leaf.bytes)),
    ],
    [
      'an id in a second form',
      INVALID,
      concatBytes(start, section(Uint8Array.of(1, 0xd5, 0, 0x1e, 32), badId.subarray(4), leaf.bytes)),
    ],
    ['a section that is no CID', INVALID, concatBytes(start, section(utf8('hello')))],
    ['a section of no bytes', INVALID, concatBytes(start, Uint8Array.of(0))],
    ['a section that ends', INVALID, carOf([leaf.id], [leaf]).subarray(0, -1)],
    ['an end in a length', INVALID, concatBytes(start, Uint8Array.of(0x80))],
    ['a section that says it is long', TOO_LARGE, concatBytes(start, varint(2 ** 40))],
    ['a block that is too long', TOO_LARGE, carOf([leaf.id], [{ id: contentId(long), bytes: long }])],
    ['other bytes', 'TRANSFER_CAR_MISMATCH', carOf([leaf.id], [{ id: leaf.id, bytes: utf8('beef') }])],
    [
      'a second copy with other bytes',
      'TRANSFER_CAR_MISMATCH',
      carOf([leaf.id], [leaf, { id: leaf.id, bytes: utf8('beef') }]),
    ],
    ['a missing root', 'TRANSFER_CAR_INCOMPLETE', start],
    ['a missing part', 'TRANSFER_CAR_INCOMPLETE', carOf([node.id], [node])],
  ])('%s', async ([, code, bytes]) => {
    const { error } = await read(bytes)
    expect(error).toMatchObject({ name: 'VaultError', code })
  })

  test('a block of dag-cbor that is not canonical, or links elsewhere', async () => {
    const bytes = [Uint8Array.of(0x18, 1), linkBytes(dagPb(utf8('x')))]
    for (const each of bytes) {
      const block = { id: contentId(each, { codec: 'dag-cbor' }), bytes: each }
      const { error } = await read(carOf([block.id], [block]))
      expect(error).toMatchObject({ code: INVALID, details: { id: block.id } })
    }
  })

  test('what is foreign, with its CID', async () => {
    const cid = dagPb(utf8('x'))
    const { error } = await read(foreignHeader(cid))
    expect(error).toMatchObject({ details: { cid: toHex(cid) } })
    expect((error as Error).message).toContain('dag-pb')
  })

  test('more blocks or links than the limits say', async () => {
    const bytes = carOf([node.id], [node, leaf])
    expect((await read(bytes, { limits: { blocks: 2, links: 1 } })).error).toBeUndefined()
    expect((await read(bytes, { limits: { blocks: 1 } })).error).toMatchObject({
      code: TOO_LARGE,
      details: { limit: 1 },
    })
    expect((await read(bytes, { limits: { links: 0 } })).error).toMatchObject({
      code: TOO_LARGE,
      details: { limit: 0 },
    })
  })
})

test('damage anywhere is refused with a code or changes nothing that is read, and never stored under a wrong id', async () => {
  const good = carOf([node.id], [leaf, node])
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255), cut: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      let bytes = good.slice()
      for (const { at, to, cut } of changes) {
        if (cut) bytes = bytes.slice(0, at)
        else if (at < bytes.length) bytes[at] = to
      }
      const { objects, error } = await read(bytes)
      if (error !== undefined)
        expect(error).toMatchObject({ name: 'VaultError', code: expect.stringMatching(/^TRANSFER_CAR_/) })
      else expect(await objects.get(node.id)).toEqual(node.bytes)
      for await (const page of objects.list()) for (const id of page) expect([leaf.id, node.id]).toContain(id)
    }),
    { numRuns: 2_000 },
  )
})

test('a long length is refused before it is read', async () => {
  let asked = 0
  async function* endless() {
    yield concatBytes(header(leaf.id), blockSection(leaf), varint(2 ** 30))
    for (;;) {
      asked++
      yield new Uint8Array(65_536)
    }
  }
  await expect(collect(importCar(endless(), { objects: createMemoryCas() }))).rejects.toMatchObject({ code: TOO_LARGE })
  expect(asked).toBe(0)
})
