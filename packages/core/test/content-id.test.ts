import type { Codec, ContentId, HashName } from '@vault/core'
import {
  codecOf,
  compareBytes,
  compareIds,
  contentId,
  hashBytes,
  hashOf,
  idBytes,
  idFromBytes,
  isContentId,
  matchesId,
  parseContentId,
  utf8,
} from '@vault/core'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { anyId } from './arbitraries.ts'
import { codeOf } from './support.ts'

const CODECS: [Codec, number][] = [
  ['raw', 0x55],
  ['dag-cbor', 0x71],
]
const HASHES: [HashName, number][] = [
  ['blake3', 0x1e],
  ['sha2-256', 0x12],
]
const GOOD = contentId(utf8('hello'))

describe('content ids', () => {
  it('are the CIDs of multiformats', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom(...CODECS),
        fc.constantFrom(...HASHES),
        (bytes, [codec, codecCode], [hash, hashCode]) => {
          const id = contentId(bytes, { codec, hash })
          const cid = CID.createV1(codecCode, createDigest(hashCode, hashBytes(hash, bytes)))
          expect(id).toBe(cid.toString())
          expect(idBytes(id)).toEqual(new Uint8Array(cid.bytes))
          expect([codecOf(id), hashOf(id)]).toEqual([codec, hash])
          expect(matchesId(id, bytes)).toBe(true)
          expect(matchesId(id, Uint8Array.of(...bytes, 0))).toBe(false)
        },
      ),
    )
  })

  it('are raw BLAKE3 by default', () => {
    expect(GOOD).toBe('bafkr4ihkr4ld3m4gqkjf4reryxsy2s5tkbxprqkow6fin2iiyvreuzzab4')
  })

  it('round-trip between text and bytes', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        expect(idFromBytes(idBytes(id))).toBe(id)
        expect(parseContentId(id)).toBe(id)
        expect(isContentId(id)).toBe(true)
      }),
    )
  })

  it('sort by their bytes', () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        expect(Math.sign(compareIds(a, b))).toBe(Math.sign(compareBytes(idBytes(a), idBytes(b))))
        expect(compareIds(a, a)).toBe(0)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['a character short', GOOD.slice(0, -1)],
    ['a character more', `${GOOD}a`],
    ['white space', ` ${GOOD.slice(1)}`],
    ['upper case', GOOD.toUpperCase()],
    ['one upper-case digit', GOOD.replace('k', 'K')],
    ['a digit outside base32', GOOD.replace('k', '1')],
    ['a digit beyond ASCII', `${GOOD.slice(0, -1)}é`],
    ['padding', `${GOOD.slice(0, -1)}=`],
    ['another base', `z${GOOD.slice(1)}`],
    // The last digit carries three bits: the other two must be zero.
    ['stray bits in the last digit', `${GOOD.slice(0, -1)}5`],
    ['version 0', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG'],
    ['another version', textOf(2, 0x55, 0x1e, 32)],
    ['codec dag-pb', textOf(1, 0x70, 0x1e, 32)],
    ['hash sha3-256', textOf(1, 0x55, 0x16, 32)],
    ['another length of hash', textOf(1, 0x55, 0x1e, 31)],
  ])('refuse the text of %s', (_, text) => {
    expect(isContentId(text)).toBe(false)
    expect(codeOf(() => parseContentId(text))).toBe('CONTENT_ID_INVALID')
    expect(codeOf(() => idBytes(text as ContentId))).toBe('CONTENT_ID_INVALID')
  })

  it('are refused for every text that differs in one character and is no id of its own', () => {
    fc.assert(
      fc.property(anyId, fc.nat(58), fc.string({ minLength: 1, maxLength: 1 }), (id, at, character) => {
        const text = id.slice(0, at) + character + id.slice(at + 1)
        if (isContentId(text)) expect(idFromBytes(idBytes(text))).toBe(text)
        else expect(codeOf(() => parseContentId(text))).toBe('CONTENT_ID_INVALID')
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([0, 35, 37])('refuse %d bytes', (length) => {
    const bytes = new Uint8Array(length)
    bytes.set(idBytes(GOOD).subarray(0, length))
    expect(codeOf(() => idFromBytes(bytes))).toBe('CONTENT_ID_INVALID')
  })

  it.each([null, undefined, 7, {}, [GOOD]])('are not %j', (value) => {
    expect(isContentId(value)).toBe(false)
  })
})

/** The base32 text of 36 bytes that begin so, whether or not they are an id. */
function textOf(...header: number[]): string {
  const digits = [...header, ...new Uint8Array(32)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = digits.padEnd(290, '0').match(/.{5}/g) as string[]
  return `b${groups.map((group) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(group, 2)]).join('')}`
}
