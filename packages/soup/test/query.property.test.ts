import { compareBytes, toHex, utf8 } from '@vault/core'
import type { Condition, Entry, FieldValue } from '@vault/soup'
import { checkQuery, compileQuery, createMemorySoupStore, encodeEntry, matches, orderKey } from '@vault/soup'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as arbitrary from './arbitraries.ts'
import { all, idOf } from './support.ts'

/** The order of values as the port's prose has it, without bytes made for it. */
function compare(a: FieldValue | undefined, b: FieldValue | undefined): number {
  const kinds = rank(a) - rank(b)
  if (kinds !== 0) return kinds
  if (typeof a === 'boolean' || typeof a === 'number') return Number(a) - Number(b)
  if (typeof a === 'string') return compareBytes(utf8(a), utf8(b as string))
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array)
  if (Array.isArray(a)) return compareLists(a, b as FieldValue[])
  return a === null || a === undefined ? 0 : compareLists(members(a), members(b as object))
}

function compareLists(a: readonly FieldValue[], b: readonly FieldValue[]): number {
  for (const [i, item] of a.entries()) {
    if (i >= b.length) return 1
    const order = compare(item, b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function members(map: object): FieldValue[] {
  return Object.entries(map)
    .sort(([a], [b]) => compareBytes(utf8(a), utf8(b)))
    .flat() as FieldValue[]
}

function rank(value: FieldValue | undefined): number {
  if (value === undefined) return 0
  if (value === null) return 1
  if (value instanceof Uint8Array) return 5
  if (Array.isArray(value)) return 6
  return { boolean: 2, number: 3, string: 4, object: 7 }[typeof value as string] as number
}

it('orders keys as it orders values', () => {
  const maybe = fc.option(arbitrary.fieldValue, { nil: undefined })
  fc.assert(
    fc.property(maybe, maybe, (a, b) => {
      expect(Math.sign(compareBytes(orderKey(a), orderKey(b)))).toBe(Math.sign(compare(a, b)))
      expect(toHex(orderKey(a))).toBe(toHex(orderKey(structuredClone(a))))
    }),
    { numRuns: 2000 },
  )
})

it('gives no key that begins another', () => {
  fc.assert(
    fc.property(arbitrary.fieldValue, arbitrary.fieldValue, (a, b) => {
      const [shorter, longer] = [toHex(orderKey(a)), toHex(orderKey(b))].sort((x, y) => x.length - y.length) as [
        string,
        string,
      ]
      expect(longer.startsWith(shorter)).toBe(longer === shorter)
    }),
    { examples: [['\u0000', '']] },
  )
})

function globs(pattern: readonly string[], characters: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return characters.length === 0
  if (first === '*') return globs(rest, characters) || (characters.length > 0 && globs(pattern, characters.slice(1)))
  return characters.length > 0 && (first === '?' || first === characters[0]) && globs(rest, characters.slice(1))
}

function like(pattern: string, value: string): boolean {
  const condition: Condition = { op: 'like', field: 'v', pattern }
  return matches(condition, { key: 'k', type: 'policy', fields: { v: value } })
}

it('matches a pattern as its definition does', () => {
  const pattern = fc.string({ unit: fc.constantFrom('*', '?', 'a', 'b', '.', '\u{1f600}'), maxLength: 7 })
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\u{1f600}'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, value, (p, v) => {
      expect(like(p, v)).toBe(globs([...p], [...v]))
    }),
    { numRuns: 2000 },
  )
})

it('reads nothing from a prototype', () => {
  const entry: Entry = { key: 'k', type: 'policy', fields: { list: [1], map: {} } }
  for (const field of ['constructor', 'toString', '__proto__', 'map.constructor', 'map.__proto__.x', 'list.length']) {
    expect(matches({ op: 'exists', field }, entry)).toBe(false)
  }
})

it('selects by prefix, so that a store may scan more than it must', () => {
  const { place } = compileQuery({ prefix: 'ab' })
  expect(place({ key: 'abc', type: 'policy', fields: {} })).toEqual(utf8('abc'))
  expect(place({ key: 'a', type: 'policy', fields: {} })).toBeUndefined()
})

it('takes no time for a pattern made to take long', () => {
  const before = performance.now()
  expect(like(`${'*a'.repeat(500)}*b`, 'a'.repeat(60_000))).toBe(false)
  expect(performance.now() - before).toBeLessThan(2000)
})

/** Paths that may be there, that lead into lists, texts and bytes, and that name what only a prototype has. */
const field = fc.constantFrom('a', 'a.b', 'b', 'a.0', 'a.length', '__proto__', 'constructor', 'key', 'type', 'object')
const value = fc.oneof(fc.constantFrom<FieldValue>(1, 2, 'a', 'ab', null, true), arbitrary.fieldValue)
const fields = fc
  .record({ a: fc.oneof(value, fc.record({ b: value })), b: value }, { requiredKeys: [] })
  .map((given) => ({ ...given }))

const condition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    fc.record({ op: fc.constantFrom('=', '!=', '<', '<=', '>', '>='), field, value }),
    fc.record({ op: fc.constant('between'), field, low: value, high: value }),
    fc.record({ op: fc.constant('contains'), field, value }),
    fc.record({ op: fc.constant('like'), field, pattern: fc.constantFrom('*', 'a*', '?', '*b') }),
    fc.record({ op: fc.constantFrom('exists', 'missing'), field }),
    fc.record({ op: fc.constantFrom('and', 'or'), conditions: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ op: fc.constant('not'), condition: tie('condition') }),
  ) as fc.Arbitrary<Condition>,
})).condition

function read(entry: Entry, path: string): FieldValue | undefined {
  if (path === 'key' || path === 'type' || path === 'object') return entry[path]
  let at: unknown = entry.fields
  for (const name of path.split('.')) {
    const isMap = typeof at === 'object' && at !== null && !Array.isArray(at) && !(at instanceof Uint8Array)
    at = isMap ? new Map(Object.entries(at as object)).get(name) : undefined
  }
  return at as FieldValue | undefined
}

function holds(asked: Condition, entry: Entry): boolean {
  switch (asked.op) {
    case 'and':
      return asked.conditions.every((part) => holds(part, entry))
    case 'or':
      return asked.conditions.some((part) => holds(part, entry))
    case 'not':
      return !holds(asked.condition, entry)
    default:
      return holdsFor(asked, read(entry, asked.field))
  }
}

function holdsFor(asked: Extract<Condition, { field: string }>, found: FieldValue | undefined): boolean {
  if (found === undefined) return asked.op === 'missing'
  switch (asked.op) {
    case 'exists':
      return true
    case 'missing':
      return false
    case 'like':
      return typeof found === 'string' && globs([...asked.pattern], [...found])
    case 'between':
      return compare(asked.low, found) <= 0 && compare(found, asked.high) <= 0
    case 'contains':
      if (typeof found === 'string') return typeof asked.value === 'string' && found.includes(asked.value)
      return Array.isArray(found) && found.some((item) => compare(item, asked.value) === 0)
    default: {
      const signs = { '=': [0], '!=': [-1, 1], '<': [-1], '<=': [-1, 0], '>': [1], '>=': [0, 1] }[asked.op]
      return signs.includes(Math.sign(compare(found, asked.value)))
    }
  }
}

it('answers any query as a plain filter and sort would', async () => {
  const entries = fc.uniqueArray(fc.record({ key: fc.constantFrom('a', 'aa', 'ab', 'b', 'é', '\u{1f600}'), fields }), {
    selector: ({ key }) => key,
    maxLength: 6,
  })
  const order = fc.option(
    fc.record({ field, direction: fc.constantFrom('ascending' as const, 'descending' as const) }),
    { nil: undefined },
  )
  const prefix = fc.constantFrom('', 'a', 'aa')
  await fc.assert(
    fc.asyncProperty(entries, condition, order, prefix, fc.nat(6), async (given, where, by, start, limit) => {
      await using store = createMemorySoupStore()
      const vault = idOf('vault')
      await store.tenures.transition(vault, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
      const soup = store.soup(vault)
      const put = given.map(({ key, fields }): Entry => ({ key, type: 'signature', fields }))
      await soup.commit({ epoch: 0, entries: { put } })
      const query = { prefix: start, where, limit, ...(by === undefined ? {} : { order: by }) }
      checkQuery(query)
      const sign = by?.direction === 'descending' ? -1 : 1
      const byKey = (a: Entry, b: Entry) => compareBytes(utf8(a.key), utf8(b.key))
      const expected = put
        .filter((entry) => entry.key.startsWith(start) && holds(where, entry))
        .sort((a, b) => sign * ((by === undefined ? 0 : compare(read(a, by.field), read(b, by.field))) || byKey(a, b)))
        .slice(0, limit)
      const found = await all(soup.query(query))
      expect(found.map(encodeEntry)).toEqual(expected.map(encodeEntry))
    }),
    { numRuns: 300 },
  )
})
