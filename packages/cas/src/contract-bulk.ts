import type { ContentId } from '@vault/core'
import { contentId, copyBytes, equalBytes, utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects, assertSame, assertThat } from '@vault/core/testing'
import type { BatchAck, Block, CasErrorCode, ContentStore, ReadBatch } from './cas.ts'
import { MAX_BLOCK_LENGTH } from './cas.ts'
import { assertAborts, assertHolds, rejection } from './contract-assert.ts'

const CORRUPT: CasErrorCode = 'CAS_CORRUPT'
const TOO_LARGE: CasErrorCode = 'CAS_TOO_LARGE'

/** The promises of `BulkCas`: batches. */
export const bulkCases: readonly ContractCase<ContentStore>[] = [
  {
    name: 'putMany acknowledges each batch, in order, with its ids',
    async run(store) {
      const batches = [blocksOf('first', 3), blocksOf('second', 1), [], blocksOf('fourth', 20)]
      const acks = await all(store.putMany(batches))
      assertSame(
        acks.map((ack) => ack.ids),
        batches.map(idsOf),
        'the ids of the acks',
      )
      assertSame(acks[2], { ids: [], segment: '', bytes: 0 }, 'the ack of an empty batch')
      for (const ack of [acks[0], acks[1], acks[3]]) assertThat(ack?.segment !== '', 'an ack names its segment')
      for (const block of batches.flat()) await assertHolds(store, block.id, block.bytes)
    },
  },
  {
    name: 'what putMany has acknowledged can be read before it goes on',
    async run(store) {
      const batches = [blocksOf('read at once', 2), blocksOf('read later', 2)]
      let seen = 0
      for await (const ack of store.putMany(batches)) {
        for (const [i, id] of ack.ids.entries()) await assertHolds(store, id, batches[seen]?.[i]?.bytes as Uint8Array)
        seen++
      }
      assertSame(seen, 2, 'the number of acks')
    },
  },
  {
    name: 'putMany stores both codecs and both hashes, empty and largest blocks, and one block twice',
    async run(store) {
      const bytes = utf8('codecs and hashes in bulk')
      const blocks = [new Uint8Array(0), new Uint8Array(MAX_BLOCK_LENGTH).fill(9), bytes, bytes].flatMap((content) => [
        { id: contentId(content), bytes: content },
        { id: contentId(content, { hash: 'sha2-256' }), bytes: content },
        { id: contentId(content, { codec: 'dag-cbor' }), bytes: content },
        { id: contentId(content, { codec: 'dag-cbor', hash: 'sha2-256' }), bytes: content },
      ])
      const acks = await all(store.putMany([blocks]))
      assertSame(
        acks.map((ack) => ack.ids),
        [idsOf(blocks)],
        'the ids of the acks',
      )
      for (const block of blocks) await assertHolds(store, block.id, block.bytes)
    },
  },
  {
    name: 'putMany refuses a block that is not what its id names, and acknowledges nothing of its batch',
    async run(store) {
      const sound = blocksOf('before a mismatch', 2)
      const [innocent, hostile] = blocksOf('with a mismatch', 2) as [Block, Block]
      const acks: BatchAck[] = []
      const batches = [
        sound,
        [innocent, { id: hostile.id, bytes: utf8('something else') }],
        blocksOf('after a mismatch', 1),
      ]
      await assertRejects(all(store.putMany(batches), acks), CORRUPT, 'putMany of a mismatch')
      assertSame(
        acks.flatMap((ack) => ack.ids),
        idsOf(sound),
        'the ids acknowledged',
      )
      assertSame(await store.has(hostile.id), false, 'has of what was refused')
      for (const block of sound) await assertHolds(store, block.id, block.bytes)
    },
  },
  {
    name: 'putMany refuses a block of more than 1 MiB',
    async run(store) {
      const bytes = new Uint8Array(MAX_BLOCK_LENGTH + 1).fill(11)
      const block = { id: contentId(bytes), bytes }
      await assertRejects(all(store.putMany([[block]])), TOO_LARGE, 'putMany of 1 MiB and a byte')
      assertSame(await store.has(block.id), false, 'has of what was refused')
    },
  },
  {
    name: 'bytes that the caller changes after an ack, or after a getMany, do no harm',
    async run(store) {
      const [block] = blocksOf('changed in bulk', 1) as [Block]
      const original = copyBytes(block.bytes)
      await all(store.putMany([[block]]))
      block.bytes.fill(0)
      for (const piece of await all(store.getMany([[block.id]]))) for (const read of piece.blocks) read.bytes.fill(0)
      await assertHolds(store, block.id, original)
    },
  },
  {
    name: 'getMany answers every id of a batch, in any order, and names those it does not have',
    async run(store) {
      const blocks = blocksOf('getMany', 30)
      await all(store.putMany([blocks]))
      const absent = idsOf(blocksOf('getMany, never put', 3))
      const asked = [...absent.slice(0, 1), ...idsOf(blocks), ...absent.slice(1)]
      const answers = await all(store.getMany([asked]))
      assertAnswers(answers, blocks, absent)
    },
  },
  {
    name: 'getMany answers batches one after the other',
    async run(store) {
      const batches = Array.from({ length: 12 }, (_, i) => blocksOf(`batch ${i}`, 5))
      await all(store.putMany(batches))
      const order = new Map(batches.flatMap((batch, i) => batch.map((block) => [block.id, i])))
      const answers = await all(store.getMany(batches.map(idsOf)))
      const numbers = answers.flatMap((piece) => piece.blocks.map((block) => order.get(block.id) as number))
      assertSame(
        numbers,
        numbers.toSorted((a, b) => a - b),
        'the batches that were answered',
      )
      assertAnswers(answers, batches.flat(), [])
    },
  },
  {
    name: 'getMany answers an id that is asked for twice, empty batches, and no batch at all',
    async run(store) {
      const blocks = blocksOf('asked for twice', 2)
      await all(store.putMany([blocks]))
      const ids = idsOf(blocks)
      assertAnswers(await all(store.getMany([[], [...ids, ...ids], []])), blocks, [])
      assertAnswers(await all(store.getMany([[]])), [], [])
      assertAnswers(await all(store.getMany([])), [], [])
    },
  },
  {
    name: 'putMany and getMany take batches from an async iterable, and release it when they are left',
    async run(store) {
      const blocks = blocksOf('left midway', 4)
      const puts = endless(() => blocks)
      for await (const ack of store.putMany(puts.batches)) {
        assertSame(ack.ids, idsOf(blocks), 'the ids of the ack')
        break
      }
      assertThat(puts.released(), 'putMany releases its batches')
      const gets = endless(() => idsOf(blocks))
      for await (const piece of store.getMany(gets.batches)) {
        assertThat(piece.damaged.length === 0, 'nothing is damaged')
        break
      }
      assertThat(gets.released(), 'getMany releases its batches')
      for (const block of blocks) await assertHolds(store, block.id, block.bytes)
    },
  },
  {
    name: 'an error of the batches comes out unchanged, and what was acknowledged stays',
    async run(store) {
      const blocks = blocksOf('before an error', 2)
      const reason = new Error('the source of the batches failed')
      async function* failing(): AsyncGenerator<readonly Block[]> {
        yield blocks
        throw reason
      }
      const acks: BatchAck[] = []
      assertThat(
        (await rejection(all(store.putMany(failing()), acks))) === reason,
        'putMany throws what its batches throw',
      )
      for (const block of acks.length > 0 ? blocks : []) await assertHolds(store, block.id, block.bytes)
    },
  },
  {
    name: 'a signal that was aborted before stops bulk calls with its reason, and nothing is put',
    async run(store) {
      const blocks = blocksOf('aborted before, in bulk', 2)
      await assertAborts((signal) => all(store.putMany([blocks], { signal })), 'putMany')
      await assertAborts((signal) => all(store.getMany([idsOf(blocks)], { signal })), 'getMany')
      assertSame(await store.hasMany(idsOf(blocks)), [false, false], 'hasMany after an aborted putMany')
    },
  },
  {
    name: 'a signal that is aborted meanwhile stops bulk calls with its reason, and what was acknowledged stays',
    async run(store) {
      const blocks = blocksOf('aborted meanwhile', 2)
      await assertAbortsMeanwhile((signal) => store.putMany(endless(() => blocks).batches, { signal }), 'putMany')
      for (const block of blocks) await assertHolds(store, block.id, block.bytes)
      await assertAbortsMeanwhile(
        (signal) => store.getMany(endless(() => idsOf(blocks)).batches, { signal }),
        'getMany',
      )
    },
  },
]

function blocksOf(name: string, count: number): Block[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = utf8(`${name}, block ${i} `.repeat(1 + i))
    return { id: contentId(bytes), bytes }
  })
}

function idsOf(blocks: readonly Block[]): ContentId[] {
  return blocks.map((block) => block.id)
}

/** Everything that an iteration gives, also into `into`, which then has what came before an error. */
async function all<T>(items: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const item of items) into.push(item)
  return into
}

/** Batches without end, and whether their iteration was ended. */
function endless<T>(next: () => T): { readonly batches: AsyncIterable<T>; released(): boolean } {
  let released = false
  async function* batches(): AsyncGenerator<T> {
    try {
      for (;;) yield next()
    } finally {
      released = true
    }
  }
  return { batches: batches(), released: () => released }
}

function assertAnswers(answers: readonly ReadBatch[], blocks: readonly Block[], absent: readonly ContentId[]): void {
  const found = new Map(answers.flatMap((piece) => piece.blocks.map((block) => [block.id, block.bytes])))
  const distinct = (ids: readonly ContentId[]) => [...new Set(ids)].sort()
  assertSame(distinct([...found.keys()]), distinct(idsOf(blocks)), 'the ids of the blocks read')
  assertSame(distinct(answers.flatMap((piece) => piece.absent)), distinct(absent), 'the ids that are absent')
  assertSame(
    answers.flatMap((piece) => piece.damaged),
    [],
    'the ids that are damaged',
  )
  for (const { id, bytes } of blocks) assertThat(equalBytes(found.get(id) as Uint8Array, bytes), `${id} is read whole`)
}

async function assertAbortsMeanwhile(
  call: (signal: AbortSignal) => AsyncIterable<unknown>,
  name: string,
): Promise<void> {
  const controller = new AbortController()
  const reason = { reason: name }
  async function run(): Promise<void> {
    for await (const _ of call(controller.signal)) controller.abort(reason)
  }
  assertThat((await rejection(run())) === reason, `${name}, aborted meanwhile, throws the signal's reason`)
}
