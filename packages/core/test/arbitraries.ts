import type { ContentId } from '@vault/core'
import { idFromBytes, link } from '@vault/core'
import fc from 'fast-check'

export const anyId: fc.Arbitrary<ContentId> = fc
  .tuple(fc.constantFrom(0x55, 0x71), fc.constantFrom(0x1e, 0x12), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([codec, hash, digest]) => idFromBytes(Uint8Array.of(1, codec, hash, 32, ...digest)))

/** `-0` and integers beyond the safe range have no DAG-CBOR form here. */
const anyNumber = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n)),
)
const anyText = fc.string({ unit: 'grapheme', maxLength: 80 })
const anyKey = fc.oneof(
  fc.string({ maxLength: 8 }),
  anyText,
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '\uffff', '\ue000', '😀', 'é'),
)
const anyLeaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  anyNumber,
  anyText,
  fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
  anyId.map(link),
)

/** Every kind of value that has a DAG-CBOR form; maps without a prototype, as `decode` gives them. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, anyLeaf, tie('array'), tie('map')),
  array: fc.array(tie('value'), { maxLength: 30 }),
  map: fc.array(fc.tuple(anyKey, tie('value')), { maxLength: 30 }).map((pairs) => {
    const map: Record<string, unknown> = Object.create(null)
    for (const [key, value] of pairs) map[key] = value
    return map
  }),
})).value
