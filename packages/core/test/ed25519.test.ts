import { Point } from '@noble/ed25519'
import { systemRandom, toHex } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isStrictPoint, nativeEd25519, portableEd25519 } from '../src/ed25519.ts'
import { PUBLIC_CASES, publicCases } from './ed25519-vectors.ts'
import { fromHex } from './support.ts'

const native = nativeEd25519()
const portable = portableEd25519()
const backends = { native: native as NonNullable<typeof native>, portable }

describe('the strict rule', () => {
  const accepted = { cctv: 43, wycheproof: 88, speccheck: 1, zip215: 0 }
  for (const name of Object.keys(PUBLIC_CASES) as (keyof typeof PUBLIC_CASES)[]) {
    const cases = publicCases(name)
    if (cases === undefined) {
      console.warn(`vectors not found, ${PUBLIC_CASES[name]} tests not run (${name})`)
      continue
    }
    it.each(Object.entries(backends))(`gives the known verdicts on ${name}: %s`, (_, backend) => {
      const verdicts = cases.map(({ key, message, signature }) => backend.verifier(key)(message, signature))
      const wrong = cases.filter(({ valid }, i) => verdicts[i] !== valid).map((test) => test.name)
      expect(wrong).toEqual([])
      expect(cases.length).toBe(PUBLIC_CASES[name])
      expect(verdicts.filter(Boolean).length).toBe(accepted[name])
    })
  }

  // With k·A = 0 for one message in eight at worst, R = S·B is a signature that anyone can make.
  it('refuses what anyone can sign under a key of small order, in every spelling of it', () => {
    const scalar = 12345n
    const forged = new Uint8Array(64)
    forged.set(Point.BASE.multiply(scalar).toBytes())
    forged.set(Uint8Array.of(0x39, 0x30), 32)
    for (const y of SMALL_ORDER) {
      for (const sign of [0, 0x80]) {
        const key = fromHex(y)
        key[31] = (key[31] as number) | sign
        const itself = new Uint8Array(64)
        itself.set(key)
        for (let message = 0; message < 32; message++) {
          for (const backend of Object.values(backends)) {
            expect(backend.verifier(key)(Uint8Array.of(message), forged)).toBe(false)
            expect(backend.verifier(key)(Uint8Array.of(message), itself)).toBe(false)
          }
        }
      }
    }
  })
})

// Tested alone because some versions of OpenSSL and noble refuse such points themselves, and others do not.
describe('the form of a point', () => {
  const signs = [0, 0x80]
  const withSign = (y: Uint8Array, sign: number) => Uint8Array.of(...y.subarray(0, 31), (y[31] as number) | sign)

  it('is refused for points of small order and for every y of at least p', () => {
    const beyond = Array.from({ length: 19 }, (_, k) => fromHex(`${(0xed + k).toString(16)}${'ff'.repeat(30)}7f`))
    for (const y of [...SMALL_ORDER.map(fromHex), ...beyond]) {
      for (const sign of signs) expect(isStrictPoint(withSign(y, sign)), toHex(y)).toBe(false)
    }
  })

  it('is good right beside them', () => {
    const near = [
      `eb${'ff'.repeat(30)}7f`,
      `02${'00'.repeat(31)}`,
      `ed${'ff'.repeat(29)}fe7f`,
      `ed${'ff'.repeat(30)}7e`,
    ]
    for (const y of near.map(fromHex)) {
      for (const sign of signs) expect(isStrictPoint(withSign(y, sign)), toHex(y)).toBe(true)
    }
  })
})

/** libsodium's list (ge25519_has_small_order), of which the last two are not canonical. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

describe('both backends', () => {
  it('make the same keys and signatures, and agree on every damaged one', () => {
    const damage = fc.record({ part: fc.constantFrom('key', 'message', 'signature'), bit: fc.nat(511) })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), damage, (message, { part, bit }) => {
        const secret = systemRandom(32)
        const key = portable.publicKey(secret)
        const signature = portable.sign(secret)(message)
        expect(toHex(backends.native.publicKey(secret))).toBe(toHex(key))
        expect(toHex(backends.native.sign(secret)(message))).toBe(toHex(signature))
        for (const backend of Object.values(backends)) expect(backend.verifier(key)(message, signature)).toBe(true)

        const damaged = { key, message: message.slice(), signature }
        const target = damaged[part as keyof typeof damaged]
        if (target.length === 0) return
        const at = (bit >> 3) % target.length
        target[at] = (target[at] as number) ^ (1 << (bit & 7))
        for (const backend of Object.values(backends)) {
          expect(backend.verifier(damaged.key)(damaged.message, damaged.signature)).toBe(false)
        }
      }),
      { numRuns: 60 },
    )
  })

  it.each(Object.entries(backends))('refuse wrong lengths without throwing: %s', (_, backend) => {
    const secret = systemRandom(32)
    const key = backend.publicKey(secret)
    const message = Uint8Array.of(1, 2, 3)
    const signature = backend.sign(secret)(message)
    for (const length of [0, 31, 33, 63, 65, 128]) {
      expect(backend.verifier(new Uint8Array(length).fill(7))(message, signature)).toBe(false)
      expect(backend.verifier(key)(message, new Uint8Array(length).fill(7))).toBe(false)
    }
  })

  it.each(Object.entries(backends))('do not keep the memory of their caller: %s', (_, backend) => {
    const secret = systemRandom(32)
    const key = backend.publicKey(secret)
    const sign = backend.sign(secret)
    const verify = backend.verifier(key)
    const message = Uint8Array.of(1, 2, 3)
    const before = sign(message)
    secret.fill(0)
    key.fill(0)
    expect(toHex(sign(message))).toBe(toHex(before))
    expect(verify(message, before)).toBe(true)
  })
})
