import type { Tag } from '@vault/spki-caps'
import { covers } from '@vault/spki-caps'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TagIndex } from '../src/tag-index.ts'
import { anyTag } from './arbitrary.ts'
import { runs } from './support.ts'

const indexOf = (tags: readonly Tag[]) => {
  const index = new TagIndex<Tag>()
  for (const tag of tags) index.add(tag, tag)
  return index
}

/** How many it asks of. */
function askedOf(index: TagIndex<Tag>, tag: Tag): number {
  let asked = 0
  index.someOver(tag, () => {
    asked++
    return false
  })
  return asked
}

describe('an index of tags', () => {
  it('finds every tag that covers another', () => {
    let found = 0
    fc.assert(
      fc.property(fc.array(anyTag, { minLength: 1, maxLength: 12 }), anyTag, (tags, tag) => {
        const index = indexOf(tags)
        for (const other of tags) {
          const isOver = index.someOver(tag, (each) => each === other && covers(each, tag))
          expect(isOver).toBe(covers(other, tag))
          if (isOver) found++
        }
      }),
      runs(2_000),
    )
    expect(found).toBeGreaterThan(500)
  })

  it.each<[string, Tag, Tag]>([
    [
      'a list over a set of lists',
      ['vault'],
      {
        set: [
          ['vault', 'a'],
          ['vault', 'b', 'c'],
        ],
      },
    ],
    ['a set over a list', { set: ['a', ['vault']] }, ['vault', 'b']],
    ['a set over a set', ['x', { set: ['a', 'b', 'c'] }], ['x', { set: ['b', 'c'] }]],
    ['rules over a word', ['x', { set: [{ prefix: 'doc' }, { prefix: 'p' }] }], ['x', 'document']],
    ['long beginnings', ['x', { prefix: '0123456789' }], ['x', { prefix: '0123456789a' }, 'y']],
    ['deep paths', ['x', { path: [...'0123456789'] }], ['x', { path: [...'0123456789a'] }]],
    ['long lists', [...'abcdefghij'] as unknown as Tag, [...'abcdefghijk'] as unknown as Tag],
  ])('finds %s', (_, over, tag) => {
    expect(covers(over, tag)).toBe(true)
    expect(indexOf([over]).someOver(tag, () => true)).toBe(true)
  })

  it.each<[string, (i: number) => Tag]>([
    ['objects', (i) => ['vault', 'read', { path: ['v', 'docs', `n${i}`] }]],
    ['actions', (i) => ['vault', { set: [`a${i}`, `b${i}`] }, { path: ['v'] }]],
    ['limits', (i) => ['vault', 'read', { path: ['v'] }, { prefix: `p${i} ` }]],
    ['vaults, for one action', (i) => ['vault', 'read', { path: [`v${i}`] }]],
  ])('asks of few others that have most in common with it: %s', (_, tag) => {
    const index = indexOf(Array.from({ length: 1_000 }, (_, i) => tag(i)))
    for (const i of [0, 500, 999]) expect(askedOf(index, tag(i))).toBeLessThan(10)
  })
})
