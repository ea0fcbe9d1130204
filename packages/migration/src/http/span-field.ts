import type { Bytes, KeyPage, Prefix, Span, SpanDifference, Subtree } from '@vault/core'
import { concatBytes, hashBytes, KEY_LENGTH, utf8 } from '@vault/core'
import type { Field } from '../records/field.ts'
import { bytes, FieldFault, list, map, nullable } from '../records/field.ts'
import { anyBytes, prefix } from './wire-field.ts'

/** A span as it travels: a mark for each of its sixteen subtrees. */
export interface MarkedSpan {
  readonly prefix: Prefix
  readonly marks: Bytes
}

/** Differences as they travel, of all spans one after the other. */
export interface PackedDifferences {
  /** For each span two bytes: a bit for each of its subtrees that differs, the first one the highest. */
  readonly digits: Bytes
  /** For each of these subtrees how many rows of it follow, or {@link NOT_GIVEN}. */
  readonly counts: Bytes
  readonly keys: Bytes
  readonly values: Bytes | null
}

/** Spans of one question, at most. */
const MOST_SPANS = 256
const MARK_LENGTH = 8
const NOT_GIVEN = 255

export const markedSpans: Field<readonly MarkedSpan[]> = list(
  map<MarkedSpan>({ prefix, marks: bytes({ length: 16 * MARK_LENGTH }) }),
  MOST_SPANS,
)
export const packedDifferences: Field<PackedDifferences> = map<PackedDifferences>({
  digits: anyBytes,
  counts: anyBytes,
  keys: anyBytes,
  values: nullable(anyBytes),
})

/**
 * What stands for a subtree while it is compared: a quarter of its hash would do against chance, but whoever brings content could look
 * for two that agree in so few bytes. The name of the view, which nobody knows before, goes into it.
 */
function markOf(view: string, { hash }: Subtree): Bytes {
  return hashBytes('sha2-256', concatBytes(utf8(view), hash)).slice(0, MARK_LENGTH)
}

export function markSpan(view: string, { prefix: at, children }: Span): MarkedSpan {
  return { prefix: at, marks: concatBytes(...children.map((child) => markOf(view, child))) }
}

/** Whether a span that was marked has this subtree below this digit. */
export function isMarked(view: string, { marks }: MarkedSpan, digit: number, subtree: Subtree): boolean {
  const mark = markOf(view, subtree)
  return mark.every((byte, i) => byte === marks[digit * MARK_LENGTH + i])
}

export function packDifferences(differences: readonly SpanDifference[]): PackedDifferences {
  const digits = new Uint8Array(differences.length * 2)
  const counts: number[] = []
  const pages: KeyPage[] = []
  for (const [i, difference] of differences.entries()) {
    for (const digit of difference.digits) digits[i * 2 + (digit >> 3)]! |= 128 >> (digit & 7)
    for (const page of difference.rows) {
      counts.push(page?.count ?? NOT_GIVEN)
      if (page !== undefined) pages.push(page)
    }
  }
  const values = pages.some((page) => page.values !== undefined)
    ? concatBytes(...pages.map((page) => page.values ?? new Uint8Array(page.count * KEY_LENGTH)))
    : null
  return { digits, counts: Uint8Array.from(counts), keys: concatBytes(...pages.map(({ keys }) => keys)), values }
}

/** Differences of so many spans. Throws a {@link FieldFault} for what contradicts itself. */
export function unpackDifferences(
  { digits, counts, keys, values }: PackedDifferences,
  spans: number,
): readonly SpanDifference[] {
  if (digits.length !== spans * 2) throw new FieldFault('differences.digits', `are not those of ${spans} spans`)
  let [next, row] = [0, 0]
  const rows = (): KeyPage | undefined => {
    const count = counts[next++]
    if (count === undefined) throw new FieldFault('differences.counts', 'are too few')
    if (count === NOT_GIVEN) return undefined
    const [from, to] = [row * KEY_LENGTH, (row + count) * KEY_LENGTH]
    row += count
    return { count, keys: keys.slice(from, to), ...(values && { values: values.slice(from, to) }) }
  }
  const unpacked = Array.from({ length: spans }, (_, i): SpanDifference => {
    const bits = ((digits[i * 2] as number) << 8) | (digits[i * 2 + 1] as number)
    const differing = Array.from({ length: 16 }, (__, digit) => digit).filter((digit) => bits & (0x8000 >> digit))
    return { digits: differing, rows: differing.map(rows) }
  })
  const isWhole = next === counts.length && keys.length === row * KEY_LENGTH
  if (!isWhole || (values !== null && values.length !== keys.length))
    throw new FieldFault('differences', 'contradict each other')
  return unpacked
}
