import type { BatchAck, Block, BulkCas, CasReader, ReadBatch, ReadBlock } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { matchesId, VaultError } from '@vault/core'
import type { Frame } from '@vault/transfer/frame'
import { frameParts } from '@vault/transfer/frame'
import type { Ask, Side } from './calls.ts'
import { batchAck } from './calls.ts'
import type { HttpClient } from './http-client.ts'
import type { BlockList, BlockPiece } from './stream-field.ts'
import { blockPiece, cutBlocks } from './stream-field.ts'
import { answerInvalid } from './wire-error.ts'

// What is on its way at a time: the other end writes one while the next ones come.
const UNANSWERED = 3
const IDS_AT_ONCE = 16_384

/** The content store of another place. What comes is hashed here, what goes is hashed there. */
export function remoteObjects(
  client: HttpClient,
  { ask, vault, side }: { readonly ask: Ask; readonly vault: ContentId; readonly side: Side },
): BulkCas & CasReader {
  const path = `/vaults/${vault}/${side}`

  async function put(batch: readonly Block[], options?: AbortOptions): Promise<BatchAck> {
    const value: BlockList = { ids: batch.map(({ id }) => id), sizes: batch.map(({ bytes }) => bytes.length) }
    const body = batch.map(({ bytes }) => bytes)
    return await client.exchange(`${path}/put-objects`, { value, body }, options, (answer) => batchAck(answer, 'ack'))
  }

  async function* putMany(
    batches: AsyncIterable<readonly Block[]> | Iterable<readonly Block[]>,
    options?: AbortOptions,
  ): AsyncGenerator<BatchAck> {
    const unanswered: Promise<BatchAck>[] = []
    for await (const batch of batches) {
      const acked = put(batch, options)
      // Met when its turn comes.
      acked.catch(() => {})
      unanswered.push(acked)
      if (unanswered.length === UNANSWERED) yield (await unanswered.shift()) as BatchAck
    }
    for (const acked of unanswered) yield await acked
  }

  async function* getMany(
    batches: AsyncIterable<readonly ContentId[]> | Iterable<readonly ContentId[]>,
    options?: AbortOptions,
  ): AsyncGenerator<ReadBatch> {
    for await (const batch of batches) {
      for (let from = 0; from < batch.length; from += IDS_AT_ONCE) {
        yield* read(batch.slice(from, from + IDS_AT_ONCE), options)
      }
    }
  }

  /** In pieces as they come. Where the connection is cut, what has not come is asked for again. */
  async function* read(wanted: readonly ContentId[], options?: AbortOptions): AsyncGenerator<ReadBatch> {
    const open = new Set(wanted)
    let pieces: AsyncGenerator<Frame> | undefined
    const next = async (): Promise<Frame | undefined> => {
      pieces ??= client.frames(`${path}/get-objects`, await frameParts({ ids: [...open] }), options)
      try {
        const { value, done } = await pieces.next()
        return done === true ? undefined : value
      } catch (error) {
        pieces = undefined
        throw error
      }
    }
    try {
      while (open.size > 0) {
        const frame = await client.patiently(options, next, `${path}/get-objects`)
        if (frame === undefined) throw answerInvalid(path, `it leaves ${open.size} objects out`)
        const piece = client.parsed(path, frame.value, (value) => blockPiece(value, 'piece'))
        yield readPiece(path, piece, frame.body, open)
      }
      // Reads the end, so that the connection can be used again.
      await pieces?.next()
    } finally {
      await pieces?.return(undefined)
    }
  }

  async function get(id: ContentId, options?: AbortOptions): Promise<Bytes | undefined> {
    for await (const { blocks, damaged } of read([id], options)) {
      if (damaged.length > 0) throw corrupt(id)
      if (blocks[0] !== undefined) return blocks[0].bytes
    }
    return undefined
  }

  return {
    putMany,
    getMany,
    get,
    hasMany: (ids, options) => ask('has-objects', { ids }, options),
    async has(id, options) {
      const [there] = await ask('has-objects', { ids: [id] }, options)
      return there === true
    },
    list: () => {
      throw new TypeError('The objects of another place are listed by its soup.')
    },
  }
}

/** The blocks of a frame, hashed; takes each out of `open`. Throws `HTTP_ANSWER_INVALID`. */
function readPiece(path: string, piece: BlockPiece, body: Bytes, open: Set<ContentId>): ReadBatch {
  const blocks: ReadBlock[] = []
  const damaged = [...piece.damaged]
  for (const { id, bytes } of cutBlocks(piece, body) ?? []) {
    if (matchesId(id, bytes)) blocks.push({ id, bytes })
    else damaged.push(id)
  }
  const answered = [...blocks.map(({ id }) => id), ...piece.absent, ...damaged]
  if (answered.length !== piece.ids.length + piece.absent.length + piece.damaged.length || answered.length === 0) {
    throw answerInvalid(path, 'its lengths contradict each other')
  }
  for (const id of answered) if (!open.delete(id)) throw answerInvalid(path, `it has ${id}, which was not asked for`)
  return { blocks, absent: piece.absent, damaged }
}

function corrupt(id: ContentId): VaultError {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `The other place has other bytes under ${id} than it names. Restore them there from another copy.`,
    details: { id },
  })
}
