import type { Bytes } from '@vault/core'
import { compareBytes, concatBytes, utf8 } from '@vault/core'
import { checkQuery } from './check-query.ts'
import { fieldOf, predicateOf } from './condition.ts'
import type { Entry } from './entry.ts'
import type { FieldValue } from './field-value.ts'
import { orderKey } from './order-key.ts'
import type { Query } from './query.ts'

/** A checked query made ready for many entries. */
export interface CompiledQuery {
  /** Only keys that begin so; a store narrows its scan by it. */
  readonly prefix: string
  /** How many entries at most; `Infinity` without a limit. */
  readonly limit: number
  /** Whether the answer comes in the order of keys, so that a scan in that order needs no sorting. */
  readonly byKey: boolean
  readonly descending: boolean
  /** Where a selected entry stands among the others, `undefined` for one that is not selected. */
  place(entry: Entry): Bytes | undefined
  /** The order asked for, of two places. */
  compare(a: Uint8Array, b: Uint8Array): number
}

const MISSING = Uint8Array.of(0)

/** Checks a query and makes it ready. Throws `SOUP_INVALID`. */
export function compileQuery(query: Query): CompiledQuery {
  checkQuery(query)
  const { prefix = '', where, order, after, limit = Number.POSITIVE_INFINITY } = query
  const byKey = order === undefined || order.field === 'key'
  const descending = order?.direction === 'descending'
  const holds = where === undefined ? () => true : predicateOf(where)
  const compare = descending
    ? (a: Uint8Array, b: Uint8Array) => compareBytes(b, a)
    : (a: Uint8Array, b: Uint8Array) => compareBytes(a, b)
  const placeAt = (key: string, value: FieldValue | undefined) => (byKey ? utf8(key) : place(value, key))
  const start = after === undefined ? undefined : placeAt(after.key, after.value)
  return {
    prefix,
    limit,
    byKey,
    descending,
    compare,
    place(entry) {
      if (!entry.key.startsWith(prefix) || !holds(entry)) return undefined
      const found = placeAt(entry.key, byKey ? undefined : fieldOf(entry, order.field))
      return start === undefined || compare(found, start) > 0 ? found : undefined
    },
  }
}

/** No value's key begins another's, so value and key may simply stand one after the other. */
function place(value: FieldValue | undefined, key: string): Bytes {
  return concatBytes(value === undefined ? MISSING : orderKey(value), utf8(key))
}
