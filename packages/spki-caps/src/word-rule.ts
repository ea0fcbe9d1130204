import { comparisonOf } from './ordering.ts'
import type { Ordering, Range, Tag, TagPrefix, TagRange, TagRule } from './tag.ts'

/** All that is asked of a word, by kind: the form in which rules meet. */
interface WordRule {
  readonly prefix?: string
  readonly ranges: Readonly<Partial<Record<Ordering, Range>>>
}

/** The order in which rules of different kinds stand in `all`. */
export const ORDERINGS: readonly Ordering[] = ['alpha', 'numeric', 'time']

/** The words that both accept; `undefined` where there are none. Not every rule that no word satisfies is found out. */
export function meetWords(a: string | TagRule, b: string | TagRule): string | TagRule | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? (a === b ? a : undefined) : chosen(a, ruleOf(b))
  if (typeof b === 'string') return chosen(b, ruleOf(a))
  const merged = mergeRules(ruleOf(a), ruleOf(b))
  if (merged === undefined) return undefined
  const only = Object.values(merged.ranges)
    .map(onlyWord)
    .find((word) => word !== undefined)
  return only === undefined ? tagOf(merged) : chosen(only, merged)
}

/** The one word of bounds that are equal. */
export function onlyWord({ order, ge, le }: Range): string | undefined {
  return ge !== undefined && le !== undefined && comparisonOf(order).compare(ge, le) === 0 ? ge : undefined
}

/** Whether no word can lie within these bounds, as far as the bounds alone show it. */
export function isEmptyRange({ order, ge, gt, le, lt }: Range): boolean {
  const low = ge ?? gt
  const high = le ?? lt
  if (low === undefined || high === undefined) return false
  const difference = comparisonOf(order).compare(low, high)
  return difference > 0 || (difference === 0 && (gt !== undefined || lt !== undefined))
}

function chosen(word: string, { prefix = '', ranges }: WordRule): string | undefined {
  return word.startsWith(prefix) && Object.values(ranges).every((range) => isWithin(word, range)) ? word : undefined
}

function isWithin(word: string, { order, ge, gt, le, lt }: Range): boolean {
  const { accepts, compare } = comparisonOf(order)
  return (
    accepts(word) &&
    (ge === undefined || compare(word, ge) >= 0) &&
    (gt === undefined || compare(word, gt) > 0) &&
    (le === undefined || compare(word, le) <= 0) &&
    (lt === undefined || compare(word, lt) < 0)
  )
}

function ruleOf(tag: TagRule): WordRule {
  const parts: readonly (TagPrefix | TagRange)[] = 'all' in tag ? tag.all : [tag]
  const prefix = parts.find((part) => 'prefix' in part)?.prefix
  const ranges = parts.flatMap((part) => ('range' in part ? [[part.range.order, part.range]] : []))
  return { ...(prefix === undefined ? {} : { prefix }), ranges: Object.fromEntries(ranges) }
}

function tagOf({ prefix, ranges }: WordRule): TagRule {
  const parts: (TagPrefix | TagRange)[] = prefix === undefined ? [] : [{ prefix }]
  for (const order of ORDERINGS) {
    const range = ranges[order]
    if (range !== undefined) parts.push({ range })
  }
  return parts.length === 1 ? (parts[0] as TagRule) : { all: parts }
}

function mergeRules(a: WordRule, b: WordRule): WordRule | undefined {
  const prefix = longerPrefix(a.prefix, b.prefix)
  if (prefix === null) return undefined
  const ranges: Partial<Record<Ordering, Range>> = {}
  for (const order of ORDERINGS) {
    const [x, y] = [a.ranges[order], b.ranges[order]]
    const range = x === undefined || y === undefined ? (x ?? y) : meetRanges(x, y)
    if (range === undefined) continue
    if (isEmptyRange(range)) return undefined
    ranges[order] = range
  }
  return { ...(prefix === undefined ? {} : { prefix }), ranges }
}

/** `null` where neither begins with the other. */
function longerPrefix(a: string | undefined, b: string | undefined): string | undefined | null {
  if (a === undefined || b === undefined) return a ?? b
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  return long.startsWith(short) ? long : null
}

function meetRanges(a: Range, b: Range): Range {
  return {
    order: a.order,
    ...tighter([a.ge, b.ge], [a.gt, b.gt], ['ge', 'gt'], comparisonOf(a.order).compare),
    ...tighter([a.le, b.le], [a.lt, b.lt], ['le', 'lt'], (x, y) => comparisonOf(a.order).compare(y, x)),
  }
}

/** The bound that lets fewer words through; of equal ones the one that excludes its own word. */
function tighter(
  open: readonly (string | undefined)[],
  strict: readonly (string | undefined)[],
  [openName, strictName]: readonly [string, string],
  compare: (a: string, b: string) => number,
): Partial<Range> {
  const most = (bounds: readonly (string | undefined)[]) =>
    bounds.reduce((a, b) => (a === undefined || b === undefined ? (a ?? b) : compare(a, b) >= 0 ? a : b), undefined)
  const [loose, tight] = [most(open), most(strict)]
  if (tight !== undefined && (loose === undefined || compare(tight, loose) >= 0)) return { [strictName]: tight }
  return loose === undefined ? {} : { [openName]: loose }
}

/** Whether a tag is about one word: the word itself, or rules for it. */
export function isWord(tag: Tag): tag is string | TagRule {
  return typeof tag === 'string' || (!Array.isArray(tag) && ('prefix' in tag || 'range' in tag || 'all' in tag))
}
