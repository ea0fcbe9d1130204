import { utf8 } from '@vault/core'
import { MAX_ENTRY_LENGTH } from './entry.ts'
import { fieldValueFault } from './field-value.ts'
import { orderKey } from './order-key.ts'
import type { Condition, Query } from './query.ts'
import { shown, soupError } from './soup-error.ts'

/** How deep conditions nest, how many there are, and how long a pattern and a field's path are, in UTF-8 bytes. */
export const QUERY_LIMITS = { depth: 16, conditions: 256, pattern: 1024, field: 1024 } as const

const QUERY_MEMBERS = ['prefix', 'where', 'order', 'after', 'limit']
const CONDITION_MEMBERS: Readonly<Record<Condition['op'], readonly string[]>> = {
  '=': ['field', 'value'],
  '!=': ['field', 'value'],
  '<': ['field', 'value'],
  '<=': ['field', 'value'],
  '>': ['field', 'value'],
  '>=': ['field', 'value'],
  between: ['field', 'low', 'high'],
  like: ['field', 'pattern'],
  contains: ['field', 'value'],
  exists: ['field'],
  missing: ['field'],
  and: ['conditions'],
  or: ['conditions'],
  not: ['condition'],
}

/**
 * Refuses with `SOUP_INVALID` what is no query, or one beyond {@link QUERY_LIMITS}. Queries come from other vaults, so
 * nothing of their shape is believed, and a member that has no meaning here is refused: it may have meant a restriction.
 */
export function checkQuery(query: Query): void {
  requireMembers(query, QUERY_MEMBERS, 'query')
  if (query.prefix !== undefined) requireText(query.prefix, 'prefix', MAX_ENTRY_LENGTH)
  if (query.order !== undefined) checkOrder(query.order)
  if (query.after !== undefined) {
    requireMembers(query.after, ['key', 'value'], 'after')
    requireText(query.after.key, 'after.key', MAX_ENTRY_LENGTH)
    if (query.after.value !== undefined) requireValue(query.after.value, 'after.value')
  }
  if (query.limit !== undefined && !(Number.isSafeInteger(query.limit) && query.limit >= 0)) {
    throw invalid('its limit is no count')
  }
  if (query.where !== undefined) checkCondition(query.where, 1, { left: QUERY_LIMITS.conditions })
}

function checkOrder(order: NonNullable<Query['order']>): void {
  requireMembers(order, ['field', 'direction'], 'order')
  requireField(order.field)
  if (order.direction !== undefined && order.direction !== 'ascending' && order.direction !== 'descending') {
    throw invalid('its direction is neither ascending nor descending')
  }
}

function checkCondition(condition: Condition, depth: number, budget: { left: number }): void {
  if (depth > QUERY_LIMITS.depth) throw invalid(`its conditions nest deeper than ${QUERY_LIMITS.depth}`)
  if (budget.left-- === 0) throw invalid(`it has more than ${QUERY_LIMITS.conditions} conditions`)
  requireObject(condition, 'condition')
  if (!Object.hasOwn(CONDITION_MEMBERS, condition.op))
    throw invalid(`there is no operator ${shown(String(condition.op))}`)
  requireMembers(condition, ['op', ...CONDITION_MEMBERS[condition.op]], condition.op)
  switch (condition.op) {
    case 'and':
    case 'or':
      if (!Array.isArray(condition.conditions)) throw invalid(`${condition.op} has no list of conditions`)
      for (const part of condition.conditions) checkCondition(part, depth + 1, budget)
      return
    case 'not':
      checkCondition(condition.condition, depth + 1, budget)
      return
  }
  requireField(condition.field)
  switch (condition.op) {
    case 'exists':
    case 'missing':
      return
    case 'like':
      requireText(condition.pattern, 'pattern', QUERY_LIMITS.pattern)
      return
    case 'between':
      requireValue(condition.low, 'low')
      requireValue(condition.high, 'high')
      return
    default:
      requireValue(condition.value, 'value')
  }
}

function requireField(field: unknown): void {
  requireText(field, 'field', QUERY_LIMITS.field)
  if ((field as string).split('.').includes('')) throw invalid(`${shown(field as string)} names no field`)
}

function requireText(text: unknown, name: string, limit: number): void {
  if (typeof text !== 'string' || !text.isWellFormed()) throw invalid(`its ${name} is no well-formed text`)
  if (text.length > limit || utf8(text).length > limit) throw invalid(`its ${name} is longer than ${limit} bytes`)
}

function requireValue(value: unknown, name: string): void {
  const fault = value === undefined ? 'it is missing' : fieldValueFault(value)
  if (fault !== undefined) throw invalid(`its ${name} is no value of a field: ${fault}`)
  if (orderKey(value as never).length > MAX_ENTRY_LENGTH) throw invalid(`its ${name} is longer than any entry`)
}

function requireObject(value: unknown, name: string): void {
  if (typeof value !== 'object' || value === null) throw invalid(`its ${name} is no object`)
}

function requireMembers(value: object, known: readonly string[], name: string): void {
  requireObject(value, name)
  const unknown = Object.keys(value).find((member) => !known.includes(member))
  if (unknown !== undefined) throw invalid(`${name} has no member ${shown(unknown)}`)
}

function invalid(why: string): Error {
  return soupError('SOUP_INVALID', `Not a query: ${why}.`)
}
