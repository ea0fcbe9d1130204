import { compareBytes, equalBytes } from '@vault/core'
import type { Entry } from './entry.ts'
import type { FieldValue } from './field-value.ts'
import { isFieldMap, member } from './field-value.ts'
import { matchesGlob } from './glob.ts'
import { orderKey } from './order-key.ts'
import type { Condition } from './query.ts'

/** A condition made ready for many entries. */
export type Predicate = (entry: Entry) => boolean

/** The value of an entry's field, `undefined` where it has none. Reads own members of maps only, never a prototype. */
export function fieldOf(entry: Entry, field: string): FieldValue | undefined {
  if (field === 'key' || field === 'type' || field === 'object') return entry[field]
  let value: FieldValue | undefined = entry.fields
  for (const name of field.split('.')) {
    if (!isFieldMap(value)) return undefined
    value = member(value, name)
  }
  return value
}

/**
 * Whether an entry meets a condition. Any comparison with a missing field is false, `!=` too; say `missing` or `not`
 * for the others. The condition must have passed `checkQuery`.
 */
export function matches(condition: Condition, entry: Entry): boolean {
  return predicateOf(condition)(entry)
}

/** The condition with its values made ready, for whoever asks many entries. */
export function predicateOf(condition: Condition): Predicate {
  switch (condition.op) {
    case 'and': {
      const all = condition.conditions.map(predicateOf)
      return (entry) => all.every((holds) => holds(entry))
    }
    case 'or': {
      const any = condition.conditions.map(predicateOf)
      return (entry) => any.some((holds) => holds(entry))
    }
    case 'not': {
      const holds = predicateOf(condition.condition)
      return (entry) => !holds(entry)
    }
    default: {
      const test = fieldTest(condition)
      return (entry) => test(fieldOf(entry, condition.field))
    }
  }
}

type FieldCondition = Extract<Condition, { readonly field: string }>

function fieldTest(condition: FieldCondition): (value: FieldValue | undefined) => boolean {
  switch (condition.op) {
    case 'exists':
      return (value) => value !== undefined
    case 'missing':
      return (value) => value === undefined
    case 'like':
      return (value) => typeof value === 'string' && matchesGlob(condition.pattern, value)
    case 'contains':
      return containsTest(condition.value)
    case 'between': {
      const low = orderKey(condition.low)
      const high = orderKey(condition.high)
      return present((key) => compareBytes(low, key) <= 0 && compareBytes(key, high) <= 0)
    }
    default: {
      const holds = COMPARISONS[condition.op]
      const other = orderKey(condition.value)
      return present((key) => holds(compareBytes(key, other)))
    }
  }
}

const COMPARISONS = {
  '=': (order: number) => order === 0,
  '!=': (order: number) => order !== 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
} as const

function present(test: (key: Uint8Array) => boolean): (value: FieldValue | undefined) => boolean {
  return (value) => value !== undefined && test(orderKey(value))
}

function containsTest(part: FieldValue): (value: FieldValue | undefined) => boolean {
  const partKey = orderKey(part)
  return (value) => {
    if (typeof value === 'string') return typeof part === 'string' && value.includes(part)
    return Array.isArray(value) && value.some((item) => equalBytes(orderKey(item), partKey))
  }
}
