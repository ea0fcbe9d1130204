import { compareBytes, utf8 } from '@vault/core'
import type { Ordering } from './tag.ts'

/** What an ordering knows about words. */
interface Comparison {
  /** Whether the word, or bound, can be compared. */
  accepts(word: string): boolean
  compare(a: string, b: string): number
}

// Fifteen digits are within the safe range, whatever they are.
const INTEGER = /^(?:0|-?[1-9][0-9]{0,14})$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

const COMPARISONS: Readonly<Record<Ordering, Comparison>> = {
  alpha: { accepts: () => true, compare: (a, b) => compareBytes(utf8(a), utf8(b)) },
  numeric: { accepts: (word) => INTEGER.test(word), compare: (a, b) => Number(a) - Number(b) },
  // Of one length and zone, so their text has the order of time.
  time: { accepts: isTime, compare: (a, b) => (a === b ? 0 : a < b ? -1 : 1) },
}

export function comparisonOf(order: Ordering): Comparison {
  return COMPARISONS[order]
}

/** A day or hour that does not exist would come back as another one. */
function isTime(word: string): boolean {
  if (!TIME.test(word)) return false
  const time = new Date(word)
  return !Number.isNaN(time.getTime()) && time.toISOString() === word.replace('Z', '.000Z')
}
