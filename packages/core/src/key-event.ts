import type { ContentId } from './content-id.ts'
import { hasFields } from './fields.ts'
import { checkEvent } from './key-event-error.ts'
import { decodeEvent, parseTime } from './key-event-payload.ts'
import type { Link } from './link.ts'
import { isLink, link } from './link.ts'
import type { Roles } from './roles.ts'
import { parseRoles } from './roles.ts'

/** Why the keys of a vault are replaced. */
export type KeyEventReason = 'rotate' | 'migrate' | 'recover'

/** A key event after the inception: the roles of the vault from here on, instead of all roles before. */
export interface KeyEvent {
  readonly type: 'key'
  readonly v: 1
  /** One more than that of the event before. */
  readonly seq: number
  /** The payload of the event before. */
  readonly prev: Link
  readonly why: KeyEventReason
  readonly roles: Roles
  /** With `migrate`, and only there. Such an event counts only together with the hand-off that names it. */
  readonly context?: KeyEventContext
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

const REASONS: readonly unknown[] = ['rotate', 'migrate', 'recover'] satisfies KeyEventReason[]
const FIELDS = ['type', 'v', 'seq', 'prev', 'why', 'roles', 'at'] as const

/** A key event after the one that `head` names. Throws `KEY_EVENT_INVALID`. Verifies no signature. */
export function parseKeyEvent(
  payload: Uint8Array,
  expected: { readonly seq: number; readonly head: ContentId },
): KeyEvent {
  const value = decodeEvent(payload)
  const moves = hasFields(value, ...FIELDS, 'context')
  checkEvent(moves || hasFields(value, ...FIELDS), 'its fields are not those of a key event after the inception')
  const { type, v, seq, prev, why, roles, at } = value
  checkEvent(type === 'key' && v === 1, 'it is not a key event of version 1')
  checkEvent(seq === expected.seq, `its number is not ${expected.seq}`)
  checkEvent(isLink(prev) && prev.id === expected.head, '"prev" is not the event before')
  checkEvent(isReason(why), '"why" is none of rotate, migrate and recover')
  checkEvent(moves === (why === 'migrate'), '"context" stands with "migrate" and only there')
  return {
    type,
    v,
    seq: expected.seq,
    prev: link(expected.head),
    why,
    roles: parseRoles(roles),
    ...(moves ? { context: parseContext(value.context) } : {}),
    at: parseTime(at),
  }
}

/** The context of a move, of a decoded value. Throws `KEY_EVENT_INVALID`. */
export function parseContext(value: unknown): KeyEventContext {
  checkEvent(hasFields(value, 'migration', 'instance'), '"context" is not a map of "migration" and "instance"')
  const { migration, instance } = value
  checkEvent(isHexId(migration) && isHexId(instance), '"context" has not two ids of 32 hexadecimal digits')
  return { migration, instance }
}

function isReason(value: unknown): value is KeyEventReason {
  return REASONS.includes(value)
}

function isHexId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
}
