import type { Bytes } from '@vault/core'
import { isLink } from '@vault/core'

/** A value of an entry's field: what canonical DAG-CBOR can carry, without links. */
export type FieldValue =
  | null
  | boolean
  /** A safe integer but not -0, or a finite float that is no integer. */
  | number
  | string
  | Bytes
  | readonly FieldValue[]
  | FieldMap

/** Named values. Only own members count: nothing is ever read from a prototype. */
export interface FieldMap {
  readonly [name: string]: FieldValue
}

/** How deep lists and maps nest, an entry's `fields` being the first. */
export const MAX_FIELD_DEPTH = 16

/** Whether a value is a map, and no list, bytes, link or object of a class. */
export function isFieldMap(value: unknown): value is FieldMap {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isLink(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The member of a map with this name, never one of its prototype. */
export function member(map: FieldMap, name: string): FieldValue | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined
}

/** Why a value cannot be in an entry, or `undefined` where it can. `depth` counts the lists and maps around it. */
export function fieldValueFault(value: unknown, depth = 0): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined
    case 'string':
      return value.isWellFormed() ? undefined : 'a text is not well-formed'
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return undefined
      return Number.isFinite(value) && !Number.isInteger(value)
        ? undefined
        : `the number ${Object.is(value, -0) ? '-0' : value} is neither a safe integer nor a fraction`
    case 'object':
      return value === null || value instanceof Uint8Array ? undefined : nestedFault(value, depth + 1)
    default:
      return `a value of type ${typeof value} cannot be stored`
  }
}

function nestedFault(value: object, depth: number): string | undefined {
  if (depth > MAX_FIELD_DEPTH) return `lists and maps nest deeper than ${MAX_FIELD_DEPTH}`
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = fieldValueFault(item, depth)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  if (!isFieldMap(value)) return 'an object that is neither list, map nor bytes cannot be stored'
  for (const name of Object.keys(value)) {
    const fault = name.isWellFormed() ? fieldValueFault(value[name], depth) : 'a name is not well-formed'
    if (fault !== undefined) return fault
  }
  return undefined
}
