import type { LogReader } from '@vault/audit-chain'
import { type BatchAck, lendMany, type ReadBatch, reopen } from '@vault/cas'
import type { Bytes } from '@vault/core'
import { ownObjects } from '@vault/migration'
import type { BlockPiece } from '@vault/migration/http'
import {
  blockList,
  copyTrailRequest,
  cutBlocks,
  moveRequest,
  moveTrailRequest,
  objectRequest,
  type Side,
  takeBackRequest,
  trailFile,
  WORKING,
} from '@vault/migration/http'
import type { Frame } from '@vault/transfer/frame'
import type { Asked } from './answers.ts'
import { refusal } from './refusal.ts'
import { Teller } from './teller.ts'

/** The other way of a conversation: frames to the client. */
export type Say = (value: unknown, body?: readonly Uint8Array[]) => Promise<void>

/** A call whose request or answer has bytes beside its value, or several frames. */
export interface Stream {
  readonly sides: readonly Side[]
  readonly summary: string
  /** Longest frame of the client in bytes. */
  readonly maxBytes: number
  /** Whether it releases its frames, so that what comes is put where others were before. */
  readonly releases?: true
  readonly run: (asked: Asked, frames: AsyncGenerator<Frame>, say: Say) => Promise<void>
}

const MAX_BATCH = 10 * 1024 * 1024
const MAX_MOVE = 512 * 1024
const MAX_TRAIL_FILE = 24 * 1024 * 1024
// Of blocks in a frame, unless a block is longer. It is encrypted at once, and meanwhile nobody else is answered.
const PIECE = 256 * 1024
/** How often a client hears that the server is there, while it sends something long or waits for it: from nothing else does it know. */
export const WORKING_MS = 500

export const STREAMS: Readonly<Record<string, Stream>> = {
  'put-objects': {
    sides: ['target'],
    summary: 'Stores blocks; the answer says that they are durable',
    maxBytes: MAX_BATCH,
    releases: true,
    run: putObjects,
  },
  'get-objects': {
    sides: ['source', 'target'],
    summary: 'Reads blocks of the vault',
    maxBytes: MAX_BATCH,
    run: getObjects,
  },
  'move-trail': {
    sides: ['target'],
    summary: 'Takes the audit trail of a move, file by file as they are asked for',
    maxBytes: MAX_TRAIL_FILE,
    run: moveTrail,
  },
  'copy-trail': {
    sides: ['target'],
    summary: 'Takes the audit trail of a copy, file by file as they are asked for',
    maxBytes: MAX_TRAIL_FILE,
    run: copyTrail,
  },
  move: {
    sides: ['source'],
    summary: 'Moves the vault to another server, or goes on with that, and tells how',
    maxBytes: MAX_MOVE,
    run: moveAway,
  },
  'take-back': {
    sides: ['source'],
    summary: 'Takes back a move of the vault to another server, and tells how',
    maxBytes: MAX_MOVE,
    run: takeBack,
  },
}

async function putObjects(
  { served, vault, key, options }: Asked,
  frames: AsyncGenerator<Frame>,
  say: Say,
): Promise<void> {
  const { value, body, release } = await next(frames)
  const blocks = cutBlocks(blockList(value, 'blocks'), body)
  if (blocks === undefined) throw refusal('HTTP_REQUEST_INVALID', 'The lengths of the blocks contradict each other.')
  let acked: BatchAck | undefined
  for await (const ack of served.place.objects.putMany([blocks], options)) acked = ack
  if (acked === undefined) throw new Error('The store has not acknowledged a batch.')
  served.storedBy(key, vault).add(blocks)
  // Where it fails, something may still read them.
  release()
  const { ids, segment, bytes } = acked
  await say({ ids, segment, bytes })
}

async function getObjects(
  { served, vault, side, whileThere }: Asked,
  frames: AsyncGenerator<Frame>,
  say: Say,
): Promise<void> {
  const options = whileThere()
  const { value } = await next(frames)
  const { ids } = objectRequest(value, 'objects')
  const own = await ownObjects(served.place.soups.soup(vault), ids, options)
  const readable = new Set(own)
  const foreign = ids.filter((id) => !readable.has(id))
  if (foreign.length > 0) await say({ ids: [], sizes: [], absent: foreign, damaged: [] } satisfies BlockPiece)
  // What is read back from a target is to say what it has.
  if (side === 'target') await reopen(served.place.objects, options)
  for await (const { release, ...read } of lendMany(served.place.objects, [[...readable]], options)) {
    try {
      await sayBlocks(read, say)
    } finally {
      release()
    }
  }
}

/** Blocks that were read, in frames that are short. */
async function sayBlocks({ blocks, absent, damaged }: ReadBatch, say: Say): Promise<void> {
  let piece: Bytes[] = []
  let from = 0
  let bytes = 0
  for (const [i, block] of blocks.entries()) {
    piece.push(block.bytes)
    bytes += block.bytes.length
    if (bytes < PIECE && i < blocks.length - 1) continue
    const sent = blocks.slice(from, i + 1)
    const sizes = sent.map((each) => each.bytes.length)
    await say({ ids: sent.map(({ id }) => id), sizes, absent: [], damaged: [] } satisfies BlockPiece, piece)
    piece = []
    bytes = 0
    from = i + 1
  }
  if (absent.length + damaged.length > 0) await say({ ids: [], sizes: [], absent, damaged } satisfies BlockPiece)
}

async function moveTrail({ served, vault, options }: Asked, frames: AsyncGenerator<Frame>, say: Say): Promise<void> {
  const request = moveTrailRequest((await next(frames)).value, 'trail')
  await takeTrail(frames, say, (from) => served.move.receiveTrail({ ...request, vault, from }, options))
}

async function copyTrail({ served, vault, options }: Asked, frames: AsyncGenerator<Frame>, say: Say): Promise<void> {
  const { keyEvents, note } = copyTrailRequest((await next(frames)).value, 'trail')
  await takeTrail(frames, say, (log) => served.copy.receiveTrail({ vault, keyEvents, trail: { log, note } }, options))
}

async function moveAway(asked: Asked, frames: AsyncGenerator<Frame>, say: Say): Promise<void> {
  const request = moveRequest((await next(frames)).value, 'move')
  await using teller = new Teller(say)
  await asked.served.away.run(asked, request, teller)
}

async function takeBack(asked: Asked, frames: AsyncGenerator<Frame>, say: Say): Promise<void> {
  const request = takeBackRequest((await next(frames)).value, 'move')
  await using teller = new Teller(say)
  await asked.served.away.takeBack(asked, request, teller)
}

/** Takes a trail from the log of a client, which hears meanwhile that it is worked on. */
async function takeTrail(
  frames: AsyncGenerator<Frame>,
  say: Say,
  take: (log: LogReader) => Promise<void>,
): Promise<void> {
  const working = setInterval(() => void say(WORKING).catch(() => {}), WORKING_MS)
  try {
    await take(clientLog(frames, say))
  } finally {
    clearInterval(working)
  }
  await say({ need: null })
}

/** The log of a client, which is asked for one file after the other. */
function clientLog(frames: AsyncGenerator<Frame>, say: Say): LogReader {
  let before: Promise<unknown> = Promise.resolve()
  return {
    read(name, options) {
      const asked = before.then(async () => {
        options?.signal?.throwIfAborted()
        await say({ need: name })
        return trailFile((await next(frames)).value, 'file') ?? undefined
      })
      before = asked.catch(() => {})
      return asked
    },
  }
}

async function next(frames: AsyncGenerator<Frame>): Promise<Frame> {
  const { value, done } = await frames.next()
  if (done === true) throw refusal('HTTP_REQUEST_INVALID', 'The request ends before it says what it is about.')
  return value
}
