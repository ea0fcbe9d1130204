import type { Range, Tag } from '@vault/spki-caps'
import { anyOf, parseTag } from '@vault/spki-caps'
import fc from 'fast-check'

const WORDS = [
  'a',
  'b',
  'c',
  'ab',
  'abc',
  'b/',
  '0',
  '5',
  '7',
  '12',
  '-3',
  '2026-02-01T00:00:00Z',
  '2026-03-01T00:00:00Z',
  'é',
  '\u{1f600}',
  '\ue000',
]

const anyWord = fc.constantFrom(...WORDS)
const anySegments = fc.array(fc.constantFrom('my', 'myPublic', 'docs', 'a'), { minLength: 1, maxLength: 3 })

function bounds(order: Range['order'], values: readonly string[]): fc.Arbitrary<Tag> {
  const bound = fc.option(fc.constantFrom(...values), { nil: undefined })
  const strict = order === 'alpha' ? fc.boolean() : fc.constant(false)
  return fc.tuple(bound, bound, strict, strict).map(([low, high, above, below]) => ({
    range: {
      order,
      ...(low === undefined ? {} : { [above ? 'gt' : 'ge']: low }),
      ...(high === undefined ? {} : { [below ? 'lt' : 'le']: high }),
    },
  }))
}

const anyRule: fc.Arbitrary<Tag> = fc.oneof(
  fc.constantFrom('a', 'ab', 'b', '5', '2026', 'é').map((prefix) => ({ prefix })),
  bounds('alpha', ['a', 'ab', 'b', 'é', '\u{1f600}', '\ue000']),
  bounds('numeric', ['-3', '0', '5', '7', '12']),
  bounds('time', ['2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z']),
)

/** Whether this is a tag in its one form. */
function isTag(value: unknown): boolean {
  try {
    parseTag(value)
    return true
  } catch {
    return false
  }
}

/** Every kind of tag, in its one form. */
export const anyTag: fc.Arbitrary<Tag> = fc.letrec<{ tag: Tag; list: Tag; set: Tag; leaf: Tag }>((tie) => ({
  tag: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('list'), tie('set')),
  leaf: fc.oneof(
    anyWord,
    fc.constant('*'),
    anyRule.filter(isTag),
    anySegments.map((path) => ({ path })),
  ),
  list: fc
    .tuple(fc.constantFrom('x', 'y'), fc.array(tie('tag'), { maxLength: 3 }))
    .map(([head, rest]): Tag => [head, ...rest]),
  set: fc.array(tie('tag'), { minLength: 1, maxLength: 4 }).map((tags) => anyOf(tags) as Tag),
})).tag

/** Something that has no smaller part: what a request names. */
export const anyConcrete: fc.Arbitrary<Tag> = fc.letrec<{ one: Tag }>((tie) => ({
  one: fc.oneof(
    { depthSize: 'small' },
    anyWord,
    fc
      .tuple(fc.constantFrom('x', 'y'), fc.array(tie('one'), { maxLength: 3 }))
      .map(([head, rest]): Tag => [head, ...rest]),
  ),
})).one
