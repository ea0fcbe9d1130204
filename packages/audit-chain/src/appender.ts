import type { AbortOptions } from '@vault/core'
import type { AuditEvent } from './entry.ts'
import { encodeEvent } from './entry.ts'
import type { Head, Trail } from './trail.ts'

/** Appends single events. */
export interface Appender {
  /**
   * Resolves when the event is an entry, durable and under a signed checkpoint. Appends that come while one is under way share the next one's
   * flushes and signature. Throws `AUDIT_ENTRY_INVALID` at once, and what {@link Trail.extend} throws; then the event
   * may be in the trail or not, as after a crash: look for its key before it is appended again.
   */
  append(event: AuditEvent, options?: AbortOptions): Promise<Appended>
}

/** Where an event stands, and the head that was published with it. */
export interface Appended {
  readonly index: number
  readonly head: Head
}

/** Events of one group: two bundles. */
const MAX_GROUP = 512

interface Waiting {
  readonly event: Uint8Array
  resolve(appended: Appended): void
  reject(error: unknown): void
}

/**
 * An appender for a trail that only this process extends, and that only through it. Where several do, they take events from one queue:
 * there the index of an event is fixed before anybody writes it.
 */
export function createAppender(trail: Trail): Appender {
  const waiting: Waiting[] = []
  let running = false

  const flush = async (): Promise<void> => {
    running = true
    while (waiting.length > 0) {
      const group = waiting.splice(0, MAX_GROUP)
      const from = trail.size
      try {
        const head = await trail.extend(
          from,
          group.map(({ event }) => event),
        )
        for (const [i, { resolve }] of group.entries()) resolve({ index: from + i, head })
      } catch (error) {
        for (const { reject } of group) reject(error)
        // What was published before the failure is taken in, or it would stand at the index of the next event.
        await trail.refresh().catch(() => {})
      }
    }
    running = false
  }

  return {
    async append(event, options) {
      options?.signal?.throwIfAborted()
      const bytes = encodeEvent(event)
      return await new Promise((resolve, reject) => {
        waiting.push({ event: bytes, resolve, reject })
        if (!running) void flush()
      })
    },
  }
}
