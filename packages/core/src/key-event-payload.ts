import { decode } from './cbor-decode.ts'
import { checkEvent, invalidEvent } from './key-event-error.ts'

/** The type under which key events are signed. */
export const KEY_EVENT = 'key'

// Three roles of 64 keys are 11 KiB.
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 8 }

/** The value of the payload of a key event. Throws `KEY_EVENT_INVALID`. */
export function decodeEvent(payload: Uint8Array): unknown {
  try {
    return decode(payload, LIMITS)
  } catch (cause) {
    throw invalidEvent('it is not strict DAG-CBOR within 64 KiB', cause)
  }
}

/** A decoded value as the time of an event, in seconds since 1970. Throws `KEY_EVENT_INVALID`. */
export function parseTime(at: unknown): number {
  checkEvent(typeof at === 'number' && Number.isInteger(at) && at >= 0, '"at" is not a whole number of seconds')
  return at
}
