import { equalBytes } from './bytes.ts'
import { encode } from './cbor-encode.ts'
import type { Threshold } from './envelope.ts'
import { hasFields } from './fields.ts'
import { checkEvent, invalidEvent } from './key-event-error.ts'
import type { KeyId } from './key-id.ts'
import { parseKeyId } from './key-id.ts'

/** Who may act for a vault. A key may hold several roles, at the price of their separation. */
export interface Roles {
  /** Says which keys are the vault's: signs key events. May be offline. */
  readonly identity: Threshold
  /** Decides what happens to the vault: plans, policies, releases. */
  readonly operators: Threshold
  /** Signs checkpoints of the audit log. Online, and replaced at every move. */
  readonly log: Threshold
}

const ROLE_NAMES = ['identity', 'operators', 'log'] as const
const MAX_KEYS = 64

/** The roles of a decoded value, in their one form. Throws `KEY_EVENT_INVALID`. */
export function parseRoles(value: unknown): Roles {
  checkEvent(hasFields(value, ...ROLE_NAMES), '"roles" are not identity, operators and log')
  return {
    identity: parseThreshold('identity', value.identity),
    operators: parseThreshold('operators', value.operators),
    log: parseThreshold('log', value.log),
  }
}

/** The same roles with the keys of each in ascending order, the only form that is read. */
export function sortRoles({ identity, operators, log }: Roles): Roles {
  return { identity: sorted(identity), operators: sorted(operators), log: sorted(log) }
}

/** Every key of every role, once. */
export function keysOf({ identity, operators, log }: Roles): readonly KeyId[] {
  return [...new Set([...identity.keys, ...operators.keys, ...log.keys])]
}

/** The keys that have a role that they did not have before, once each. */
export function keysNewIn(roles: Roles, before: Roles): readonly KeyId[] {
  return [...new Set(ROLE_NAMES.flatMap((name) => roles[name].keys.filter((key) => !before[name].keys.includes(key))))]
}

/** Whether these are the same keys in the same order, and as many of them are needed. */
export function isSameThreshold(a: Threshold, b: Threshold): boolean {
  return equalBytes(encode(a), encode(b))
}

/** Keys and how many of them, of a decoded value. Throws `KEY_EVENT_INVALID`. */
export function parseThreshold(role: string, value: unknown): Threshold {
  checkEvent(hasFields(value, 'keys', 'threshold'), `the role ${role} is not a map of "keys" and "threshold"`)
  const { keys, threshold } = value
  checkEvent(
    Array.isArray(keys) && keys.length <= MAX_KEYS,
    `the role ${role} has not a list of at most ${MAX_KEYS} keys`,
  )
  const parsed = keys.map((key) => parseKey(role, key))
  checkEvent(
    parsed.every((key, i) => i === 0 || (parsed[i - 1] as KeyId) < key),
    `the keys of the role ${role} are not distinct and in ascending order`,
  )
  checkEvent(
    typeof threshold === 'number' && Number.isInteger(threshold) && threshold >= 1 && threshold <= keys.length,
    `the threshold of the role ${role} is not between 1 and its ${keys.length} keys`,
  )
  return { keys: parsed, threshold }
}

function parseKey(role: string, value: unknown): KeyId {
  try {
    return parseKeyId(value)
  } catch (cause) {
    throw invalidEvent(`the role ${role} names something that is no key`, cause)
  }
}

/** Key ids are ASCII of equal length, so the order of their text is that of their bytes. */
function sorted({ keys, threshold }: Threshold): Threshold {
  return { keys: keys.toSorted(), threshold }
}
