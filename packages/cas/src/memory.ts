import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { compareBytes, contentId, copyBytes, idBytes, matchesId, VaultError } from '@vault/core'
import type { CasErrorCode, ContentStore, ErasableCas, ReadBatch, ReadBlock, ScrubbableCas } from './cas.ts'
import { checkBlock, checkLength } from './check-block.ts'

/** A content store that lives as long as its process. */
export interface MemoryCas extends ContentStore, ErasableCas, ScrubbableCas {}

const SEGMENT = 'memory'
const PAGE = 4096
const PIECE_LENGTH = 8 * 1024 * 1024

/** A content store in memory, for tests and short programs. */
export function createMemoryCas(): MemoryCas {
  const held = new Map<ContentId, Bytes>()

  return {
    async get(id, options) {
      options?.signal?.throwIfAborted()
      const bytes = held.get(id)
      if (bytes === undefined) return undefined
      if (!matchesId(id, bytes)) throw corrupt(id)
      return copyBytes(bytes)
    },

    async has(id, options) {
      options?.signal?.throwIfAborted()
      return held.has(id)
    },

    async hasMany(ids, options) {
      options?.signal?.throwIfAborted()
      return ids.map((id) => held.has(id))
    },

    async *list(options) {
      options?.signal?.throwIfAborted()
      yield* pages(idsAfter(held.keys(), options?.after), options)
    },

    async put(bytes, options) {
      options?.signal?.throwIfAborted()
      checkLength(bytes)
      const own = copyBytes(bytes)
      const id = contentId(own, { codec: options?.codec ?? 'raw', hash: options?.hash ?? 'blake3' })
      held.set(id, own)
      return id
    },

    async *putMany(batches, options) {
      options?.signal?.throwIfAborted()
      for await (const batch of batches) {
        options?.signal?.throwIfAborted()
        // Copied before they are checked, so that what was checked is what is stored.
        const blocks = batch.map(({ id, bytes }) => ({ id, bytes: copyBytes(bytes) }))
        for (const block of blocks) checkBlock(block)
        for (const { id, bytes } of blocks) held.set(id, bytes)
        const length = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)
        yield { ids: blocks.map(({ id }) => id), segment: blocks.length === 0 ? '' : SEGMENT, bytes: length }
      }
    },

    async *getMany(batches, options) {
      options?.signal?.throwIfAborted()
      for await (const ids of batches) {
        for (const piece of read(held, ids)) {
          options?.signal?.throwIfAborted()
          yield piece
        }
      }
    },

    async erase(ids, options) {
      options?.signal?.throwIfAborted()
      for (const id of ids) held.delete(id)
    },

    async *scrub(options) {
      options?.signal?.throwIfAborted()
      for (const { blocks, damaged } of read(held, [...held.keys()])) {
        options?.signal?.throwIfAborted()
        const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0)
        yield { checked: blocks.length + damaged.length, bytes, damaged, findings: [] }
      }
    },
  }
}

/** Reads, copies and hashes, in pieces of some mebibytes. */
function* read(held: ReadonlyMap<ContentId, Bytes>, ids: readonly ContentId[]): Generator<ReadBatch> {
  let piece = emptyPiece()
  let length = 0
  for (const id of ids) {
    const bytes = held.get(id)
    if (bytes === undefined) piece.absent.push(id)
    else if (!matchesId(id, bytes)) piece.damaged.push(id)
    else {
      piece.blocks.push({ id, bytes: copyBytes(bytes) })
      length += bytes.length
    }
    if (length >= PIECE_LENGTH) {
      yield piece
      piece = emptyPiece()
      length = 0
    }
  }
  yield piece
}

function emptyPiece(): { blocks: ReadBlock[]; absent: ContentId[]; damaged: ContentId[] } {
  return { blocks: [], absent: [], damaged: [] }
}

/** Ascending by the ids' bytes, decoded once each: comparing the texts would give another order. */
function idsAfter(ids: Iterable<ContentId>, after: ContentId | undefined): readonly ContentId[] {
  const start = after === undefined ? undefined : idBytes(after)
  return Array.from(ids, (id) => ({ id, bytes: idBytes(id) }))
    .filter(({ bytes }) => start === undefined || compareBytes(bytes, start) > 0)
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ id }) => id)
}

function* pages(ids: readonly ContentId[], options: AbortOptions | undefined): Generator<readonly ContentId[]> {
  for (let start = 0; start < ids.length; start += PAGE) {
    options?.signal?.throwIfAborted()
    yield ids.slice(start, start + PAGE)
  }
}

function corrupt(id: ContentId): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `The bytes of ${id} in memory are no longer what this id names. Put them again.`,
    details: { id },
  })
}
