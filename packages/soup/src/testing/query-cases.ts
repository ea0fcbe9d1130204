import type { ContractCase } from '@vault/core/testing'
import { assertRejects } from '@vault/core/testing'
import type { Entry } from '../entry.ts'
import type { FieldValue } from '../field-value.ts'
import type { Condition, Query } from '../query.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'
import { activeSoup, add, all, assertEqual, idOf, object, put } from './subject.ts'

const bytes = (...list: readonly number[]): FieldValue => Uint8Array.from(list)

/** One entry for each value of the field `v`, in the order of values; `none` has no such field. */
const VALUES: readonly (readonly [name: string, value: FieldValue | undefined])[] = [
  ['none', undefined],
  ['null', null],
  ['false', false],
  ['true', true],
  ['minus', -7],
  ['half', 0.5],
  ['ten', 10],
  ['text', 'alpha'],
  ['longer', 'alphabet'],
  ['accent', 'ämter'],
  ['private', '\uffee'],
  ['beyond', '\u{1f600}'],
  ['bytes', bytes(1)],
  ['bytes0', bytes(1, 0)],
  ['list', ['alpha', 10]],
  ['nested', ['alpha', 10, ['x']]],
  ['map', { a: 1, b: { c: 'deep' } }],
]

const ALL = VALUES.map(([name]) => name)
const from = (name: string) => ALL.slice(ALL.indexOf(name))

/** A condition and the names it holds for. */
const CONDITIONS: readonly (readonly [condition: Condition, names: readonly string[]])[] = [
  [{ op: '=', field: 'v', value: 10 }, ['ten']],
  [{ op: '=', field: 'v', value: ['alpha', 10] }, ['list']],
  [{ op: '=', field: 'v', value: { b: { c: 'deep' }, a: 1 } }, ['map']],
  [{ op: '=', field: 'v', value: bytes(1) }, ['bytes']],
  [{ op: '!=', field: 'v', value: 10 }, from('null').filter((name) => name !== 'ten')],
  [{ op: '<', field: 'v', value: 10 }, ['null', 'false', 'true', 'minus', 'half']],
  [{ op: '<=', field: 'v', value: 10 }, ['null', 'false', 'true', 'minus', 'half', 'ten']],
  [{ op: '>', field: 'v', value: '\uffee' }, from('beyond')],
  [{ op: '>=', field: 'v', value: '\uffee' }, from('private')],
  [{ op: 'between', field: 'v', low: -7, high: 10 }, ['minus', 'half', 'ten']],
  [{ op: 'between', field: 'v', low: 10, high: -7 }, []],
  [{ op: 'like', field: 'v', pattern: 'alpha*' }, ['text', 'longer']],
  [{ op: 'like', field: 'v', pattern: '?' }, ['private', 'beyond']],
  [{ op: 'like', field: 'v', pattern: '*a?x*' }, []],
  [{ op: 'like', field: 'v', pattern: '*l*ab?t' }, ['longer']],
  [{ op: 'contains', field: 'v', value: 'lph' }, ['text', 'longer']],
  [{ op: 'contains', field: 'v', value: 10 }, ['list', 'nested']],
  [{ op: 'contains', field: 'v', value: ['x'] }, ['nested']],
  [{ op: 'exists', field: 'v' }, from('null')],
  [{ op: 'missing', field: 'v' }, ['none']],
  [{ op: '=', field: 'v.b.c', value: 'deep' }, ['map']],
  [{ op: 'exists', field: 'v.0' }, []],
  [{ op: 'exists', field: 'v.length' }, []],
  [{ op: 'exists', field: '__proto__' }, []],
  [{ op: 'exists', field: 'constructor.name' }, []],
  [{ op: '=', field: 'key', value: 'text' }, ['text']],
  [{ op: '=', field: 'type', value: 'signature' }, ALL],
  [{ op: '=', field: 'object', value: idOf('one') }, ['ten']],
  [
    {
      op: 'and',
      conditions: [
        { op: '>', field: 'v', value: 0 },
        { op: '<', field: 'v', value: 'b' },
      ],
    },
    ['half', 'ten', 'text', 'longer'],
  ],
  [
    {
      op: 'or',
      conditions: [
        { op: '=', field: 'v', value: null },
        { op: 'missing', field: 'v' },
      ],
    },
    ['none', 'null'],
  ],
  [{ op: 'not', condition: { op: '>=', field: 'v', value: false } }, ['none', 'null']],
  [{ op: 'and', conditions: [] }, ALL],
  [{ op: 'or', conditions: [] }, []],
]

const deep = (depth: number): Condition => {
  let condition: Condition = { op: 'exists', field: 'v' }
  for (let i = 1; i < depth; i++) condition = { op: 'not', condition }
  return condition
}

const INVALID: readonly unknown[] = [
  null,
  { wher: { op: 'exists', field: 'v' } },
  { limit: -1 },
  { limit: 1.5 },
  { prefix: 5 },
  { order: { field: '' } },
  { order: { field: 'v', direction: 'up' } },
  { after: {} },
  { where: { op: 'near', field: 'v', value: 1 } },
  { where: { op: 'constructor', field: 'v' } },
  { where: { op: '=', field: 'v' } },
  { where: { op: '=', field: 'a..b', value: 1 } },
  { where: { op: '=', field: 'v', value: Number.POSITIVE_INFINITY } },
  { where: { op: 'like', field: 'v', pattern: '*'.repeat(1025) } },
  { where: { op: 'and', conditions: 'all' } },
  { where: deep(17) },
  { where: { op: 'or', conditions: Array.from({ length: 256 }, () => deep(1)) } },
]

async function soupOfValues(store: SoupStore): Promise<VaultSoup> {
  const soup = await activeSoup(store)
  await add(soup, object('one'))
  const entries = VALUES.map(([name, value]): Entry => {
    const entry = { key: name, type: 'signature', fields: value === undefined ? {} : { v: value } }
    return name === 'ten' ? { ...entry, object: idOf('one') } : entry
  })
  await put(soup, ...entries.toReversed())
  return soup
}

async function keysOf(soup: VaultSoup, query: Query): Promise<readonly string[]> {
  return (await all(soup.query(query))).map(({ key }) => key)
}

const conditionCases = CONDITIONS.map(
  ([condition, names]): ContractCase<SoupStore> => ({
    name: `a query finds what it asks for: ${JSON.stringify(condition)}`,
    async run(store) {
      const soup = await soupOfValues(store)
      assertEqual(await keysOf(soup, { where: condition }), [...names].sort(), 'the keys found')
    },
  }),
)

export const queryCases: readonly ContractCase<SoupStore>[] = [
  ...conditionCases,
  {
    name: 'a query gives entries whole, ascending by key as UTF-8, those with a prefix',
    async run(store) {
      const soup = await activeSoup(store)
      const keys = ['a', 'a%', 'a*', 'aé', 'a\uffee', 'a\u{1f600}', 'b']
      const entries = keys.map((key): Entry => ({ key, type: 'signature', fields: { key } }))
      await put(soup, ...entries.toReversed())
      assertEqual(await all(soup.query({})), entries, 'all')
      assertEqual(await keysOf(soup, { prefix: 'a' }), keys.slice(0, 6), 'those with a')
      assertEqual(await keysOf(soup, { prefix: 'a%' }), ['a%'], 'those with a%')
      assertEqual(await keysOf(soup, { prefix: 'a*' }), ['a*'], 'those with a*')
      assertEqual(
        await keysOf(soup, { order: { field: 'key', direction: 'descending' } }),
        keys.toReversed(),
        'descending',
      )
    },
  },
  {
    name: 'entries are counted by the beginning of their keys',
    async run(store) {
      const soup = await activeSoup(store)
      assertEqual(await soup.count(''), 0, 'none')
      const keys = ['a', 'a%', 'a:b', 'a\uffee', 'a\u{10ffff}', 'a\u{10ffff}b', 'a;', 'b']
      await put(soup, ...keys.map((key): Entry => ({ key, type: 'signature', fields: {} })))
      for (const prefix of ['', 'a', 'a%', 'a:', 'a\u{10ffff}', 'c']) {
        const there = keys.filter((key) => key.startsWith(prefix)).length
        assertEqual(await soup.count(prefix), there, `those with ${prefix}`)
      }
    },
  },
  {
    name: 'an order goes by the field, missing first, equal ones by key, and descending is the reverse',
    async run(store) {
      const soup = await soupOfValues(store)
      await put(
        soup,
        { key: 'zehn', type: 'signature', fields: { v: 10 } },
        { key: 'nothing', type: 'signature', fields: {} },
      )
      const ordered = ALL.flatMap((name) =>
        name === 'ten' ? ['ten', 'zehn'] : name === 'none' ? ['none', 'nothing'] : name,
      )
      assertEqual(await keysOf(soup, { order: { field: 'v' } }), ordered, 'ascending')
      const descending = { field: 'v', direction: 'descending' } as const
      assertEqual(await keysOf(soup, { order: descending }), ordered.toReversed(), 'descending')
    },
  },
  {
    name: 'going on after an entry page by page gives the whole answer once',
    async run(store) {
      const soup = await soupOfValues(store)
      for (const field of ['key', 'v', 'type']) {
        for (const direction of ['ascending', 'descending'] as const) {
          const whole = await all(soup.query({ order: { field, direction } }))
          const paged: Entry[] = []
          for (let last: Entry | undefined; paged.length < whole.length; last = paged.at(-1)) {
            const value = last === undefined ? undefined : field === 'v' ? last.fields.v : last.type
            const after = last === undefined ? undefined : { key: last.key, ...(value === undefined ? {} : { value }) }
            const page = await all(soup.query({ order: { field, direction }, limit: 3, ...(after ? { after } : {}) }))
            assertEqual(page.length, Math.min(3, whole.length - paged.length), `entries of a page by ${field}`)
            paged.push(...page)
          }
          assertEqual(paged, whole, `pages by ${field}, ${direction}`)
        }
      }
    },
  },
  {
    name: 'a limit is kept, and many entries come in pages that are not empty',
    async run(store) {
      const soup = await activeSoup(store)
      const entries = Array.from(
        { length: 1500 },
        (_, i): Entry => ({ key: `k${i}`, type: 'signature', fields: { i } }),
      )
      await put(soup, ...entries)
      const pages = await Array.fromAsync(soup.query({ order: { field: 'i' } }))
      assertEqual(
        pages.flat().map(({ fields }) => fields.i),
        entries.map(({ fields }) => fields.i),
        'all in order',
      )
      assertEqual(pages.filter((page) => page.length === 0).length, 0, 'empty pages')
      assertEqual((await keysOf(soup, { limit: 1001 })).length, 1001, 'with a limit')
      assertEqual(await keysOf(soup, { limit: 0 }), [], 'with the limit 0')
      assertEqual(
        await keysOf(soup, { where: { op: '>', field: 'i', value: 1497 }, limit: 9 }),
        ['k1498', 'k1499'],
        'the last',
      )
    },
  },
  {
    name: 'what is no query is refused',
    async run(store) {
      const soup = await activeSoup(store)
      for (const query of INVALID) {
        await assertRejects(all(soup.query(query as Query)), 'SOUP_INVALID', `the query ${JSON.stringify(query)}`)
      }
    },
  },
]
