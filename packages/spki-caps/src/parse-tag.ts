import { hasFields, isLink } from '@vault/core'
import { invalidTag } from './error.ts'
import { compareTags, covers } from './meet.ts'
import { comparisonOf } from './ordering.ts'
import type { Ordering, Range, Tag, TagPrefix, TagRange } from './tag.ts'
import { ANY, isSet } from './tag.ts'
import { MAX_MIXED_SET, MAX_PARTS } from './tag-size.ts'
import { isEmptyRange, ORDERINGS, onlyWord } from './word-rule.ts'

const MAX_DEPTH = 16
const MAX_WORD = 1_024

/** A decoded value as a tag, in its one form (formats/capability.md). Throws `CAPS_TAG_INVALID`. */
export function parseTag(value: unknown): Tag {
  return new TagReader().tag(value, 1)
}

class TagReader {
  #nodes = 0

  tag(value: unknown, depth: number): Tag {
    this.#count()
    if (depth > MAX_DEPTH) throw invalidTag(`it nests deeper than ${MAX_DEPTH}`)
    if (typeof value === 'string') return word(value)
    if (Array.isArray(value)) return this.#list(value, depth)
    if (hasFields(value, 'set')) return this.#set(value.set, depth)
    if (hasFields(value, 'path')) return this.#path(value.path)
    if (hasFields(value, 'all')) return this.#all(value.all)
    return this.#rule(value)
  }

  #list(value: readonly unknown[], depth: number): Tag {
    const [head, ...rest] = value
    this.#count()
    if (typeof head !== 'string' || head === ANY) throw invalidTag('a list does not begin with a word')
    return [word(head), ...rest.map((item) => this.tag(item, depth + 1))]
  }

  #set(value: unknown, depth: number): Tag {
    if (!Array.isArray(value) || value.length < 2) throw invalidTag('a set has not two members')
    const set = value.map((member) => this.tag(member, depth + 1))
    if (set.some((member) => member === ANY || isSet(member))) throw invalidTag('a set holds "*" or another set')
    if (set.length > MAX_MIXED_SET && set.some((member) => typeof member !== 'string')) {
      throw invalidTag(`a set of more than ${MAX_MIXED_SET} members holds something beside words`)
    }
    if (set.some((member, i) => i > 0 && compareTags(set[i - 1] as Tag, member) >= 0)) {
      throw invalidTag('the members of a set are not distinct and in the order of their bytes')
    }
    // Words cover nothing but themselves, and large sets are sets of words.
    const broad = set.filter((member) => typeof member !== 'string')
    if (set.some((member) => broad.some((other) => other !== member && covers(other, member)))) {
      throw invalidTag('a member of a set covers another')
    }
    return { set }
  }

  #path(value: unknown): Tag {
    if (!Array.isArray(value) || value.length === 0) throw invalidTag('a path has no segments')
    return {
      path: value.map((segment) => {
        this.#count()
        if (!isSegment(segment)) throw invalidTag('a segment of a path is empty, ".", "..", or holds "/" or a zero')
        return segment
      }),
    }
  }

  #all(value: unknown): Tag {
    if (!Array.isArray(value) || value.length < 2) throw invalidTag('"all" has not two rules')
    const all = value.map((rule) => {
      this.#count()
      return this.#rule(rule)
    })
    const ranks = all.map((rule) => ('prefix' in rule ? -1 : ORDERINGS.indexOf(rule.range.order)))
    if (ranks.some((rank, i) => i > 0 && rank <= (ranks[i - 1] as number))) {
      throw invalidTag('the rules of "all" are not of different kinds in the order prefix, alpha, numeric, time')
    }
    return { all }
  }

  #rule(value: unknown): TagPrefix | TagRange {
    if (hasFields(value, 'prefix')) {
      if (typeof value.prefix !== 'string') throw invalidTag('a prefix is not text')
      return { prefix: word(value.prefix) }
    }
    if (hasFields(value, 'range')) return { range: parseRange(value.range) }
    throw invalidTag('it is neither a word, a list, a set, a path nor a rule')
  }

  #count(): void {
    if (++this.#nodes > MAX_PARTS) throw invalidTag(`it has more than ${MAX_PARTS} parts`)
  }
}

const BOUNDS = ['ge', 'gt', 'le', 'lt'] as const

function parseRange(value: unknown): Range {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isLink(value)) {
    throw invalidTag('a range is not a map')
  }
  const { order, ...bounds } = value as Record<string, unknown>
  if (!isOrdering(order)) throw invalidTag('the order of a range is none of alpha, numeric and time')
  const range: { -readonly [Name in keyof Range]: Range[Name] } = { order }
  for (const [name, bound] of Object.entries(bounds)) {
    const known = BOUNDS.find((one) => one === name)
    if (known === undefined) throw invalidTag('a range has an unknown bound')
    if (typeof bound !== 'string' || !comparisonOf(order).accepts(bound)) {
      throw invalidTag(`a bound is no value of the order ${order}`)
    }
    range[known] = word(bound)
  }
  const { ge, gt, le, lt } = range
  if ((ge !== undefined && gt !== undefined) || (le !== undefined && lt !== undefined)) {
    throw invalidTag('a range has two lower or two upper bounds')
  }
  // Whole numbers and seconds have a next one, so the bound that excludes itself would be a second form of another.
  if (order !== 'alpha' && (gt !== undefined || lt !== undefined)) throw invalidTag(`"gt" and "lt" are for alpha alone`)
  if (isEmptyRange(range)) throw invalidTag('a range is empty')
  if (onlyWord(range) !== undefined) throw invalidTag('a range of one word is to be that word')
  return range
}

function isOrdering(value: unknown): value is Ordering {
  return ORDERINGS.some((order) => order === value)
}

function word(text: string): string {
  if (text.length === 0 || text.length > MAX_WORD || !text.isWellFormed()) {
    throw invalidTag(`a text has not 1 to ${MAX_WORD} well-formed characters`)
  }
  return text
}

function isSegment(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_WORD &&
    value !== '.' &&
    value !== '..' &&
    !/[/\0]/.test(value) &&
    value.isWellFormed()
  )
}
