import type { ContentId } from './content-id.ts'
import type { Threshold } from './envelope.ts'
import { hasFields } from './fields.ts'
import { checkEvent } from './key-event-error.ts'
import { decodeEvent, parseTime } from './key-event-payload.ts'
import type { NextKeys } from './key-witnesses.ts'
import { parseNextKeys, parseWitnesses } from './key-witnesses.ts'
import type { Link } from './link.ts'
import { isLink, link } from './link.ts'
import type { Roles } from './roles.ts'
import { keysOf, parseRoles } from './roles.ts'

/** Why there is a key event. The last two change no keys, and are of version 2. */
export type KeyEventReason =
  | 'rotate'
  | 'migrate'
  | 'recover'
  /** The same keys, of which one was shared out anew: other shares, or other holders. */
  | 'reshare'
  /** The vault ends. No event follows, and nothing of it changes any more. */
  | 'retire'

/** A key event after the inception: the roles of the vault from here on, instead of all roles before. */
export interface KeyEvent {
  readonly type: 'key'
  /** 2 where it says who witnesses the next event, and which identity may follow. */
  readonly v: 1 | 2
  /** One more than that of the event before. */
  readonly seq: number
  /** The payload of the event before. */
  readonly prev: Link
  readonly why: KeyEventReason
  readonly roles: Roles
  /** With `migrate`, and only there. Such an event counts only together with the hand-off that names it. */
  readonly context?: KeyEventContext
  /** Who signs as witness: this event, and the next one. Only with version 2; a threshold of 0 is none. */
  readonly witnesses?: Threshold
  /** The keys of the identity that may follow. Only with version 2; `null` is any. */
  readonly next?: NextKeys | null
  /** Seconds since 1970; a claim of the signers. */
  readonly at: number
}

/** The move in which keys are replaced. */
export interface KeyEventContext {
  /** Id of the migration, 32 lower-case hexadecimal digits. */
  readonly migration: string
  /** Instance of the place that receives the vault, 32 lower-case hexadecimal digits. */
  readonly instance: string
}

const REASONS: Readonly<Record<1 | 2, readonly unknown[]>> = {
  1: ['rotate', 'migrate', 'recover'] satisfies KeyEventReason[],
  2: ['rotate', 'migrate', 'recover', 'reshare', 'retire'] satisfies KeyEventReason[],
}
const FIELDS = ['type', 'v', 'seq', 'prev', 'why', 'roles', 'at'] as const
const MORE = ['witnesses', 'next'] as const

/** A key event after the one that `head` names. Throws `KEY_EVENT_INVALID`. Verifies no signature. */
export function parseKeyEvent(
  payload: Uint8Array,
  expected: { readonly seq: number; readonly head: ContentId },
): KeyEvent {
  const value = decodeEvent(payload)
  const witnessed = hasFields(value, ...FIELDS, ...MORE) || hasFields(value, ...FIELDS, ...MORE, 'context')
  const moves = hasFields(value, ...FIELDS, 'context') || hasFields(value, ...FIELDS, ...MORE, 'context')
  checkEvent(
    witnessed || moves || hasFields(value, ...FIELDS),
    'its fields are not those of a key event after the inception',
  )
  const { type, seq, prev, why, roles, at } = value
  const v = witnessed ? 2 : 1
  checkEvent(type === 'key' && value.v === v, `it is not a key event of version ${v}`)
  checkEvent(seq === expected.seq, `its number is not ${expected.seq}`)
  checkEvent(isLink(prev) && prev.id === expected.head, '"prev" is not the event before')
  checkEvent(isReason(v, why), `"why" is none of ${REASONS[v].join(', ')}`)
  checkEvent(moves === (why === 'migrate'), '"context" stands with "migrate" and only there')
  const parsed = parseRoles(roles)
  return {
    type,
    v,
    seq: expected.seq,
    prev: link(expected.head),
    why,
    roles: parsed,
    ...(witnessed ? parseMore(value, parsed) : {}),
    ...(moves ? { context: parseContext(value.context) } : {}),
    at: parseTime(at),
  }
}

/** What version 2 has besides. */
function parseMore(
  { witnesses, next }: { readonly witnesses?: unknown; readonly next?: unknown },
  roles: Roles,
): Required<Pick<KeyEvent, 'witnesses' | 'next'>> {
  const parsed = parseWitnesses(witnesses)
  // It would attest its own doing.
  const acting = new Set(keysOf(roles))
  checkEvent(
    parsed.keys.every((key) => !acting.has(key)),
    'a witness has a role of the vault',
  )
  return { witnesses: parsed, next: parseNextKeys(next) }
}

/** The context of a move, of a decoded value. Throws `KEY_EVENT_INVALID`. */
export function parseContext(value: unknown): KeyEventContext {
  checkEvent(hasFields(value, 'migration', 'instance'), '"context" is not a map of "migration" and "instance"')
  const { migration, instance } = value
  checkEvent(isHexId(migration) && isHexId(instance), '"context" has not two ids of 32 hexadecimal digits')
  return { migration, instance }
}

function isReason(v: 1 | 2, value: unknown): value is KeyEventReason {
  return REASONS[v].includes(value)
}

function isHexId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
}
