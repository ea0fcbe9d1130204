import type { Span, SpanDifference } from '@vault/core'
import { EMPTY_ROOT } from '@vault/merkle'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isMarked, markSpan, packDifferences, unpackDifferences } from '../../src/http/span-field.ts'

const page = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.boolean(), fc.nat(255)).map(([count, hasValues, fill]) => {
  const bytes = () => new Uint8Array(count * 32).fill(fill)
  return { count, keys: bytes(), ...(hasValues && { values: bytes() }) }
})
const difference: fc.Arbitrary<SpanDifference> = fc
  .uniqueArray(fc.tuple(fc.nat(15), fc.option(page, { nil: undefined })), { selector: ([digit]) => digit })
  .map((found) => found.sort(([a], [b]) => a - b))
  .map((found) => ({ digits: found.map(([digit]) => digit), rows: found.map(([, rows]) => rows) }))

/** A page without values is one whose values are all zero. */
const plain = (differences: readonly SpanDifference[]) =>
  differences.map(({ digits, rows }) => ({
    digits,
    rows: rows.map((each) => each && { ...each, values: each.values ?? new Uint8Array(each.keys.length) }),
  }))

test('differences are read as they were packed, and nothing else is', () => {
  fc.assert(
    fc.property(fc.array(difference, { maxLength: 5 }), (differences) => {
      const packed = packDifferences(differences)
      expect(plain(unpackDifferences(packed, differences.length))).toEqual(plain(differences))
      const more = new Uint8Array([...packed.counts, 1])
      expect(() => unpackDifferences(packed, differences.length + 1)).toThrow('are not those of')
      expect(() => unpackDifferences({ ...packed, counts: more }, differences.length)).toThrow('contradict')
      const longer = new Uint8Array(packed.keys.length + 32)
      expect(() => unpackDifferences({ ...packed, keys: longer }, differences.length)).toThrow('contradict')
    }),
  )
})

test('a mark is that of one subtree in one view', () => {
  const other = new Uint8Array(32).fill(1)
  const children = Array.from({ length: 16 }, () => ({ hash: EMPTY_ROOT.slice(), count: 0 }))
  const span: Span = { prefix: 'a', children: children.with(3, { hash: other, count: 5 }) }
  const marked = markSpan('view', span)
  expect(span.children.map((child, digit) => isMarked('view', marked, digit, child))).not.toContain(false)
  expect(isMarked('view', marked, 3, children[3] as Span['children'][number])).toBe(false)
  expect(isMarked('other', marked, 3, { hash: other, count: 5 })).toBe(false)
})
