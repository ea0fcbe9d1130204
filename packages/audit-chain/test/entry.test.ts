import { encode, isVaultError } from '@vault/core'
import { leafHash } from '@vault/merkle'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../src/index.ts'
import {
  decodeEntry,
  decodeEvent,
  encodeEvent,
  eventOf,
  MAX_ENTRY_LENGTH,
  MAX_EVENT_LENGTH,
  sealEntry,
} from '../src/index.ts'
import { code } from './trail-code.ts'
import { event, signer } from './trail-support.ts'

const full: AuditEvent = {
  time: 1_700_000_000,
  actor: { name: 'kim', key: signer.key, proven: true, request: new Uint8Array([1, 2]) },
  action: { verb: 'put', object: 'path:a', parameters: { count: 3, of: ['a', null] } },
  context: { motivation: 'asked to', relates_to: [0, 4], language: 'en' },
  key: 'batch:1',
}

describe('an event', () => {
  test('comes back as it was', () => {
    for (const each of [full, event(1), { ...full, context: {} }]) {
      const decoded = decodeEvent(encodeEvent(each))
      expect(encodeEvent(decoded)).toEqual(encodeEvent(each))
      expect({ ...decoded, actor: { ...decoded.actor }, action: { ...decoded.action } }).toMatchObject({
        time: each.time,
        key: each.key,
      })
    }
  })

  const wrong: readonly [string, object][] = [
    ['an unknown field', { ...full, more: 1 }],
    ['a missing key', { time: 1, actor: full.actor, action: full.action }],
    ['an empty key', { ...full, key: '' }],
    ['a long key', { ...full, key: 'k'.repeat(513) }],
    ['a time before 1970', { ...full, time: -1 }],
    ['a time with a fraction', { ...full, time: 1.5 }],
    ['an actor without proof', { ...full, actor: { name: 'kim' } }],
    ['a key id that is none', { ...full, actor: { name: 'kim', proven: false, key: 'ed25519:z6Mk' } }],
    ['a request that is text', { ...full, actor: { name: 'kim', proven: true, request: 'r' } }],
    ['an unknown field of the actor', { ...full, actor: { name: 'kim', proven: true, host: 'h' } }],
    ['an empty verb', { ...full, action: { verb: '', object: 'o' } }],
    ['parameters that are a list', { ...full, action: { verb: 'v', object: 'o', parameters: [] } }],
    ['relations that are no indexes', { ...full, context: { relates_to: [-1] } }],
    ['an unknown field of the context', { ...full, context: { why: 'w' } }],
  ]
  test.for(wrong)('with %s is refused both ways', ([, value]) => {
    expect(code(() => encodeEvent(value as AuditEvent))).toBe('AUDIT_ENTRY_INVALID')
    expect(code(() => decodeEvent(encode(value)))).toBe('AUDIT_ENTRY_INVALID')
  })

  test('is at most 60 KiB long, and then its entry fits', () => {
    const padded = (length: number): AuditEvent => ({ ...full, action: { verb: 'v', object: 'o'.repeat(length) } })
    const length = MAX_EVENT_LENGTH - (encodeEvent(padded(60_000)).length - 60_000)
    const longest = encodeEvent(padded(length))
    expect(longest.length).toBe(MAX_EVENT_LENGTH)
    expect(code(() => encodeEvent(padded(length + 1)))).toBe('AUDIT_ENTRY_INVALID')
    const entry = sealEntry(longest, Number.MAX_SAFE_INTEGER, new Uint8Array(32))
    expect(entry.length).toBeLessThan(MAX_ENTRY_LENGTH)
    expect(eventOf(decodeEntry(entry))).toEqual(longest)
  })
})

describe('an entry', () => {
  test('follows from event, index and predecessor alone', () => {
    const first = sealEntry(encodeEvent(full), 0, null)
    const second = sealEntry(encodeEvent(full), 1, leafHash(first))
    expect(decodeEntry(first)).toMatchObject({ type: 'audit', v: 1, seq: 0, prev: null })
    expect(decodeEntry(second).prev).toEqual(leafHash(first))
    expect(sealEntry(encodeEvent(full), 1, leafHash(first))).toEqual(second)
    expect(eventOf(decodeEntry(second))).toEqual(encodeEvent(full))
  })

  test('has a predecessor unless it is the first', () => {
    expect(() => sealEntry(encodeEvent(full), 1, null)).toThrow(RangeError)
    expect(() => sealEntry(encodeEvent(full), 0, new Uint8Array(32))).toThrow(RangeError)
    expect(() => sealEntry(encodeEvent(full), 1, new Uint8Array(31))).toThrow(RangeError)
    const entry = { ...full, type: 'audit', v: 1, seq: 1, prev: null }
    expect(code(() => decodeEntry(encode(entry)))).toBe('AUDIT_ENTRY_INVALID')
    expect(code(() => decodeEntry(encode({ ...entry, seq: 0, v: 2 })))).toBe('AUDIT_ENTRY_INVALID')
    expect(decodeEntry(encode({ ...entry, seq: 0 })).seq).toBe(0)
  })

  test('from any bytes, only a VaultError escapes', () => {
    const entry = sealEntry(encodeEvent(full), 0, null)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(entry.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.uint8Array(),
        (flips, noise) => {
          const damaged = entry.slice()
          for (const [at, value] of flips) damaged[at] = value
          for (const bytes of [damaged, noise, damaged.subarray(0, flips[0]?.[0] ?? 0)]) {
            for (const read of [decodeEntry, decodeEvent]) {
              try {
                read(bytes)
              } catch (error) {
                if (!isVaultError(error, 'AUDIT_ENTRY_INVALID')) throw error
              }
            }
          }
        },
      ),
    )
  })
})
