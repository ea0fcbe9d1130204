import { contentId, utf8 } from '@vault/core'
import type { Tag } from '@vault/spki-caps'
import { ANY, anyOf, covers, meet, parseTag, vaultTag } from '@vault/spki-caps'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { MAX_PARTS, sizeOf } from '../src/tag-size.ts'
import { anyConcrete, anyTag } from './arbitrary.ts'
import { matches } from './reference-tag.ts'
import { codeOf, runs } from './support.ts'

const met = (a: Tag | undefined, b: Tag | undefined) => (a === undefined || b === undefined ? undefined : meet(a, b))

describe('the lattice of tags', () => {
  it('is commutative', () => {
    fc.assert(
      fc.property(anyTag, anyTag, (a, b) => {
        expect(meet(a, b)).toEqual(meet(b, a))
      }),
      runs(1000),
    )
  })

  it('is associative', () => {
    fc.assert(
      fc.property(anyTag, anyTag, anyTag, (a, b, c) => {
        expect(met(met(a, b), c)).toEqual(met(a, met(b, c)))
      }),
      runs(1000),
    )
  })

  it('is idempotent, with everything as its neutral element', () => {
    fc.assert(
      fc.property(anyTag, (a) => {
        expect(meet(a, a)).toEqual(a)
        expect(meet(a, ANY)).toEqual(a)
        expect(covers(ANY, a)).toBe(true)
      }),
      runs(1000),
    )
  })

  it('gives tags in their one form', () => {
    fc.assert(
      fc.property(anyTag, anyTag, (a, b) => {
        expect(parseTag(a)).toEqual(a)
        const both = meet(a, b)
        if (both !== undefined) expect(parseTag(both)).toEqual(both)
      }),
      runs(1000),
    )
  })

  it('grants by a meet exactly what both grant, as a judge by definition says', () => {
    fc.assert(
      fc.property(anyTag, anyTag, anyConcrete, (a, b, asked) => {
        const both = meet(a, b)
        expect(both !== undefined && covers(both, asked)).toBe(matches(a, asked) && matches(b, asked))
        expect(covers(a, asked)).toBe(matches(a, asked))
      }),
      runs(1000),
    )
  })

  it('orders by covering: what a covered tag grants, the covering one grants', () => {
    fc.assert(
      fc.property(anyTag, anyTag, anyConcrete, (a, b, asked) => {
        const both = meet(a, b)
        if (both === undefined) return
        expect(covers(a, both) && covers(b, both)).toBe(true)
        if (covers(a, b) && matches(b, asked)) expect(matches(a, asked)).toBe(true)
      }),
      runs(1000),
    )
  })

  it('joins by `anyOf`', () => {
    fc.assert(
      fc.property(fc.array(anyTag, { minLength: 1, maxLength: 4 }), anyConcrete, (tags, asked) => {
        expect(matches(anyOf(tags) as Tag, asked)).toBe(tags.some((tag) => matches(tag, asked)))
      }),
      runs(1000),
    )
    expect(anyOf([])).toBeUndefined()
  })
})

// The list of RFC 2693, section 6.3.1, and one case for each of its star forms.
const FTP: Tag = ['ftp', ['host', 'ftp.clark.net']]
const PUB: Tag = ['ftp', ['host', 'ftp.clark.net'], ['dir', '/pub/cme']]
const upTo500: Tag = { range: { order: 'numeric', le: '500' } }
const from100: Tag = { range: { order: 'numeric', ge: '100' } }
test.each<[string, Tag, Tag, Tag]>([
  ['the longer list restricts', FTP, PUB, PUB],
  ['(*)', ANY, FTP, FTP],
  ['(* set)', ['ftp', { set: ['read', 'write'] }], ['ftp', { set: ['list', 'read'] }], ['ftp', 'read']],
  ['(* prefix)', ['http', { prefix: 'https://a/' }], ['http', 'https://a/b'], ['http', 'https://a/b']],
  ['(* range)', ['pay', upTo500], ['pay', from100], ['pay', { range: { order: 'numeric', ge: '100', le: '500' } }]],
])('RFC 2693: %s', (_, a, b, expected) => {
  expect(meet(a, b)).toEqual(expected)
  expect(meet(b, a)).toEqual(expected)
})

const vault = contentId(utf8('v'), { hash: 'sha2-256', codec: 'dag-cbor' })

test.each<[string, Tag, Tag, Tag | undefined]>([
  ['words differ', 'a', 'b', undefined],
  ['a word is no list', 'a', ['a'], undefined],
  ['heads differ', ['a', 'x'], ['b', 'x'], undefined],
  ['one position has nothing in common', ['a', 'x', 'y'], ['a', 'x', 'z'], undefined],
  ['a path below', { path: ['my'] }, { path: ['my', 'docs'] }, { path: ['my', 'docs'] }],
  ['a path ends at a segment', { path: ['my'] }, { path: ['myPublic'] }, undefined],
  ['a path is no word', { path: ['my'] }, 'my', undefined],
  ['a prefix goes by characters', { prefix: '/my' }, '/myPublic', '/myPublic'],
  ['a prefix and a longer one', { prefix: 'a' }, { prefix: 'ab' }, { prefix: 'ab' }],
  ['prefixes apart', { prefix: 'ab' }, { prefix: 'ac' }, undefined],
  [
    'bounds that touch are one word',
    { range: { order: 'numeric', le: '5' } },
    { range: { order: 'numeric', ge: '5' } },
    '5',
  ],
  ['bounds apart', { range: { order: 'numeric', le: '4' } }, { range: { order: 'numeric', ge: '5' } }, undefined],
  ['numbers go by value', { range: { order: 'numeric', le: '10' } }, '9', '9'],
  ['numbers have one form', { range: { order: 'numeric', le: '10' } }, '09', undefined],
  [
    'times go by time',
    { range: { order: 'time', le: '2026-02-01T00:00:00Z' } },
    '2026-01-31T23:59:59Z',
    '2026-01-31T23:59:59Z',
  ],
  ['a day that does not exist is no time', { range: { order: 'time' } }, '2026-02-30T00:00:00Z', undefined],
  ['letters go by their bytes', { range: { order: 'alpha', ge: '\u{1f600}' } }, '\ue000', undefined],
  [
    'rules of two kinds',
    { prefix: '1' },
    { range: { order: 'numeric', ge: '10' } },
    { all: [{ prefix: '1' }, { range: { order: 'numeric', ge: '10' } }] },
  ],
  ['and a word of both', { all: [{ prefix: '1' }, { range: { order: 'numeric', ge: '10' } }] }, '12', '12'],
  ['and one of one only', { all: [{ prefix: '1' }, { range: { order: 'numeric', ge: '10' } }] }, '1', undefined],
  [
    'actions and a path of a vault',
    vaultTag({ actions: ['migrate', 'read'], object: vault }),
    vaultTag({ actions: ['write', 'read'], object: vault, path: ['docs'] }),
    ['vault', 'read', { path: [vault, 'docs'] }],
  ],
])('%s', (_, a, b, expected) => {
  expect(meet(a, b)).toEqual(expected)
  expect(meet(b, a)).toEqual(expected)
})

describe('what is too large to be a tag', () => {
  const lists = (count: number, tag: (i: number) => Tag): Tag =>
    anyOf(Array.from({ length: count }, (_, i) => tag(i))) as Tag
  const a = lists(60, (i) => ['x', { prefix: `a${String.fromCharCode(98 + (i % 20))}${i}` }, '*'])
  const b = lists(60, (i) => ['x', '*', { prefix: `b${i}c` }])

  it('is said to be, and not worked out', () => {
    const start = performance.now()
    expect(codeOf(() => meet(a, b))).toBe('CAPS_TAG_INVALID')
    expect(codeOf(() => anyOf(Array.from({ length: 5000 }, (_, i) => ['x', `${i}`])))).toBe('CAPS_TAG_INVALID')
    expect(covers(a, b)).toBe(false)
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('holds every tag that can be read', () => {
    fc.assert(
      fc.property(anyTag, (tag) => {
        expect(sizeOf(tag)).toBeLessThan(MAX_PARTS)
        expect(codeOf(() => parseTag(tag))).toBeUndefined()
      }),
      runs(200),
    )
  })
})
