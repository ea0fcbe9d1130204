import type { AbortOptions, Bytes } from '@vault/core'
import type { Trail } from './trail.ts'

/** Events that wait for the trail, each with the index that its entry will have: fixed when it was queued. */
export interface EventQueue {
  /** The first ones that wait, ascending, without gaps. */
  queued(
    range: { readonly limit: number },
    options?: AbortOptions,
  ): Promise<readonly { readonly index: number; readonly bytes: Bytes }[]>
  /** Forgets those with an index below this one. */
  settled(before: number, options?: AbortOptions): Promise<void>
}

export interface DrainOptions extends AbortOptions {
  /** Is content when the events below this index are in the trail, though others go on queueing. Default: drains all. */
  readonly before?: number
}

const PAGE = 256

/**
 * Moves everything that waits into the trail. May be interrupted, repeated, and run by several processes at once: an event becomes
 * one entry, at its index. Throws what {@link Trail.extend} throws; what was not settled waits on.
 */
export async function drainQueue(
  queue: EventQueue,
  trail: Trail,
  { before = Number.POSITIVE_INFINITY, ...options }: DrainOptions = {},
): Promise<void> {
  while (true) {
    const events = await queue.queued({ limit: PAGE }, options)
    const [first] = events
    if (first === undefined || first.index >= before) return
    await trail.extend(
      first.index,
      events.map(({ bytes }) => bytes),
      options,
    )
    await queue.settled(first.index + events.length, options)
  }
}
