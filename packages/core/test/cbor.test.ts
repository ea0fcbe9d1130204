import { isDeepStrictEqual } from 'node:util'
import { compareBytes, decode, encode, equalBytes, isLink, link, parseContentId, toHex, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyId, anyValue } from './arbitraries.ts'
import { referenceDecode, referenceEncode } from './reference-cbor.ts'
import { codeOf, fromHex, fuzzRuns } from './support.ts'

const ID = parseContentId('bafkr4ifpcne3t5p5bofsxgftemtwpgwxmhfrmczoxvnrvnr3jp5phzsjze')

describe('encode and decode', () => {
  it('round-trip every value, to the bytes that cborg writes', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = encode(value)
        expect(isDeepStrictEqual(decode(bytes), value)).toBe(true)
        expect(toHex(bytes)).toBe(toHex(referenceEncode(value)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('do not depend on the order in which keys were added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary', maxLength: 4 }), fc.integer()), (map) => {
        const reversed = Object.fromEntries(Object.entries(map).reverse())
        expect(encode(reversed)).toEqual(encode(map))
      }),
    )
  })

  it.each([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [255, '18ff'],
    [256, '190100'],
    [65_535, '19ffff'],
    [65_536, '1a00010000'],
    [4_294_967_295, '1affffffff'],
    [4_294_967_296, '1b0000000100000000'],
    [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    [-1, '20'],
    [-24, '37'],
    [-25, '3818'],
    [Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
    [0.5, 'fb3fe0000000000000'],
    [null, 'f6'],
    [true, 'f5'],
    [false, 'f4'],
    ['', '60'],
    ['é', '62c3a9'],
    ['\ufeff', '63efbbbf'],
    [new Uint8Array([1, 2]), '420102'],
    [[1, [2]], '82018102'],
    [{ b: 1, a: 2, aa: 3 }, 'a3616102616201626161' + '03'],
    [link(ID), `d82a582500${toHex(fromHex('01551e20'))}`],
  ])('writes %j as %s', (value, hex) => {
    expect(toHex(encode(value)).startsWith(hex)).toBe(true)
    expect(decode(encode(value))).toEqual(value)
  })

  it('order keys by bytes where UTF-16 order differs', () => {
    const keys = Object.keys(decode(encode({ '😀': 1, '\uffff': 2, '\uffffa': 3, é: 4, zz: 5 })) as object)
    expect(keys).toEqual(['zz', 'é', '\uffff', '\uffffa', '😀'])
    const encoded = keys.map(utf8)
    expect(encoded.toSorted((a, b) => a.length - b.length || compareBytes(a, b))).toEqual(encoded)
  })
})

describe('encode', () => {
  class Account {
    owner = 'me'
  }
  const cycle: unknown[] = []
  cycle.push(cycle)

  it.each([
    ['undefined', undefined],
    ['an undefined property', { a: undefined }],
    ['a hole', new Array(1)],
    ['-0', -0],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an unsafe integer', 2 ** 53],
    ['a negative unsafe integer', -(2 ** 53)],
    ['a large integral float', 1e300],
    ['a bigint', 1n],
    ['a lone surrogate', 'a\ud800b'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['a date', new Date(0)],
    ['a Map', new Map()],
    ['an instance of a class', new Account()],
    ['another typed array', new Uint16Array(1)],
    ['a link to nothing', link('b' as never)],
  ])('refuses %s', (_, value) => {
    expect(codeOf(() => encode(value))).toBe('CBOR_INVALID')
  })

  it('ends at a cycle', () => {
    expect(codeOf(() => encode(cycle))).toBe('CBOR_TOO_DEEP')
  })

  it('keeps to its limits exactly', () => {
    const nested = [[[0]]]
    expect(codeOf(() => encode(nested, { maxDepth: 3 }))).toBeUndefined()
    expect(codeOf(() => encode(nested, { maxDepth: 2 }))).toBe('CBOR_TOO_DEEP')
    expect(codeOf(() => encode(nested, { maxItems: 4 }))).toBeUndefined()
    expect(codeOf(() => encode(nested, { maxItems: 3 }))).toBe('CBOR_TOO_LARGE')
    for (const length of [10, 10_000]) {
      const size = encode('x'.repeat(length)).length
      expect(codeOf(() => encode('x'.repeat(length), { maxBytes: size }))).toBeUndefined()
      expect(codeOf(() => encode('x'.repeat(length), { maxBytes: size - 1 }))).toBe('CBOR_TOO_LARGE')
    }
  })

  it('refuses a depth that the stack may not hold', () => {
    expect(() => encode(0, { maxDepth: 513 })).toThrow(RangeError)
    expect(() => decode(Uint8Array.of(0), { maxDepth: 513 })).toThrow(RangeError)
  })
})

describe('decode', () => {
  it('keeps to its limits exactly', () => {
    const nested = encode([[[0]]])
    expect(codeOf(() => decode(nested, { maxDepth: 3, maxBytes: nested.length, maxItems: 4 }))).toBeUndefined()
    expect(codeOf(() => decode(nested, { maxDepth: 2 }))).toBe('CBOR_TOO_DEEP')
    expect(codeOf(() => decode(nested, { maxBytes: nested.length - 1 }))).toBe('CBOR_TOO_LARGE')
    expect(codeOf(() => decode(nested, { maxItems: 3 }))).toBe('CBOR_TOO_LARGE')
    expect(codeOf(() => decode(new Uint8Array(100_000).fill(0x81)))).toBe('CBOR_TOO_DEEP')
    expect(codeOf(() => decode(new Uint8Array(100_000).fill(0xa1)))).toBe('CBOR_INVALID')
    expect(codeOf(() => decode(new Uint8Array(8 * 1024 * 1024 + 1)))).toBe('CBOR_TOO_LARGE')
  })

  it('makes hostile keys harmless', () => {
    const map = decode(encode(JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'))) as Record<string, unknown>
    expect(Object.getPrototypeOf(map)).toBeNull()
    expect(Object.keys(map)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('gives bytes that share no memory with the input', () => {
    const input = encode(Uint8Array.of(1, 2, 3))
    const output = decode(input) as Uint8Array
    input.fill(0)
    expect([...output]).toEqual([1, 2, 3])
  })

  it('reads from the middle of a larger buffer', () => {
    const inner = encode({ half: 0.5, text: 'é', link: link(ID) })
    const outer = new Uint8Array(inner.length + 20)
    outer.set(inner, 7)
    expect(decode(outer.subarray(7, 7 + inner.length))).toEqual(decode(inner))
  })
})

describe('links', () => {
  it('are recognised, and never imitated by a decoded map', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        const decoded = decode(encode(link(id)))
        expect(isLink(decoded) && decoded.id).toBe(id)
      }),
    )
    expect(isLink(decode(encode({ id: ID })))).toBe(false)
    expect(isLink({ [Symbol.for('@vault/core/link')]: true, id: ID })).toBe(true)
    expect([null, undefined, ID, []].some(isLink)).toBe(false)
  })
})

describe('mutated bytes', () => {
  it('are accepted exactly where cborg writes back the same bytes', { timeout: 3_600_000 }, () => {
    const seed = Date.now() | 0
    const random = mulberry32(seed)
    const corpus = fc
      .sample(anyValue, { numRuns: 600, seed })
      .map((value) => encode(value))
      .filter((bytes) => bytes.length <= 512)
    let accepted = 0
    for (let run = fuzzRuns(20_000); run > 0; run--) {
      const input = mutate(corpus[random(corpus.length)] as Uint8Array, random)
      // cborg drops a byte order mark at the start of text, so it is no judge of these.
      if (Buffer.from(input).includes(BYTE_ORDER_MARK)) continue
      const verdict = codeOf(() => decode(input)) === undefined
      if (verdict) accepted++
      if (verdict !== isCanonical(input)) expect.fail(`verdict ${verdict} on ${toHex(input)}`)
    }
    expect(accepted).toBeGreaterThan(100)
  })
})

const BYTE_ORDER_MARK = '\ufeff'

function isCanonical(bytes: Uint8Array): boolean {
  try {
    const value = referenceDecode(bytes)
    return equalBytes(referenceEncode(value), bytes) && !holdsUnsafeNumber(value)
  } catch {
    return false
  }
}

/** cborg gives and takes integers of 64 bits, and writes large integral numbers as floats. */
function holdsUnsafeNumber(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  return Object.values(value).some(holdsUnsafeNumber)
}

/** One to four small edits: most results are nearly right, which is where parsers fail. */
function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let result = [...bytes]
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(result.length + 1)
    const edit = random(6)
    if (edit === 0) result[at] = (result[at] ?? 0) ^ (1 << random(8))
    else if (edit === 1) result[at] = random(256)
    else if (edit === 2) result.splice(at, 0, HEADS[random(HEADS.length)] as number)
    else if (edit === 3) result.splice(at, 1 + random(3))
    else if (edit === 4) result.splice(at, 0, ...result.slice(at, at + 1 + random(12)))
    else result = result.slice(0, Math.max(1, at))
  }
  return Uint8Array.from(result)
}

const HEADS = [0x18, 0x1b, 0x3b, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xd8, 0xf7, 0xf9, 0xfb, 0xff]

function mulberry32(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
