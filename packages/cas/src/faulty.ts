import type { ContentId } from '@vault/core'
import { contentId, VaultError } from '@vault/core'
import type { CasErrorCode, ContentStore } from './cas.ts'

/** A call of a store, or one batch of a bulk call. */
export interface CasCall {
  /** Counts from 1 over all methods. */
  readonly number: number
  readonly method: keyof ContentStore
}

/** What goes wrong with a store. Each is asked again every time, so a test can change its mind while it runs. */
export interface CasFaults {
  /** Runs before each call and each batch; what it throws is thrown. Here a test fails call N, waits, or aborts a signal. */
  readonly before?: (call: CasCall) => void | Promise<void>
  /** As `before`, but when the work is done and not yet answered: a crash between writing and acknowledging. */
  readonly after?: (call: CasCall) => void | Promise<void>
  /** Objects that are acknowledged and never stored. */
  readonly loses?: (id: ContentId) => boolean
  /** Objects that are no longer there. */
  readonly vanished?: (id: ContentId) => boolean
  /** Objects whose stored bytes are flipped: a store that hashes again says `CAS_CORRUPT`, or lists them as damaged. */
  readonly damaged?: (id: ContentId) => boolean
}

/** A store with faults, to show that whoever relies on one notices. Without faults it is the store itself. */
export function faultyCas(store: ContentStore, faults: CasFaults): ContentStore {
  const { before, after, loses = never, vanished = never, damaged = never } = faults
  let calls = 0

  async function faulty<T>(method: keyof ContentStore, work: () => Promise<T>): Promise<T> {
    const call = { number: ++calls, method }
    await before?.(call)
    const result = await work()
    await after?.(call)
    return result
  }

  return {
    get: (id, options) =>
      faulty('get', async () => {
        const bytes = vanished(id) ? undefined : await store.get(id, options)
        if (bytes !== undefined && damaged(id)) throw flipped(id)
        return bytes
      }),

    has: (id, options) => faulty('has', async () => (await store.has(id, options)) && !vanished(id)),

    hasMany: (ids, options) =>
      faulty('hasMany', async () => {
        const held = await store.hasMany(ids, options)
        return ids.map((id, i) => held[i] === true && !vanished(id))
      }),

    async *list(options) {
      for await (const page of store.list(options)) {
        yield await faulty('list', async () => page.filter((id) => !vanished(id)))
      }
    },

    put: (bytes, options) =>
      faulty('put', async () => {
        const { codec = 'raw', hash = 'blake3' } = options ?? {}
        const id = contentId(bytes, { codec, hash })
        return loses(id) ? id : await store.put(bytes, options)
      }),

    // One batch at a time, so that a fault meets the same batch in every store, however far it would read ahead.
    async *putMany(batches, options) {
      options?.signal?.throwIfAborted()
      for await (const batch of batches) {
        yield* await faulty('putMany', async () => {
          const kept = batch.filter(({ id }) => !loses(id))
          const acks = await Array.fromAsync(store.putMany([kept], options))
          return acks.map((ack) => ({ ...ack, ids: batch.map(({ id }) => id) }))
        })
      }
    },

    async *getMany(batches, options) {
      options?.signal?.throwIfAborted()
      for await (const ids of batches) {
        yield* await faulty('getMany', async () => {
          const pieces = await Array.fromAsync(store.getMany([ids], options))
          return pieces.map(({ blocks, ...piece }) => {
            const read = blocks.map(({ id }) => id)
            return {
              blocks: blocks.filter(({ id }) => !vanished(id) && !damaged(id)),
              absent: [...piece.absent, ...read.filter(vanished)],
              damaged: [...piece.damaged, ...read.filter((id) => !vanished(id) && damaged(id))],
            }
          })
        })
      }
    },
  }
}

function never(): boolean {
  return false
}

function flipped(id: ContentId): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `The stored bytes of ${id} were flipped by a test.`,
    details: { id },
  })
}
