import type { StoredSegment } from '@vault/cas'
import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { isVaultError } from '@vault/core'
import { type ReclaimedPlace, readable } from './evacuate.ts'

/** A segment, and how much of it is needed. */
export interface Surveyed {
  readonly segment: string
  readonly bytes: number
  readonly records: number
  readonly unusedRecords: number
  readonly unused: number
  /** Its last write was never finished, or is under way, or is damaged now: nobody can tell which. */
  readonly unfinished: boolean
}

/** How many of the segments have been looked at. */
export interface SurveyProgress {
  readonly type: 'progress'
  readonly phase: 'survey'
  readonly done: number
  readonly of: number
}

/** Reads what every segment holds and asks what is needed of it: short ones first, so that of two copies the one in the longer counts. */
export async function* surveySegments(
  place: ReclaimedPlace,
  segments: readonly StoredSegment[],
  findings: Finding[],
  options: AbortOptions,
): AsyncGenerator<SurveyProgress, readonly Surveyed[]> {
  const found: Surveyed[] = []
  const passed = new Set<string>()
  for (const [done, one] of segments.toSorted((a, b) => a.bytes - b.bytes).entries()) {
    yield { type: 'progress', phase: 'survey', done, of: segments.length }
    passed.add(one.segment)
    try {
      found.push(await surveySegment(place, one, passed, options))
    } catch (error) {
      if (!isVaultError(error) || !(error.code === 'CAS_CORRUPT' || error.code === 'CAS_FORMAT')) throw error
      findings.push({ code: error.code, message: error.message, subject: one.segment })
    }
  }
  yield { type: 'progress', phase: 'survey', done: segments.length, of: segments.length }
  return found
}

/** `passed`: segments whose copies do not count, this one among them. */
async function surveySegment(
  { objects, reclaim }: ReclaimedPlace,
  { segment, bytes }: StoredSegment,
  passed: ReadonlySet<string>,
  options: AbortOptions,
): Promise<Surveyed> {
  let [records, unusedRecords, needed, unfinished] = [0, 0, 0, false]
  let before: ContentId | undefined
  const pages = readable(objects.contents(segment, options), (error) => {
    if (error.code !== 'CAS_UNACKNOWLEDGED') throw error
    unfinished = true
  })
  for await (const page of pages) {
    const ids = page.map(({ id }) => id)
    const isNeeded = await reclaim.needed(ids, options)
    const elsewhere = await objects.findElsewhere(ids, passed, options)
    records += page.length
    for (const [i, record] of page.entries()) {
      if (isNeeded[i] && elsewhere[i] === undefined && record.id !== before) needed += record.bytes
      else unusedRecords += 1
      before = record.id
    }
  }
  const isFull = unusedRecords === 0 && records > 0 && !unfinished
  return { segment, bytes, records, unusedRecords, unused: isFull ? 0 : Math.max(0, bytes - needed), unfinished }
}
