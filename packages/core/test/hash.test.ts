import { createHash } from 'node:crypto'
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { createHasher, hashBytes, toHex, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HashFunction, hashBackends } from '../src/hash.ts'

const REFERENCE = { blake3: nobleBlake3, 'sha2-256': nobleSha256 }

// Around the sizes at which BLAKE3 begins another block (64), chunk (1,024), subtree and vector width.
const LENGTHS = [
  0, 1, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 3073, 4096, 4097, 8191, 8192, 8193,
]
const LONG = [16_385, 31_744, 65_536, 65_537, 102_400]

const content = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)

describe.each(['blake3', 'sha2-256'] as const)('%s', (name) => {
  const { native, portable } = hashBackends[name]
  if (native === undefined) console.warn(`no native ${name} on this platform, its tests not run`)
  const backends: [string, HashFunction][] = [
    ['portable', portable],
    ...(native ? [['native', native] as [string, HashFunction]] : []),
    ['chosen by length', { hash: (bytes) => hashBytes(name, bytes), create: () => createHasher(name) }],
  ]

  it.each(backends)('is the same in every implementation, at once and in pieces: %s', (_, backend) => {
    for (const length of [...LENGTHS, ...LONG]) {
      const bytes = content(length)
      const expected = toHex(REFERENCE[name](bytes))
      expect(toHex(backend.hash(bytes)), `${length} bytes`).toBe(expected)
      for (const piece of [1, 63, 1024, 5000]) {
        if (piece === 1 && length > 2049) continue
        const hasher = backend.create()
        for (let at = 0; at < length; at += piece) hasher.update(bytes.subarray(at, at + piece))
        expect(toHex(hasher.digest()), `${length} bytes in pieces of ${piece}`).toBe(expected)
      }
    }
  })

  it.each(backends)('does not depend on how a stream is cut: %s', (_, backend) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 8 }), (pieces) => {
        const hasher = backend.create()
        for (const piece of pieces) hasher.update(piece)
        expect(toHex(hasher.digest())).toBe(toHex(REFERENCE[name](Buffer.concat(pieces))))
      }),
      { numRuns: 30 },
    )
  })

  it.each(backends)('gives digests that nothing overwrites: %s', (_, backend) => {
    const first = backend.hash(utf8('a'))
    const hasher = backend.create()
    hasher.update(utf8('b'))
    const second = hasher.digest()
    const [a, b] = [toHex(first), toHex(second)]
    for (let i = 0; i < 1_000; i++) backend.hash(content(i))
    expect([toHex(first), toHex(second)]).toEqual([a, b])
    expect(first.buffer.byteLength).toBe(32)
  })

  it('is what the package gives', () => {
    const bytes = content(100)
    const hasher = createHasher(name)
    hasher.update(bytes)
    expect(toHex(hashBytes(name, bytes))).toBe(toHex(REFERENCE[name](bytes)))
    expect(hasher.digest()).toEqual(hashBytes(name, bytes))
  })
})

// From the specification's test_vectors.json and FIPS 180-4.
it('gives published digests', () => {
  expect(toHex(hashBytes('blake3', new Uint8Array(0)))).toBe(
    'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
  )
  expect(toHex(hashBytes('blake3', content(1024)))).toBe(
    '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
  )
  expect(toHex(hashBytes('sha2-256', utf8('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
  expect(toHex(hashBytes('sha2-256', utf8('abc')))).toBe(createHash('sha256').update('abc').digest('hex'))
})
