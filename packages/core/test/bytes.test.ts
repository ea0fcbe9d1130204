import { compareBytes, concatBytes, copyBytes, equalBytes, fromUtf8, toHex, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const anyBytes = fc.uint8Array({ maxLength: 20 })

describe('bytes', () => {
  it('are compared as Buffer compares them', () => {
    const near = fc.oneof(anyBytes, fc.uint8Array({ maxLength: 3, max: 2 }))
    fc.assert(
      fc.property(near, near, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0)
        expect(equalBytes(a, a.slice())).toBe(true)
      }),
    )
  })

  it('are joined in order', () => {
    fc.assert(
      fc.property(fc.array(anyBytes), (parts) => {
        expect([...concatBytes(...parts)]).toEqual(parts.flatMap((part) => [...part]))
      }),
    )
  })

  it('are printed in lower-case hexadecimal', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
      }),
    )
  })

  it('are copied, also out of a pool', () => {
    const pooled = Buffer.from('abc')
    const copy = copyBytes(pooled)
    pooled.fill(0)
    expect([...copy]).toEqual([97, 98, 99])
    expect(copy.buffer.byteLength).toBe(3)
    expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype)
  })
})

describe('text', () => {
  it('round-trips, a byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(fromUtf8(utf8(text))).toBe(text)
      }),
    )
    expect(fromUtf8(utf8('\ufeffa'))).toBe('\ufeffa')
  })

  it.each([[[0xff]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xe2, 0x82]]])('is not %j', (bytes) => {
    expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(TypeError)
  })
})
