import type { EventQueue } from '@vault/audit-chain'
import type { AbortOptions, ContentId } from '@vault/core'
import type { QueuedEvent, SoupStore } from '@vault/soup'

/**
 * What waits for the trail of a vault, for a trail that is opened under the keys of now. Where there are others later, it gives
 * nothing any more: the next log key signs what waits. A key event comes together with an event in the queue, and is looked for after that
 * was read, so nothing behind it is ever signed by the key that it retired, however long ago the trail was opened.
 */
export class KeyedQueue implements EventQueue {
  readonly #store: SoupStore
  readonly #vault: ContentId
  readonly #keyEvents: number

  private constructor(store: SoupStore, vault: ContentId, keyEvents: number) {
    this.#store = store
    this.#vault = vault
    this.#keyEvents = keyEvents
  }

  /** To be opened before the trail is. */
  static async open(store: SoupStore, vault: ContentId, options?: AbortOptions): Promise<KeyedQueue> {
    return new KeyedQueue(store, vault, (await store.tenures.keyEvents(vault, options)).length)
  }

  /** Whether the keys were replaced since. */
  async isOutdated(options?: AbortOptions): Promise<boolean> {
    return (await this.#store.tenures.keyEvents(this.#vault, options)).length !== this.#keyEvents
  }

  async queued(range: { readonly limit: number }, options?: AbortOptions): Promise<readonly QueuedEvent[]> {
    const events = await this.#store.soup(this.#vault).queued(range, options)
    return events.length > 0 && (await this.isOutdated(options)) ? [] : events
  }

  async settled(before: number, options?: AbortOptions): Promise<void> {
    await this.#store.soup(this.#vault).settled(before, options)
  }
}
