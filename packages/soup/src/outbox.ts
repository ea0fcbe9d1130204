import type { AbortOptions, Bytes } from '@vault/core'
import { soupError } from './soup-error.ts'

/** Longest audit event, in bytes: with what the log puts around it, it stays below the 64 KiB of a log's entry. */
export const MAX_EVENT_LENGTH: number = 61_440

/** Audit events in one change, at most. */
export const MAX_EVENTS: number = 1024

/** An audit event that waits for the log. */
export interface QueuedEvent {
  /** Its place in the log. */
  readonly index: number
  readonly bytes: Bytes
}

/**
 * What waits to be written into the audit log of a vault, in the order of the changes that queued it. A change and its
 * events are one transaction, so no change is without its events, and the log comes out the same however often whoever
 * fills it is stopped: write the events under their indices, make them durable, then settle. Several may do so at once;
 * the log itself sees to it that an index is written once.
 */
export interface Outbox {
  /** The first events that wait, ascending and without gaps, at most `limit`. */
  queued(range: { readonly limit: number }, options?: AbortOptions): Promise<readonly QueuedEvent[]>
  /**
   * Forgets all events with an index below `before`: the log has them, durably. Again, or for fewer than are forgotten
   * already, it does nothing. It may be durable only when a later change is: what waits again is found in the log. Throws `SOUP_INVALID` beyond the events that there ever were.
   */
  settled(before: number, options?: AbortOptions): Promise<void>
}

/** Copies of events to queue. Throws `SOUP_INVALID` for too many, and for one that is too long or empty. */
export function checkEvents(events: readonly Uint8Array[] = []): readonly Bytes[] {
  if (events.length > MAX_EVENTS) {
    throw soupError('SOUP_INVALID', `A change has at most ${MAX_EVENTS} audit events, not ${events.length}.`)
  }
  return events.map((event) => {
    if (event.length >= 1 && event.length <= MAX_EVENT_LENGTH) return new Uint8Array(event)
    const message = `An audit event has 1 to ${MAX_EVENT_LENGTH} bytes, not ${event.length}. Keep what is longer as a held block, and name that.`
    throw soupError('SOUP_INVALID', message)
  })
}

/** Throws `SOUP_INVALID` unless the events below `before` can be settled, of so many that there ever were. */
export function checkSettled(before: number, events: number): void {
  if (Number.isSafeInteger(before) && before >= 0 && before <= events) return
  throw soupError('SOUP_INVALID', `Of ${events} audit events, those before ${before} cannot be settled.`, {
    before,
    events,
  })
}
