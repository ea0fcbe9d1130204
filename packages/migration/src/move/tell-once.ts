import type { TrailErrorCode, TrailReader } from '@vault/audit-chain'
import { decodeEvent } from '@vault/audit-chain'
import type { AbortOptions } from '@vault/core'
import { isVaultError, VaultError } from '@vault/core'
import type { Outbox, Soup } from '@vault/soup'

/** An event, and the key by which it is known. */
export interface KeyedEvent {
  readonly key: string
  readonly bytes: Uint8Array
}

/** What has been seen of a trail: the keys of one migration in its entries before this index. */
export class Told {
  readonly #prefix: string
  readonly #keys = new Set<string>()
  #before: number

  /** `since`: the entries of the migration come behind it. */
  constructor(prefix: string, since: number) {
    this.#prefix = prefix
    this.#before = since
  }

  /** Everything with a lower index has been seen. */
  get before(): number {
    return this.#before
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  see(index: number, key: string): void {
    if (key.startsWith(this.#prefix)) this.#keys.add(key)
    this.#before = index + 1
  }
}

/** Where events are told: the soup that queues them, and the trail that they come to. */
export interface Teller {
  readonly soup: Soup & Outbox
  readonly trail: () => Promise<TrailReader>
  readonly drain: () => Promise<unknown>
}

const WAITING = 1_024

/**
 * Queues events for the trail, each once: what stands in the log, or waits for it, under its key is left out. The number of events is part
 * of what the change expects, so of two processes that tell the same one does; and what others say meanwhile is only looked at, not
 * waited for. Then fills the log, of a vault that is not quiesced.
 */
export async function tellOnce(
  { soup, trail, drain }: Teller,
  told: Told,
  telling: { readonly events: readonly KeyedEvent[]; readonly migration: string },
  options?: AbortOptions,
): Promise<void> {
  const { migration } = telling
  let isClosed = false
  while (true) {
    options?.signal?.throwIfAborted()
    // In this order: what others queue meanwhile is not taken for something that has left the queue.
    const { state, epoch, events } = await soup.tenure(options)
    const waiting = await soup.queued({ limit: WAITING }, options)
    isClosed = state === 'quiesced'
    const settled = waiting[0]?.index ?? events
    if (told.before < settled) await readUpTo(settled, trail, told, options)
    for (const { index, bytes } of waiting) if (index >= told.before) told.see(index, decodeEvent(bytes).key)
    if (told.before < events) {
      // More waits than is looked at in one piece.
      if (waiting.length === WAITING) await drain()
      continue
    }
    const missing = telling.events.filter(({ key }) => !told.has(key)).map(({ bytes }) => bytes)
    if (missing.length === 0) break
    try {
      const inName = isClosed ? { migration } : {}
      await soup.commit({ epoch, events: missing, expect: { events }, ...inName }, options)
      break
    } catch (error) {
      if (!isVaultError(error, 'SOUP_CONFLICT')) throw error
    }
  }
  // Nobody writes to a quiesced vault, who waits for the move, and its last steps fill the log once for all.
  if (!isClosed) await drain()
}

/** Sees the entries of the log before this index. What the soup has settled is there, unless the log was put back from an old copy. */
async function readUpTo(
  index: number,
  open: () => Promise<TrailReader>,
  told: Told,
  options?: AbortOptions,
): Promise<void> {
  const trail = await open()
  if (trail.size < index) throw shortLog(trail.size, index)
  for await (const page of trail.entries({ from: told.before, to: index, ...options })) {
    for (const entry of page) told.see(entry.index, entry.entry.key)
  }
}

function shortLog(size: number, settled: number): VaultError<TrailErrorCode> {
  return new VaultError({
    code: 'AUDIT_ROLLBACK',
    message: `The log has ${size} entries, and ${settled} were written to it: an old copy of it was put back.`,
    details: { size, settled },
  })
}
