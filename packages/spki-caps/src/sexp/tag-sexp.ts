import { anyOf } from '../meet.ts'
import { comparisonOf } from '../ordering.ts'
import { parseTag } from '../parse-tag.ts'
import type { Ordering, Range, Tag } from '../tag.ts'
import { ANY, isList, isPath, isSet } from '../tag.ts'
import type { Sexp } from './sexp.ts'
import { invalidSexp, isOctets, sexp, textOf } from './sexp.ts'

const MAX_INTEGER = 999_999_999_999_999

/**
 * A tag in the star forms of RFC 2693, without the `tag` around it. A path becomes a prefix that ends with `/`, so it
 * comes back as a prefix. Throws `CAPS_SEXP_INVALID` for rules of several kinds about one word, which have no form there.
 */
export function tagToSexp(tag: Tag): Sexp {
  if (tag === ANY) return sexp(['*'])
  if (typeof tag === 'string') return sexp(tag)
  if (isList(tag)) return tag.map(tagToSexp)
  if (isSet(tag)) return [sexp('*'), sexp('set'), ...tag.set.map(tagToSexp)]
  if (isPath(tag)) return sexp(['*', 'prefix', `${tag.path.join('/')}/`])
  if ('prefix' in tag) return sexp(['*', 'prefix', tag.prefix])
  if ('range' in tag) return rangeToSexp(tag.range)
  throw invalidSexp('a tag with rules of several kinds about one word has no form in RFC 2693')
}

/**
 * A tag from the star forms of RFC 2693. Bounds that exclude their own number become the next one, and a prefix stays one
 * of characters, whatever it looks like: `lintTag` tells. Throws `CAPS_SEXP_INVALID`, `CAPS_TAG_INVALID`.
 */
export function tagFromSexp(value: Sexp): Tag {
  return parseTag(read(value))
}

function read(value: Sexp): Tag {
  if (isOctets(value)) return word(value)
  const [head, kind, ...rest] = value
  if (textOf(head) !== '*') {
    if (head === undefined || !isOctets(head)) throw invalidSexp('a list does not begin with a word')
    return [word(head), ...value.slice(1).map(read)]
  }
  if (kind === undefined) return ANY
  switch (textOf(kind)) {
    case 'set': {
      const set = anyOf(rest.map(read))
      if (set === undefined) throw invalidSexp('an empty set grants nothing')
      return set
    }
    case 'prefix':
      if (rest.length !== 1) throw invalidSexp('a prefix is not one word')
      return { prefix: word(rest[0] as Sexp) }
    case 'range':
      return rangeFrom(rest.map(word))
    default:
      throw invalidSexp('a star form is none of set, prefix and range')
  }
}

function word(value: Sexp): string {
  const text = textOf(value)
  // A word that is written as everything would grant everything.
  if (text === undefined || text === ANY) throw invalidSexp('a word is no text, or "*"')
  return text
}

const LOWER: Readonly<Record<string, 'ge' | 'gt'>> = { ge: 'ge', g: 'gt', gt: 'gt' }
const UPPER: Readonly<Record<string, 'le' | 'lt'>> = { le: 'le', l: 'lt', lt: 'lt' }

function rangeToSexp({ order, ge, gt, le, lt }: Range): Sexp {
  const write = (bound: string) => (order === 'time' ? bound.replace('T', '_').replace('Z', '') : bound)
  const bounds = Object.entries({ ge, g: gt, le, l: lt }).flatMap(([name, bound]) =>
    bound === undefined ? [] : [name, write(bound)],
  )
  return sexp(['*', 'range', order, ...bounds])
}

function rangeFrom([order, ...bounds]: readonly string[]): Tag {
  if (order !== 'alpha' && order !== 'numeric' && order !== 'time') {
    throw invalidSexp('the order of a range is none of alpha, numeric and time')
  }
  if (bounds.length % 2 !== 0) throw invalidSexp('a bound of a range has no value')
  const range: { -readonly [Name in keyof Range]: Range[Name] } = { order }
  for (let i = 0; i < bounds.length; i += 2) {
    const [name, value] = [bounds[i] as string, bounds[i + 1] as string]
    const kind = (Object.hasOwn(LOWER, name) ? LOWER : UPPER)[name]
    if (kind === undefined || !Object.hasOwn({ ...LOWER, ...UPPER }, name))
      throw invalidSexp('a bound has no known name')
    const [own, bound] = normal(order, kind, value)
    if (range[own] !== undefined) throw invalidSexp('a range has a bound twice')
    range[own] = bound
  }
  return onlyOrRange(range)
}

/** Whole numbers and seconds have a next one, so a bound that excludes its own is the next one. */
function normal(order: Ordering, kind: 'ge' | 'gt' | 'le' | 'lt', value: string): ['ge' | 'gt' | 'le' | 'lt', string] {
  if (order === 'alpha') return [kind, value]
  const bound = order === 'time' ? `${value.replace('_', 'T')}Z` : value
  if (!comparisonOf(order).accepts(bound)) throw invalidSexp(`a bound is no value of the order ${order}`)
  if (kind === 'ge' || kind === 'le') return [kind, bound]
  const step = kind === 'gt' ? 1 : -1
  return [kind === 'gt' ? 'ge' : 'le', order === 'numeric' ? nextInteger(bound, step) : nextSecond(bound, step)]
}

function nextInteger(value: string, step: number): string {
  const next = Number(value) + step
  if (Math.abs(next) > MAX_INTEGER) throw invalidSexp('a range of numbers is empty')
  return `${next}`
}

function nextSecond(value: string, step: number): string {
  return new Date(Date.parse(value) + step * 1000).toISOString().replace('.000Z', 'Z')
}

function onlyOrRange(range: Range): Tag {
  return range.ge !== undefined && range.ge === range.le ? range.ge : { range }
}
