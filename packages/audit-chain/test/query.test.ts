import { contentId, isVaultError, link, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuditEntry, AuditQuery, IndexedEntry } from '../src/index.ts'
import {
  createMemoryLog,
  decodeEntry,
  describeEntry,
  encodeEvent,
  matchesQuery,
  parseAuditQuery,
  sealEntry,
  toJsonLine,
} from '../src/index.ts'
import { code, rejectionCode } from './trail-code.ts'
import { clock, event, events, signer, trailOf } from './trail-support.ts'

const NOW = clock().getTime() / 1000

function entryOf(seq: number, change: Parameters<typeof event>[1] = {}): AuditEntry {
  return decodeEntry(sealEntry(encodeEvent(event(seq, change)), seq, seq === 0 ? null : new Uint8Array(32)))
}

function shown(change: Parameters<typeof event>[1], seq = 0): IndexedEntry {
  const entry = entryOf(seq, change)
  return { index: seq, hash: new Uint8Array(32).fill(0xab), bytes: new Uint8Array(), entry }
}

describe('a query', () => {
  const entry = entryOf(9, { time: NOW - 3600, action: { verb: 'put', object: 'path:photos/a (1).jpg' } })
  const cases: readonly [string, boolean][] = [
    ['', true],
    ['verb=put', true],
    ['verb=pu', false],
    ['object=path:photos/*', true],
    ['object=*photos*jpg', true],
    ['object=path:photos', false],
    ['object="path:photos/a (1).jpg"', true],
    ['since=1h', true],
    ['since=59m', false],
    ['before=1h', false],
    ['before=59m', true],
    ['since=7d and before=30m', true],
    ['since=2w', true],
    ['since=2027-01-15', true],
    ['before=2027-01-15T00:00:00Z', false],
    ['sequence=9', true],
    ['sequence=10', false],
    ['sequence=3..9', true],
    ['sequence=..8', false],
    ['sequence=9..', true],
    ['not verb=put', false],
    ['not not verb=put', true],
    ['verb=x or verb=put and sequence=9', true],
    ['(verb=x or verb=put) and sequence=8', false],
    ['verb=put and(not(verb=x))', true],
  ]
  test.for(cases)('%s', ([text, fits]) => {
    expect(matchesQuery(parseAuditQuery(text), entry, clock())).toBe(fits)
  })

  const wrong = [
    'verb',
    'verb=',
    'who=kim',
    'verb=put object=x',
    'and',
    'verb=put and',
    '(verb=put',
    'verb=put)',
    'since=soon',
    'since=2026-13-01',
    'sequence=a',
    'sequence=..',
    'object="a',
    'not',
    '('.repeat(2000),
  ]
  test.for(wrong)('%s is refused', (text) => {
    expect(code(() => matchesQuery(parseAuditQuery(text), entry, clock()))).toBe('AUDIT_QUERY_INVALID')
  })

  test('of any shape is answered or refused', () => {
    const json = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(
        fc.oneof(json, fc.record({ and: fc.array(json) }), fc.record({ since: json }), fc.record({ sequence: json })),
        (query) => {
          try {
            matchesQuery(query as unknown as AuditQuery, entry, clock())
          } catch (error) {
            if (!isVaultError(error, 'AUDIT_QUERY_INVALID')) throw error
          }
        },
      ),
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseAuditQuery(text)
        } catch (error) {
          if (!isVaultError(error, 'AUDIT_QUERY_INVALID')) throw error
        }
      }),
    )
    let deep: AuditQuery = { verb: 'put' }
    for (let i = 0; i < 100_000; i++) deep = { not: deep }
    expect(code(() => matchesQuery(deep, entry, clock()))).toBe('AUDIT_QUERY_INVALID')
  })

  test('over a trail gives what a filter over all entries gives, both ways', async () => {
    const trail = await trailOf(createMemoryLog())
    await trail.extend(0, events(0, 600))
    const found = async (text: string, options = {}): Promise<number[]> => {
      const indexes: number[] = []
      for await (const page of trail.query(parseAuditQuery(text), options))
        indexes.push(...page.map(({ index }) => index))
      return indexes
    }
    const puts = Array.from({ length: 200 }, (_, i) => i * 3)
    expect(await found('verb=put')).toEqual(puts)
    expect(await found('verb=put', { reverse: true, limit: 3 })).toEqual([597, 594, 591])
    expect(await found('verb=put and sequence=250..260')).toEqual([252, 255, 258])
    expect(await found('sequence=..1 or sequence=599')).toEqual([0, 1, 599])
    expect(await found('not sequence=1..599')).toEqual([0])
    expect(await found('verb=none')).toEqual([])
    expect(
      await rejectionCode(
        trail
          .query({} as AuditQuery)
          [Symbol.asyncIterator]()
          .next(),
      ),
    ).toBe('AUDIT_QUERY_INVALID')
  })
})

describe('an entry as text', () => {
  test('for people', () => {
    const change = {
      time: 1_700_000_000,
      actor: { name: 'kim', key: signer.key, proven: false },
      action: { verb: 'put', object: 'path:a', parameters: { bytes: utf8('hi'), to: link(contentId(utf8('x'))) } },
      context: { motivation: 'asked to', relates_to: [2, 3] },
    }
    expect(describeEntry(shown(change, 4)).split('\n')).toEqual([
      'Entry #4',
      `  ID      sha256:${'ab'.repeat(32)}`,
      '  Time    2023-11-14 22:13:20Z',
      `  Who     kim (${signer.key}) - not proven`,
      '  Action  put path:a',
      `  With    to ${contentId(utf8('x'))}, bytes <2 bytes>`,
      '  Why     asked to, see #2, #3',
    ])
    expect(describeEntry(shown({})).split('\n').length).toBe(6)
  })

  test('for programs is one line, which JSON reads back', () => {
    const line = toJsonLine(shown({ action: { verb: 'put', object: 'a\nb\u202e' } }, 3))
    expect(line).not.toMatch(/[\n\u202e]/)
    expect(JSON.parse(line)).toMatchObject({
      index: 3,
      id: `sha256:${'ab'.repeat(32)}`,
      action: { object: 'a\nb\u202e' },
      seq: 3,
      prev: { '/': {} },
    })
  })

  test('cannot move the cursor, turn the direction of text, or begin a line', () => {
    const hostile = '\u001b[2J\r\nEntry #1\u202e\u2066\u0085\u2028\u{e0041}'
    const change = {
      actor: { name: hostile, proven: true },
      action: { verb: hostile, object: hostile, parameters: { [hostile]: hostile } },
      context: { motivation: hostile },
      key: hostile,
    }
    expect(describeEntry(shown(change)).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
    expect(describeEntry(shown(change)).split('\n').length).toBe(7)
    expect(toJsonLine(shown(change))).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
    expect(JSON.parse(toJsonLine(shown(change))).key).toBe(hostile)
  })
})
