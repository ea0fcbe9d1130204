import { toHex, utf8 } from '@vault/core'
import type { Sexp } from '@vault/spki-caps/sexp'
import { encodeSexp, formatSexp, parseCanonicalSexp, parseSexp, sexp } from '@vault/spki-caps/sexp'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { codeOf, runs } from '../support.ts'

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map((bytes) => new Uint8Array(bytes)),
  fc.string({ maxLength: 8 }).map(utf8),
)
const anySexp = fc.letrec<{ value: Sexp }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.record({ bytes: anyBytes }),
    fc.record({ bytes: anyBytes, hint: anyBytes }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value

describe('S-expressions', () => {
  it('come back from both of their forms', () => {
    fc.assert(
      fc.property(anySexp, (value) => {
        const canonical = encodeSexp(value)
        expect(parseCanonicalSexp(canonical)).toEqual(value)
        expect(parseSexp(canonical)).toEqual(value)
        expect(parseSexp(formatSexp(value))).toEqual(value)
        expect(parseSexp(` {${btoa(String.fromCharCode(...canonical))}}\n`)).toEqual(value)
      }),
      runs(1000),
    )
  })

  it('have one canonical form: whatever else is read is not it', () => {
    fc.assert(
      fc.property(anySexp, fc.nat(), fc.nat({ max: 255 }), (value, at, byte) => {
        const bytes = encodeSexp(value)
        bytes[at % bytes.length] = byte
        const read = { value: undefined as Sexp | undefined }
        const code = codeOf(() => {
          read.value = parseCanonicalSexp(bytes)
        })
        if (code === undefined) expect(encodeSexp(read.value as Sexp)).toEqual(bytes)
        else expect(code).toBe('CAPS_SEXP_INVALID')
      }),
      runs(1000),
    )
  })
})

// One octet string in each form of RFC 9804, section 4.
test.each([
  'abc',
  '"abc"',
  '3:abc',
  '3"abc"',
  '#616263#',
  '3#616263#',
  '#61 62 63#',
  '|YWJj|',
  '3|YWJj|',
  '{MzphYmM=}',
  '{YWJj}',
])('%s is abc', (text) => {
  expect(parseSexp(text)).toEqual({ bytes: utf8('abc') })
})

test.each<[string, string]>([
  [String.raw`"\n\t\"\\\x41\101"`, '0a09225c4141'],
  ['"a\\\r\nb"', '6162'],
  ['""', ''],
  ['0:', ''],
  ['##', ''],
  ['||', ''],
])('%j has the bytes %s', (text, hex) => {
  expect(toHex((parseSexp(text) as { readonly bytes: Uint8Array }).bytes)).toBe(hex)
})

test('the canonical form of RFC 9804 is written', () => {
  const value = parseSexp('(subject (ref alice mother) [image/bitmap] "x")')
  expect(String.fromCharCode(...encodeSexp(value))).toBe('(7:subject(3:ref5:alice6:mother)[12:image/bitmap]1:x)')
  expect(formatSexp(value)).toBe('(subject (ref alice mother) [image/bitmap]x)')
  expect(formatSexp(sexp(['two words', '1a', 'é', 'a"b', '']))).toBe('("two words" "1a" #c3a9# "a\\"b" "")')
})

test.each([
  '',
  '(',
  ')',
  '(a',
  'a b',
  '3:ab',
  '03:abc',
  '9999999:a',
  '"abc',
  '4"abc"',
  '#616#',
  '#6g#',
  '#61',
  '|Y|',
  '|YWJ=|',
  '|YR==|',
  '{YWJj',
  '{KGE=}',
  '[a]',
  '[a',
  '[a[b]]c',
  String.raw`"\q"`,
  String.raw`"\x4"`,
  String.raw`"\400"`,
  '1a',
  'é',
  '('.repeat(40) + ')'.repeat(40),
  '{'.repeat(3),
  `"${'a'.repeat(65_536)}"`,
])('%j is refused', (text) => {
  expect(codeOf(() => parseSexp(text))).toBe('CAPS_SEXP_INVALID')
})

test.each(['(1:a 1:b)', ' 1:a', 'abc', '"abc"', '{MTph}', '1:a\n', '01:a'])('%j is not canonical', (text) => {
  expect(codeOf(() => parseCanonicalSexp(utf8(text)))).toBe('CAPS_SEXP_INVALID')
})
