import { SEGMENT_HEADER_LENGTH } from '@vault/cas'
import type { Segment } from './segment-table.ts'

/** A stretch of a segment, from the end of one group to the end of another, all of whose records are in the index. */
export interface Coverage {
  readonly segment: Segment
  readonly start: number
  readonly end: number
  /** The segment is sealed and `end` is where its records end. */
  readonly sealed: boolean
}

/** The same stretches, sorted, with those that touch or overlap joined. */
export function joinCoverage(stretches: Iterable<Coverage>): Coverage[] {
  const sorted = [...stretches].sort((a, b) => a.segment.number - b.segment.number || a.start - b.start)
  const joined: Coverage[] = []
  for (const next of sorted) {
    const last = joined.at(-1)
    if (last?.segment !== next.segment || last.end < next.start) {
      joined.push(next)
      continue
    }
    const sealed = last.sealed || next.sealed
    joined[joined.length - 1] = { ...last, end: Math.max(last.end, next.end), sealed }
  }
  return joined
}

/** Sets of every segment how far these stretches cover it. */
export function applyCoverage(segments: Iterable<Segment>, stretches: Iterable<Coverage>): void {
  for (const segment of segments) {
    segment.covered = SEGMENT_HEADER_LENGTH
    segment.sealed = false
  }
  for (const { segment, start, end, sealed } of joinCoverage(stretches)) {
    if (start > segment.covered) continue
    segment.covered = end
    segment.sealed = sealed
  }
}
