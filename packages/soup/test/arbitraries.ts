import type { ContentId } from '@vault/core'
import { contentId, utf8 } from '@vault/core'
import type { Entry, FieldValue } from '@vault/soup'
import fc from 'fast-check'

/** Texts with every length of UTF-8 and UTF-16, and with zeros, which the order of keys has to escape. */
const text: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom('a', 'b', '\u0000', '\u0001', 'é', '\uffee', '\u{1f600}'),
  maxLength: 6,
})

const number: fc.Arbitrary<number> = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
)

const bytes: fc.Arbitrary<FieldValue> = fc
  .uint8Array({ maxLength: 5 })
  .map((array): FieldValue => Uint8Array.from(array))

const names = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'length', '0'))

function map<Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> {
  return fc.dictionary(names, values, { maxKeys: 4, noNullPrototype: true })
}

export const fieldValue: fc.Arbitrary<FieldValue> = fc.letrec<{ value: FieldValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<FieldValue>(null, true, false),
    number.map((n): FieldValue => (Object.is(n, -0) ? 0 : n)),
    text,
    bytes,
    fc.array(tie('value'), { maxLength: 4 }),
    map(tie('value')),
  ),
})).value

const id: fc.Arbitrary<ContentId> = fc
  .record({
    content: text,
    hash: fc.constantFrom('blake3' as const, 'sha2-256' as const),
    codec: fc.constantFrom('raw' as const, 'dag-cbor' as const),
  })
  .map(({ content, hash, codec }) => contentId(utf8(content), { hash, codec }))

export const entry: fc.Arbitrary<Entry> = fc
  .record(
    {
      key: fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
        .filter((key) => !/^(path|obj|ref|type):/.test(key)),
      type: fc.constantFrom('policy', 'principal', 'release', 'wormhole', 'x', 'a-1'),
      object: id,
      fields: map(fieldValue),
      previous: id,
    },
    { requiredKeys: ['key', 'type', 'fields'] },
  )
  .map((given) => given as Entry)
