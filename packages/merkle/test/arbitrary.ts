import type { Bytes } from '@vault/core'
import fc from 'fast-check'

/** Few different bytes behind few different prefixes: keys meet, share up to 255 bits, and buckets get full. */
const shared = fc.constantFrom(0, 3, 4, 16, 31)

export const anyKey: fc.Arbitrary<Bytes> = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes)),
  fc.tuple(shared, fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 1 })).map(([length, byte, last]) => {
    const key = new Uint8Array(32)
    key[length] = byte
    key[31] = (key[31] as number) ^ last
    return key
  }),
)

export const anyValue: fc.Arbitrary<Bytes> = fc.integer({ min: 0, max: 3 }).map((byte) => new Uint8Array(32).fill(byte))

/** `count` keys as from a hash function, reproducible, in no order. */
export function hashedKeys(count: number, seed: number, prefix: Uint8Array = new Uint8Array(0)): Bytes[] {
  let state = seed >>> 0
  return Array.from({ length: count }, () => {
    const key = new Uint8Array(32)
    for (let i = 0; i < 32; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      key[i] = state >>> 24
    }
    key.set(prefix)
    return key
  })
}
