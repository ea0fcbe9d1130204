import { encode, equalBytes, hashBytes, isVaultError, link, utf8 } from '@vault/core'
import type { Entry } from '@vault/soup'
import { decodeEntry, encodeEntry, entryKey, entryValue, MAX_ENTRY_LENGTH, versionId } from '@vault/soup'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as arbitrary from './arbitraries.ts'
import { idOf } from './support.ts'

const POLICY: Entry = { key: 'k', type: 'policy', fields: {} }

function codeOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return isVaultError(error) ? error.code : error
  }
}

it('gives every entry back, whatever order it was written in', () => {
  fc.assert(
    fc.property(arbitrary.entry, (entry) => {
      const bytes = encodeEntry(entry)
      expect(decodeEntry(bytes)).toEqual(entry)
      expect(encodeEntry(Object.fromEntries(Object.entries(entry).toReversed()) as unknown as Entry)).toEqual(bytes)
    }),
  )
})

it('shares no memory with the bytes it was decoded from', () => {
  const bytes = encodeEntry({ ...POLICY, fields: { b: Uint8Array.of(1, 2, 3) } })
  const entry = decodeEntry(bytes)
  bytes.fill(0)
  expect(entry.fields.b).toEqual(Uint8Array.of(1, 2, 3))
})

it('refuses every changed byte, or it is another entry with exactly these bytes', () => {
  fc.assert(
    fc.property(arbitrary.entry, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, place, change) => {
      const bytes = encodeEntry(entry)
      const index = place % bytes.length
      bytes[index] = (bytes[index] as number) ^ change
      const outcome = codeOf(() => encodeEntry(decodeEntry(bytes)))
      expect(outcome === 'SOUP_INVALID' || equalBytes(outcome as Uint8Array, bytes)).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

it('refuses cut and lengthened bytes', () => {
  const bytes = encodeEntry({ ...POLICY, object: idOf('one'), fields: { a: [1, 'x', { b: null }] } })
  for (let length = 0; length < bytes.length; length++) {
    expect(codeOf(() => decodeEntry(bytes.subarray(0, length)))).toBe('SOUP_INVALID')
  }
  expect(codeOf(() => decodeEntry(Uint8Array.of(...bytes, 0)))).toBe('SOUP_INVALID')
})

it('lets no error but SOUP_INVALID out, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(codeOf(() => decodeEntry(bytes))).toBe('SOUP_INVALID')
    }),
  )
})

const FORM = { v: 1, key: 'k', type: 'policy', fields: {} }

it.each<[string, unknown]>([
  ['a version of the future', { ...FORM, v: 2 }],
  ['a version that is no number', { ...FORM, v: '1' }],
  ['no version', { key: 'k', type: 'policy', fields: {} }],
  ['no fields', { v: 1, key: 'k', type: 'policy' }],
  ['no type', { v: 1, key: 'k', fields: {} }],
  ['no key', { v: 1, type: 'policy', fields: {} }],
  ['an unknown member', { ...FORM, extra: 1 }],
  ['an object as text', { ...FORM, object: idOf('one') }],
  ['an object that is null', { ...FORM, object: null }],
  ['a previous version as bytes', { ...FORM, previous: new Uint8Array(36) }],
  ['a link in its fields', { ...FORM, fields: { a: link(idOf('one')) } }],
  ['a link in a list in its fields', { ...FORM, fields: { a: [link(idOf('one'))] } }],
  ['fields that are a link', { ...FORM, fields: link(idOf('one')) }],
  ['fields that are a list', { ...FORM, fields: [] }],
  ['a key that is a number', { ...FORM, key: 1 }],
  ['an empty key', { ...FORM, key: '' }],
  ['a list', [1]],
  ['a link', link(idOf('one'))],
])('refuses bytes with %s', (_, value) => {
  expect(codeOf(() => decodeEntry(encode(value)))).toBe('SOUP_INVALID')
})

let deep: Entry['fields'] = {}
for (let depth = 1; depth < 16; depth++) deep = { d: deep }

it.each<[string, Partial<Record<keyof Entry, unknown>>]>([
  ['a key of 4,097 bytes', { key: `${'é'.repeat(2048)}a` }],
  ['half a character in its key', { key: '\ud800' }],
  ['half a character in a field', { fields: { a: '\udc00' } }],
  ['half a character in a name', { fields: { '\udc00': 1 } }],
  ['fields 17 deep', { fields: { d: deep } }],
  ['an undefined field', { fields: { a: undefined } }],
  ['a function', { fields: { a: () => 1 } }],
  ['a big integer', { fields: { a: 1n } }],
  ['a date', { fields: { a: new Date(0) } }],
  ['a list with a hole', { fields: { a: Array(2) } }],
  ['-0', { fields: { a: -0 } }],
  ['an integer beyond the safe ones', { fields: { a: 2 ** 53 } }],
  ['a large float', { fields: { a: 1e300 } }],
  ['infinity', { fields: { a: Number.POSITIVE_INFINITY } }],
  ['a type in capitals', { type: 'Policy' }],
  ['a type of 65 characters', { type: 'a'.repeat(65) }],
  ['an object that is no id', { object: 'bafy' }],
  ['a path that is no path', { key: 'path:a' }],
  ['a type without its name', { key: 'type:', type: 'type' }],
  ['a description of no object', { key: 'obj:x', type: 'object' }],
  ['too many items', { fields: { a: Array(70_000).fill(1) } }],
  ['fields in a circle', { fields: circle() }],
])('refuses to encode %s', (_, part) => {
  expect(codeOf(() => encodeEntry({ ...POLICY, ...part } as Entry))).toBe('SOUP_INVALID')
})

function circle(): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  fields.a = { fields }
  return fields
}

it('takes what is exactly at its limits', () => {
  const key = 'é'.repeat(2048)
  expect(decodeEntry(encodeEntry({ ...POLICY, key, fields: deep }))).toEqual({ ...POLICY, key, fields: deep })
  const rest = MAX_ENTRY_LENGTH - encodeEntry({ ...POLICY, fields: { t: 'x'.repeat(60_000) } }).length
  const longest = encodeEntry({ ...POLICY, fields: { t: 'x'.repeat(60_000 + rest) } })
  expect(longest.length).toBe(MAX_ENTRY_LENGTH)
  expect(decodeEntry(longest).key).toBe('k')
  const over = { ...POLICY, fields: { t: 'x'.repeat(60_001 + rest) } }
  expect(codeOf(() => encodeEntry(over))).toBe('SOUP_INVALID')
  const { key: k, type, fields } = over
  expect(codeOf(() => decodeEntry(encode({ v: 1, key: k, type, fields })))).toBe('SOUP_INVALID')
})

it('has keys, values and version ids of SHA-256', () => {
  const bytes = encodeEntry(POLICY)
  expect(entryKey('é')).toEqual(hashBytes('sha2-256', utf8('é')))
  expect(entryValue(bytes)).toEqual(hashBytes('sha2-256', bytes))
  expect(versionId(bytes).startsWith('bafyrei')).toBe(true)
})
