import type { Bytes, ContentId } from '@vault/core'
import { compareBytes, copyBytes, idBytes } from '@vault/core'
import type { Blobs } from './blob-cas.ts'
import { createBlobCas } from './blob-cas.ts'
import type { ContentStore, ErasableCas, ScrubbableCas } from './cas.ts'

/** A content store that lives as long as its process. */
export interface MemoryCas extends ContentStore, ErasableCas, ScrubbableCas {}

/** A content store in memory, for tests and short programs. */
export function createMemoryCas(): MemoryCas {
  const held = new Map<ContentId, Bytes>()
  const store = createBlobCas(blobsIn(held))
  return {
    ...store,

    async erase(ids, options) {
      options?.signal?.throwIfAborted()
      for (const id of ids) held.delete(id)
    },

    async *scrub(options) {
      for await (const { blocks, damaged } of store.getMany([[...held.keys()]], options)) {
        const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0)
        yield { checked: blocks.length + damaged.length, bytes, damaged, findings: [] }
      }
    },
  }
}

function blobsIn(held: Map<ContentId, Bytes>): Blobs {
  return {
    async read(ids) {
      return ids.map((id) => {
        const bytes = held.get(id)
        return bytes && copyBytes(bytes)
      })
    },

    async has(ids) {
      return ids.map((id) => held.has(id))
    },

    async write(blocks) {
      for (const { id, bytes } of blocks) held.set(id, bytes)
    },

    async list({ after, limit }) {
      return idsAfter(held.keys(), after).slice(0, limit)
    },
  }
}

/** Ascending by the ids' bytes, decoded once each: comparing the texts would give another order. */
function idsAfter(ids: Iterable<ContentId>, after: ContentId | undefined): readonly ContentId[] {
  const start = after === undefined ? undefined : idBytes(after)
  return Array.from(ids, (id) => ({ id, bytes: idBytes(id) }))
    .filter(({ bytes }) => start === undefined || compareBytes(bytes, start) > 0)
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ id }) => id)
}
