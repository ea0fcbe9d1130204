import { compareBytes, contentId, decode, encode, link, utf8 } from '@vault/core'
import { anyOf, lintTag, parseTag, type Tag, tagText, vaultTag } from '@vault/spki-caps'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { anyTag } from './arbitrary.ts'
import { codeOf, runs } from './support.ts'

const nested = (depth: number): unknown => (depth === 1 ? 'a' : ['x', nested(depth - 1)])
const words = (count: number) => Array.from({ length: count }, (_, i) => `w${String(i).padStart(4, '0')}`)
const vault = contentId(utf8('v'), { hash: 'sha2-256', codec: 'dag-cbor' })

describe('parseTag', () => {
  it('takes what it gives, through its bytes', () => {
    fc.assert(
      fc.property(anyTag, (tag) => {
        const parsed = parseTag(decode(encode(tag)))
        expect(encode(parsed)).toEqual(encode(tag))
      }),
      runs(1000),
    )
  })

  it('has the words of a set in the order of their bytes, whatever is in them', () => {
    const anyWord = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }))
    const anyWords = fc.uniqueArray(
      anyWord.filter((word) => word !== '*'),
      { minLength: 2 },
    )
    fc.assert(
      fc.property(anyWords, (words) => {
        const set = words.toSorted((a, b) => compareBytes(encode(a), encode(b)))
        expect(anyOf(words)).toEqual({ set })
        expect(parseTag({ set })).toEqual({ set })
      }),
      runs(500),
    )
  })

  it('takes the largest and the deepest that it says', () => {
    expect(codeOf(() => parseTag(nested(16)))).toBeUndefined()
    expect(codeOf(() => parseTag({ set: words(1023) }))).toBeUndefined()
  })

  test.each<[string, unknown]>([
    ['nested too deep', nested(17)],
    ['too many parts', { set: words(1024) }],
    ['a large set that is not of words alone', { set: [...words(64), ['x']] }],
    ['a number', 5],
    ['null', null],
    ['a link', link(vault)],
    ['bytes', new Uint8Array(3)],
    ['an empty word', ''],
    ['a word too long', 'a'.repeat(1025)],
    ['a lone surrogate', '\ud800'],
    ['an empty list', []],
    ['a list that begins with everything', ['*', 'a']],
    ['a list that begins with a list', [['a']]],
    ['an unknown form', { glob: 'a*' }],
    ['two forms at once', { prefix: 'a', path: ['a'] }],
    ['a set of one', { set: ['a'] }],
    ['a set out of order', { set: ['b', 'a'] }],
    ['a set with a double', { set: ['a', 'a'] }],
    ['a set of a set', { set: ['a', { set: ['b', 'c'] }] }],
    ['a set with everything', { set: ['*', 'a'] }],
    ['a set of which one covers another', { set: ['ab', { prefix: 'a' }] }],
    ['an empty path', { path: [] }],
    ['a path with ..', { path: ['a', '..'] }],
    ['a path with .', { path: ['.'] }],
    ['a path with a slash in it', { path: ['a/b'] }],
    ['a path with an empty segment', { path: ['a', ''] }],
    ['a path with a zero', { path: ['a\0'] }],
    ['an empty prefix', { prefix: '' }],
    ['a range without order', { range: { ge: '1' } }],
    ['a range of an unknown order', { range: { order: 'binary' } }],
    ['a range with an unknown bound', { range: { order: 'alpha', eq: 'a' } }],
    ['a range with two lower bounds', { range: { order: 'alpha', ge: 'a', gt: 'a' } }],
    ['a strict bound of numbers', { range: { order: 'numeric', gt: '4' } }],
    ['an empty range', { range: { order: 'numeric', ge: '5', le: '4' } }],
    ['an empty range of letters', { range: { order: 'alpha', ge: 'a', lt: 'a' } }],
    ['a range of one word', { range: { order: 'numeric', ge: '5', le: '5' } }],
    ['a bound that is no number', { range: { order: 'numeric', ge: '05' } }],
    ['a bound that is no time', { range: { order: 'time', ge: '2026-02-01' } }],
    ['all of one', { all: [{ prefix: 'a' }] }],
    ['all of one kind', { all: [{ prefix: 'a' }, { prefix: 'ab' }] }],
    ['all out of order', { all: [{ range: { order: 'numeric' } }, { prefix: '1' }] }],
    ['all with a word', { all: [{ prefix: 'a' }, 'a'] }],
  ])('refuses %s', (_, value) => {
    expect(codeOf(() => parseTag(value))).toBe('CAPS_TAG_INVALID')
  })
})

test('an action of everything is only everything when it is meant', () => {
  expect(codeOf(() => vaultTag({ actions: ['*'], object: vault }))).toBe('CAPS_TAG_INVALID')
  expect(codeOf(() => vaultTag({ actions: ['*', 'read'], object: vault }))).toBe('CAPS_TAG_INVALID')
  expect(vaultTag({ actions: '*', object: vault })).toEqual(['vault', '*', { path: [vault] }])
})

test.each<[string, Tag, Tag, readonly string[]]>([
  ['nothing', ['vault', 'read', { path: ['a'] }], '*', []],
  ['everything', '*', '*', ['CAPS_TAG_EVERYTHING']],
  ['a prefix that is meant as a path', ['http', { prefix: '/my' }], '*', ['CAPS_TAG_BARE_PREFIX']],
  ['no prefix that ends with a slash', ['http', { prefix: '/my/' }], '*', []],
  ['rules of two kinds', ['x', { all: [{ prefix: '1' }, { range: { order: 'numeric' } }] }], '*', ['CAPS_TAG_MIXED']],
  ['what the issuer does not hold', ['vault', 'write'], ['vault', 'read'], ['CAPS_TAG_INERT']],
  ['more than the issuer holds', ['vault', { set: ['read', 'write'] }], ['vault', 'read'], ['CAPS_TAG_EXCESS']],
])('lint finds %s', (_, tag, held, expected) => {
  expect(lintTag(tag, held).map(({ code }) => code)).toEqual(expected)
})

test.each<[Tag, string]>([
  [['vault', { set: ['read', 'write'] }, { path: ['v', 'docs'] }], '(vault {read, write} v/docs/)'],
  [{ range: { order: 'numeric', ge: '1' } }, 'numeric [1..['],
  [{ all: [{ prefix: 'a' }, { range: { order: 'alpha', gt: 'a', lt: 'b' } }] }, 'a… & alpha ]a..b['],
  ['two words', '"two words"'],
  ['\u001b[31mred\u202e', '"\\u001b[31mred?"'],
])('%j reads as %s', (tag, text) => {
  expect(tagText(tag)).toBe(text)
})
