import type { Bytes, ContentId } from '@vault/core'
import { compareBytes, copyBytes, idBytes } from '@vault/core'
import type { Blobs } from './blob-cas.ts'
import { createBlobCas } from './blob-cas.ts'
import type { ContentStore, ErasableCas, ReadBlock, ScrubbableCas } from './cas.ts'

/** A content store that lives as long as its process. */
export interface MemoryCas extends ContentStore, ErasableCas, ScrubbableCas {}

/** A content store in memory, for tests and short programs. */
export function createMemoryCas(): MemoryCas {
  const blobs = new MemoryBlobs()
  const store = createBlobCas(blobs)
  return {
    ...store,

    async erase(ids, options) {
      options?.signal?.throwIfAborted()
      blobs.erase(ids)
    },

    async *scrub(options) {
      for await (const { blocks, damaged } of store.getMany([blobs.ids()], options)) {
        const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0)
        yield { checked: blocks.length + damaged.length, bytes, damaged, findings: [] }
      }
    },
  }
}

class MemoryBlobs implements Blobs {
  readonly #held = new Map<ContentId, Bytes>()
  /** Kept from one page of a list to the next. */
  #sorted: readonly { readonly id: ContentId; readonly bytes: Bytes }[] | undefined

  async read(ids: readonly ContentId[]): Promise<readonly (Bytes | undefined)[]> {
    return ids.map((id) => {
      const bytes = this.#held.get(id)
      return bytes && copyBytes(bytes)
    })
  }

  async has(ids: readonly ContentId[]): Promise<readonly boolean[]> {
    return ids.map((id) => this.#held.has(id))
  }

  async write(blocks: readonly ReadBlock[]): Promise<void> {
    for (const { id, bytes } of blocks) this.#held.set(id, bytes)
    this.#sorted = undefined
  }

  async list({ after, limit }: Parameters<Blobs['list']>[0]): Promise<readonly ContentId[]> {
    // Decoded once each: comparing the texts would give another order.
    this.#sorted ??= Array.from(this.#held.keys(), (id) => ({ id, bytes: idBytes(id) })).sort((a, b) =>
      compareBytes(a.bytes, b.bytes),
    )
    const start = after === undefined ? undefined : idBytes(after)
    const from = start === undefined ? 0 : this.#sorted.findIndex(({ bytes }) => compareBytes(bytes, start) > 0)
    return from < 0 ? [] : this.#sorted.slice(from, from + limit).map(({ id }) => id)
  }

  erase(ids: readonly ContentId[]): void {
    for (const id of ids) this.#held.delete(id)
    this.#sorted = undefined
  }

  ids(): readonly ContentId[] {
    return [...this.#held.keys()]
  }
}
