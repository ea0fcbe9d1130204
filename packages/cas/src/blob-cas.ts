import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { contentId, copyBytes, matchesId, VaultError } from '@vault/core'
import type { CasErrorCode, ContentStore, ReadBatch, ReadBlock } from './cas.ts'
import { checkBlock, checkLength } from './check-block.ts'

/**
 * Somewhere to keep bytes under a key: a table, a bucket, a folder of files. It is not trusted, so it need not know what a
 * hash is: {@link createBlobCas} makes a content store of it.
 */
export interface Blobs {
  /** The bytes under each id, in order, or `undefined`. They are the caller's own from now on. */
  read(ids: readonly ContentId[], options?: AbortOptions): Promise<readonly (Bytes | undefined)[]>
  /** Whether bytes are kept under each id, in order. */
  has(ids: readonly ContentId[], options?: AbortOptions): Promise<readonly boolean[]>
  /** Keeps blocks, whose bytes nobody else has, also where something is kept under their ids already. Resolves when all of them are durable. */
  write(blocks: readonly ReadBlock[], options?: AbortOptions): Promise<void>
  /** Ids that are kept, ascending by `idBytes`, strictly after `after`: as many as `limit`, fewer only at the end. */
  list(
    range: { readonly after: ContentId | undefined; readonly limit: number },
    options?: AbortOptions,
  ): Promise<readonly ContentId[]>
}

// A store that cannot tell where bytes lie has them all in one.
const SEGMENT = 'blobs'
const PAGE = 4096
// Of the longest blocks it is as much as a piece of an answer.
const READ_AT_ONCE = 8
const PIECE_LENGTH = 8 * 1024 * 1024

/** A content store over bytes that are kept under keys. Hashes what is written and what is read, and bounds what is in memory. */
export function createBlobCas(blobs: Blobs): ContentStore {
  return {
    async get(id, options) {
      options?.signal?.throwIfAborted()
      const { blocks, damaged } = await readSome(blobs, [id], options)
      if (damaged.length > 0) throw corrupt(id)
      return blocks[0]?.bytes
    },

    async has(id, options) {
      options?.signal?.throwIfAborted()
      return (await blobs.has([id], options))[0] === true
    },

    async hasMany(ids, options) {
      options?.signal?.throwIfAborted()
      return blobs.has(ids, options)
    },

    async *list(options) {
      let after = options?.after
      while (true) {
        options?.signal?.throwIfAborted()
        const page = await blobs.list({ after, limit: PAGE }, options)
        if (page.length > 0) yield page
        if (page.length < PAGE) return
        after = page.at(-1)
      }
    },

    async put(bytes, options) {
      options?.signal?.throwIfAborted()
      checkLength(bytes)
      const own = copyBytes(bytes)
      const id = contentId(own, { codec: options?.codec ?? 'raw', hash: options?.hash ?? 'blake3' })
      await blobs.write([{ id, bytes: own }], options)
      return id
    },

    async *putMany(batches, options) {
      options?.signal?.throwIfAborted()
      for await (const batch of batches) {
        options?.signal?.throwIfAborted()
        // Copied before they are checked, so that what was checked is what is kept.
        const blocks = batch.map(({ id, bytes }) => ({ id, bytes: copyBytes(bytes) }))
        for (const block of blocks) checkBlock(block)
        if (blocks.length > 0) await blobs.write(blocks, options)
        const length = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)
        yield { ids: blocks.map(({ id }) => id), segment: blocks.length === 0 ? '' : SEGMENT, bytes: length }
      }
    },

    async *getMany(batches, options) {
      options?.signal?.throwIfAborted()
      for await (const ids of batches) {
        for await (const piece of readPieces(blobs, ids, options)) {
          options?.signal?.throwIfAborted()
          yield piece
        }
      }
    },
  }
}

/** Reads and hashes, in pieces of some mebibytes. */
async function* readPieces(
  blobs: Blobs,
  ids: readonly ContentId[],
  options: AbortOptions | undefined,
): AsyncGenerator<ReadBatch> {
  let piece = emptyPiece()
  let length = 0
  for (let start = 0; start < ids.length; start += READ_AT_ONCE) {
    options?.signal?.throwIfAborted()
    const { blocks, absent, damaged } = await readSome(blobs, ids.slice(start, start + READ_AT_ONCE), options)
    piece.blocks.push(...blocks)
    piece.absent.push(...absent)
    piece.damaged.push(...damaged)
    length += blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (length < PIECE_LENGTH) continue
    yield piece
    piece = emptyPiece()
    length = 0
  }
  yield piece
}

async function readSome(
  blobs: Blobs,
  ids: readonly ContentId[],
  options: AbortOptions | undefined,
): Promise<ReadBatch> {
  const piece = emptyPiece()
  const found = await blobs.read(ids, options)
  for (const [i, id] of ids.entries()) {
    const bytes = found[i]
    if (bytes === undefined) piece.absent.push(id)
    else if (!matchesId(id, bytes)) piece.damaged.push(id)
    else piece.blocks.push({ id, bytes })
  }
  return piece
}

function emptyPiece(): { blocks: ReadBlock[]; absent: ContentId[]; damaged: ContentId[] } {
  return { blocks: [], absent: [], damaged: [] }
}

function corrupt(id: ContentId): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `The bytes that are kept as ${id} are not what this id names. Put them again.`,
    details: { id },
  })
}
