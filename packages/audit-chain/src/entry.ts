import type { Bytes, CborLimits, KeyId } from '@vault/core'
import { decode, encode, hasFields, isLink, isVaultError, parseKeyId, reasonOf } from '@vault/core'
import { MAX_ENTRY_LENGTH } from './entry-bundle.ts'
import { invalidEntry } from './trail-error.ts'

/** What happened, as it is fixed when it happens: everything of an entry but its place in the trail. */
export interface AuditEvent {
  /** Seconds since 1970, by the clock of who wrote it down. */
  readonly time: number
  readonly actor: AuditActor
  readonly action: AuditAction
  readonly context?: AuditContext
  /** Idempotency key, 1 to 512 characters: an event that is queued again is recognised by it. Unique in a trail. */
  readonly key: string
}

export interface AuditActor {
  /** As the actor is called where the event was written down. */
  readonly name: string
  readonly key?: KeyId
  /** Whether the actor proved to have the key when it acted, by a signed request or a handshake. */
  readonly proven: boolean
  /** The request that the actor signed, verbatim. */
  readonly request?: Uint8Array
}

export interface AuditAction {
  /** 1 to 128 characters, as `put`. */
  readonly verb: string
  /** What it was done to, as `path:photos/a.jpg`. */
  readonly object: string
  /** Values that DAG-CBOR can carry. */
  readonly parameters?: Readonly<Record<string, unknown>>
}

export interface AuditContext {
  readonly motivation?: string
  /** Indexes of earlier entries. */
  readonly relates_to?: readonly number[]
  /** Language of the motivation, as `en`. */
  readonly language?: string
}

/** An event at its place in a trail. */
export interface AuditEntry extends AuditEvent {
  readonly type: 'audit'
  readonly v: 1
  /** Index in the trail, from 0. */
  readonly seq: number
  /** RFC 9162 leaf hash of the entry before; `null` for the first one. */
  readonly prev: Bytes | null
}

/** Bytes of the longest event: what is left of an entry's 65,535 is ample for its place. */
export const MAX_EVENT_LENGTH: number = 60 * 1024

const LIMITS = { maxDepth: 32, maxItems: 16_384 } as const
const EVENT_LIMITS = { ...LIMITS, maxBytes: MAX_EVENT_LENGTH }
const ENTRY_LIMITS = { ...LIMITS, maxItems: LIMITS.maxItems + 8, maxBytes: MAX_ENTRY_LENGTH }
const HASH_LENGTH = 32
const MAX_VERB_LENGTH = 128
const MAX_KEY_LENGTH = 512

/** The bytes of an event. Throws `AUDIT_ENTRY_INVALID` for what {@link decodeEvent} would refuse. */
export function encodeEvent(event: AuditEvent): Bytes {
  checkEvent(event)
  return canonical(event, EVENT_LIMITS)
}

/** An event from bytes of any origin. Throws `AUDIT_ENTRY_INVALID`, and nothing else. */
export function decodeEvent(bytes: Uint8Array): AuditEvent {
  const event = parsed(bytes, EVENT_LIMITS)
  checkEvent(event)
  return event
}

/**
 * The entry, as it stands in the log, of an event at index `seq` after the entry with leaf hash `prev`. Depends on
 * nothing else, so that whoever seals the same event at the same place makes the same bytes. Throws `AUDIT_ENTRY_INVALID`
 * for what is no event, and a `RangeError` for a place that no entry has.
 */
export function sealEntry(eventBytes: Uint8Array, seq: number, prev: Uint8Array | null): Bytes {
  if (!Number.isSafeInteger(seq) || seq < 0 || (prev?.length ?? HASH_LENGTH) !== HASH_LENGTH || seq > 0 !== !!prev) {
    throw new RangeError(`No entry has index ${seq} and such a predecessor.`)
  }
  return canonical({ ...decodeEvent(eventBytes), type: 'audit', v: 1, seq, prev }, ENTRY_LIMITS)
}

/** An entry from bytes of any origin. Throws `AUDIT_ENTRY_INVALID`, and nothing else. */
export function decodeEntry(bytes: Uint8Array): AuditEntry {
  const entry = parsed(bytes, ENTRY_LIMITS)
  if (typeof entry !== 'object' || entry === null) throw invalidEntry('it is no map')
  const { type, v, seq, prev, ...event } = entry as Record<string, unknown>
  if (type !== 'audit' || v !== 1) throw invalidEntry('it is not of type audit, version 1')
  if (!isCount(seq)) throw invalidEntry('its seq is no index')
  if (seq === 0 ? prev !== null : !(prev instanceof Uint8Array) || prev.length !== HASH_LENGTH) {
    throw invalidEntry('its prev is not the hash of the entry before')
  }
  checkEvent(event)
  return entry as AuditEntry
}

/** The bytes of the event of an entry: what {@link sealEntry} was given. */
export function eventOf(entry: AuditEntry): Bytes {
  const { type, v, seq, prev, ...event } = entry
  return canonical(event, EVENT_LIMITS)
}

function canonical(value: unknown, limits: CborLimits): Bytes {
  try {
    return encode(value, limits)
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalidEntry(`DAG-CBOR cannot hold it: ${reasonOf(cause)}`, cause)
  }
}

function parsed(bytes: Uint8Array, limits: CborLimits): unknown {
  try {
    return decode(bytes, limits)
  } catch (cause) {
    throw invalidEntry('it is not strict DAG-CBOR within the limits', cause)
  }
}

function checkEvent(event: unknown): asserts event is AuditEvent {
  if (!fields(event, ['time', 'actor', 'action', 'key'], ['context']))
    throw invalidEntry('fields are missing or unknown')
  if (!isCount(event.time)) throw invalidEntry('its time is not seconds since 1970')
  if (!isText(event.key, 1, MAX_KEY_LENGTH)) throw invalidEntry(`its key is not 1 to ${MAX_KEY_LENGTH} characters`)
  checkActor(event.actor)
  checkAction(event.action)
  if (event.context !== undefined) checkContext(event.context)
}

function checkActor(actor: unknown): void {
  if (!fields(actor, ['name', 'proven'], ['key', 'request'])) throw invalidEntry('its actor has not the fields of one')
  if (!isText(actor.name) || typeof actor.proven !== 'boolean') throw invalidEntry('its actor has no name or proof')
  if (actor.request !== undefined && !(actor.request instanceof Uint8Array)) {
    throw invalidEntry('the request of its actor is not bytes')
  }
  if (actor.key === undefined) return
  try {
    parseKeyId(actor.key)
  } catch (cause) {
    throw invalidEntry('the key of its actor is no key id', cause)
  }
}

function checkAction(action: unknown): void {
  if (!fields(action, ['verb', 'object'], ['parameters'])) throw invalidEntry('its action has not the fields of one')
  if (!isText(action.verb, 1, MAX_VERB_LENGTH)) throw invalidEntry(`its verb is not 1 to ${MAX_VERB_LENGTH} characters`)
  if (!isText(action.object)) throw invalidEntry('its object is no text')
  if (action.parameters !== undefined && !isMap(action.parameters)) throw invalidEntry('its parameters are no map')
}

function checkContext(context: unknown): void {
  if (!fields(context, [], ['motivation', 'relates_to', 'language'])) {
    throw invalidEntry('its context has not the fields of one')
  }
  if (context.motivation !== undefined && !isText(context.motivation)) throw invalidEntry('its motivation is no text')
  if (context.language !== undefined && !isText(context.language, 2, 35)) throw invalidEntry('its language is none')
  const related = context.relates_to
  if (related !== undefined && !(Array.isArray(related) && related.every(isCount))) {
    throw invalidEntry('relates_to is not a list of indexes')
  }
}

/** Whether a value is a map with all of the required fields, any of the optional ones, and no others. */
function fields<Required extends string, Optional extends string>(
  value: unknown,
  required: readonly Required[],
  optional: readonly Optional[],
): value is Readonly<Record<Required | Optional, unknown>> {
  if (!isMap(value)) return false
  return hasFields<Required | Optional>(value, ...required, ...optional.filter((name) => Object.hasOwn(value, name)))
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) && !isLink(value)
  )
}

function isText(value: unknown, min = 0, max = MAX_EVENT_LENGTH): value is string {
  return typeof value === 'string' && value.length >= min && value.length <= max
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
