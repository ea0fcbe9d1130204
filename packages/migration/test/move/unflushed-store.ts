import type { Bytes, ContentId } from '@vault/core'
import type { SoupStore, SwapOptions, VaultSoup } from '@vault/soup'
import { recordConflict } from '@vault/soup'

/**
 * A store as one process sees it whose changes that need not be durable are lost with the power, all of them: they come into the store with
 * the next change that is durable, before it. Nobody else sees them, so it is for one process at a time.
 */
export function unflushedStore(store: SoupStore): SoupStore {
  const { tenures, records } = store
  const waiting: (() => Promise<unknown>)[] = []
  const values = new Map<string, { readonly version: number; readonly bytes: Bytes }>()
  const settled = new Map<ContentId, number>()

  const durably = async <T>(change: () => Promise<T>): Promise<T> => {
    for (const write of waiting.splice(0)) await write()
    values.clear()
    settled.clear()
    return await change()
  }

  const swapLater = async (key: string, expected: number, next: Uint8Array, options?: SwapOptions): Promise<number> => {
    const before = (values.get(key) ?? (await records.read(key, options)))?.version ?? 0
    if (before !== expected) throw recordConflict(key, expected, before)
    const version = before + 1
    values.set(key, { version, bytes: new Uint8Array(next) })
    waiting.push(async () => {
      if ((await records.swap(key, before, next)) !== version) throw new Error(`${key} got another version`)
    })
    return version
  }

  const soupOf = (vault: ContentId): VaultSoup => {
    const soup = store.soup(vault)
    return {
      ...soup,
      commit: (...call) => durably(() => soup.commit(...call)),
      receive: (...call) => durably(() => soup.receive(...call)),
      restore: (...call) => durably(() => soup.restore(...call)),
      async queued(range, options) {
        const events = await soup.queued({ limit: range.limit + 1024 }, options)
        return events.filter(({ index }) => index >= (settled.get(vault) ?? 0)).slice(0, range.limit)
      },
      async settled(before) {
        settled.set(vault, before)
        waiting.push(() => soup.settled(before))
      },
    }
  }

  return {
    ...store,
    soup: soupOf,
    tenures: { ...tenures, transition: (...call) => durably(() => tenures.transition(...call)) },
    records: {
      ...records,
      read: async (key, options) => values.get(key) ?? (await records.read(key, options)),
      swap: (key, expected, next, options) =>
        options?.durable === false && next !== undefined
          ? swapLater(key, expected, next, options)
          : durably(() => records.swap(key, expected, next, options)),
    },
  }
}
