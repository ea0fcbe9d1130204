import { compareBytes, encode, isVaultError, utf8 } from '@vault/core'
import { invalidTag } from './error.ts'
import type { Tag, TagList } from './tag.ts'
import { ANY, isList, isPath, isSet } from './tag.ts'
import { MAX_MIXED_SET, MAX_PARTS, sizeOf } from './tag-size.ts'
import { isWord, meetWords } from './word-rule.ts'

/** A set of words and one of rules; what has more pairs than these could have is not begun. */
const MAX_PAIRS = MAX_PARTS * MAX_MIXED_SET

/**
 * What both grant; `undefined` where they have nothing in common. Commutative, associative and idempotent, with `*` as its
 * neutral element. Nothing is lost: whatever both grant, their meet grants. Throws `CAPS_TAG_INVALID` where it would
 * be larger than a tag may be.
 */
export function meet(a: Tag, b: Tag): Tag | undefined {
  if (a === ANY) return b
  if (b === ANY) return a
  if (isSet(a) || isSet(b)) return meetSets(membersOf(a), membersOf(b))
  if (isList(a) || isList(b)) return isList(a) && isList(b) ? meetLists(a, b) : undefined
  if (isPath(a) || isPath(b)) return isPath(a) && isPath(b) ? deeperPath(a.path, b.path) : undefined
  return isWord(a) && isWord(b) ? meetWords(a, b) : undefined
}

/** Whether all that `b` grants is granted by `a`. Not where their meet is too large to be a tag: that cannot be `b`. */
export function covers(a: Tag, b: Tag): boolean {
  if (a === ANY) return true
  try {
    const both = meet(a, b)
    return both !== undefined && isSameValue(both, b)
  } catch (error) {
    if (isVaultError(error, 'CAPS_TAG_INVALID')) return false
    throw error
  }
}

/** Equality of lists, maps and texts, which is what tags are made of. */
function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, i) => isSameValue(item, b[i]))
  }
  const [x, y] = [a as Fields, b as Fields]
  const names = Object.keys(x)
  return names.length === Object.keys(y).length && names.every((name) => isSameValue(x[name], y[name]))
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Any of these, as one tag in its one form: those that others cover left out. `undefined` for none. Throws
 * `CAPS_TAG_INVALID` where it would be larger than a tag may be.
 */
export function anyOf(tags: readonly Tag[]): Tag | undefined {
  const members = tags.flatMap(membersOf)
  return members.includes(ANY) ? ANY : setOf(members)
}

/** The order of the members of a set: that of their bytes. */
export function compareTags(a: Tag, b: Tag): number {
  if (typeof a !== 'string' || typeof b !== 'string') return compareBytes(encode(a), encode(b))
  if (isAscii(a) && isAscii(b)) return a.length - b.length || (a < b ? -1 : a === b ? 0 : 1)
  // A text is written with its length before it, in the shortest form.
  const [x, y] = [utf8(a), utf8(b)]
  return x.length - y.length || compareBytes(x, y)
}

/** Such texts, which are nearly all, are compared as they are: their bytes would take ten times as long to make. */
function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text)
}

function membersOf(tag: Tag): readonly Tag[] {
  return isSet(tag) ? tag.set : [tag]
}

function meetSets(a: readonly Tag[], b: readonly Tag[]): Tag | undefined {
  if (a.every(isPlainWord) && b.every(isPlainWord)) {
    // Both are in order and without doubles, so what is left of one is too.
    const other = new Set(b)
    const both = a.filter((word) => other.has(word))
    return both.length < 2 ? both[0] : { set: both }
  }
  if (a.length * b.length > MAX_PAIRS) throw invalidTag(`the meet of sets of ${a.length} and ${b.length} is too large`)
  const met = a.flatMap((x) => b.map((y) => meet(x, y)))
  return setOf(met.filter((tag) => tag !== undefined))
}

function setOf(tags: readonly Tag[]): Tag | undefined {
  const members = largestOf(tags)
  return members.length < 2 ? members[0] : { set: members }
}

/** Those that no other covers, each once, in their order. */
function largestOf(tags: readonly Tag[]): readonly Tag[] {
  const sorted = tags.toSorted(compareTags)
  const distinct = sorted.filter((tag, i) => i === 0 || !isSameValue(tag, sorted[i - 1] as Tag))
  // Words are all covered by themselves alone.
  if (distinct.every(isPlainWord)) return distinct
  // What is left may be smaller, but whoever makes many that cover one another must not have them all compared.
  if (distinct.length > MAX_MIXED_SET || distinct.reduce((size, tag) => size + sizeOf(tag), 1) > MAX_PARTS) {
    throw invalidTag(`a set has more than ${MAX_MIXED_SET} members or ${MAX_PARTS} parts`)
  }
  return distinct.filter((tag) => !distinct.some((other) => other !== tag && covers(other, tag)))
}

function isPlainWord(tag: Tag): boolean {
  return typeof tag === 'string'
}

function meetLists(a: TagList, b: TagList): Tag | undefined {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (short[0] !== long[0]) return undefined
  const met: [string, ...Tag[]] = [long[0]]
  for (let i = 1; i < long.length; i++) {
    const item = i < short.length ? meet(short[i] as Tag, long[i] as Tag) : (long[i] as Tag)
    if (item === undefined) return undefined
    met.push(item)
  }
  if (sizeOf(met) > MAX_PARTS) throw invalidTag(`a list has more than ${MAX_PARTS} parts`)
  return met
}

function deeperPath(a: readonly string[], b: readonly string[]): Tag | undefined {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  return short.every((segment, i) => segment === long[i]) ? { path: long } : undefined
}
