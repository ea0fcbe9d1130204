import { setImmediate } from 'node:timers/promises'
import type { PackRows } from '@vault/cas'
import { compareIdsAt, crc32, PACK_ROW_LENGTH, rowExtra, rowOffset, viewOf } from '@vault/cas'
import type { AbortOptions, Finding } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Fs } from './fs.ts'
import { errorCode } from './fs.ts'
import { INDEX_PAGE_LENGTH, ROWS_PER_PAGE } from './index-format.ts'
import { IndexPageCache } from './index-page-cache.ts'
import { IndexRun } from './index-run.ts'
import { SegmentTable } from './segment-table.ts'
import { readFailed } from './system-refusal.ts'

/**
 * What one run says of one stretch of a segment. The sum does not depend on the order, so it can be computed over the
 * rows as the index has them and over the records as they lie, and no record needs a lookup.
 */
export interface Claim {
  readonly path: string
  readonly name: string
  readonly start: number
  readonly end: number
  readonly sealed: boolean
  readonly tally: Tally
}

/** A number of rows, and the sum of their checksums modulo 2^32. */
export interface Tally {
  count: number
  sum: number
}

export function createTally(): Tally {
  return { count: 0, sum: 0 }
}

/** Adds the row at `at`: id, offset and length. */
export function addToTally(tally: Tally, rows: Uint8Array, at: number): void {
  tally.count += 1
  tally.sum = (tally.sum + crc32(rows.subarray(at, at + PACK_ROW_LENGTH - 4))) >>> 0
}

export function isSameTally(a: Tally, b: Tally): boolean {
  return a.count === b.count && a.sum === b.sum
}

/** What reading one index file gave. */
export interface IndexReport {
  readonly bytes: number
  readonly claims: readonly Claim[]
  readonly findings: readonly Omit<Finding, 'subject'>[]
}

/** Reads a run wholly: header, fences, coverage, the checksum of every page, and the order of its rows. */
export async function scrubRun(fs: Fs, path: string, options?: AbortOptions): Promise<IndexReport> {
  let run: IndexRun
  try {
    run = await IndexRun.open(fs, path, new SegmentTable(), new IndexPageCache())
  } catch (error) {
    return { bytes: 0, claims: [], findings: findingsOf(error, path) }
  }
  try {
    const claims = run.named.map((stretch) => ({ ...stretch, path, tally: createTally() }))
    const findings = await tallyPages(run, claims, options)
    for (const [i, { count }] of run.named.entries()) {
      if (findings.length > 0 || claims[i]?.tally.count === count) continue
      findings.push({
        code: 'CAS_CORRUPT',
        message: `It says ${count} objects of a segment and lists ${claims[i]?.tally.count}.`,
      })
    }
    const bytes = run.pages * INDEX_PAGE_LENGTH
    return { bytes, claims: findings.length > 0 ? [] : claims, findings }
  } finally {
    await run.close()
  }
}

async function tallyPages(
  run: IndexRun,
  claims: readonly Claim[],
  options?: AbortOptions,
): Promise<Omit<Finding, 'subject'>[]> {
  let before: DataView | undefined
  let beforeAt = 0
  for (let page = 0; page < run.pages; page++) {
    options?.signal?.throwIfAborted()
    if (page % 64 === 63) await setImmediate()
    let bytes: Uint8Array
    try {
      bytes = run.readPage(page)
    } catch (error) {
      return findingsOf(error, run.path)
    }
    const view = viewOf(bytes)
    const rows = Math.min(ROWS_PER_PAGE, run.rows - page * ROWS_PER_PAGE)
    let ordered = run.isFenced(page, view)
    for (let at = 0; at < rows * PACK_ROW_LENGTH; at += PACK_ROW_LENGTH) {
      ordered &&= before === undefined || compareIdsAt(before, beforeAt, view, at) <= 0
      const claim = claims[rowExtra(view, at)]
      const offset = rowOffset(view, at)
      if (!ordered || claim === undefined || offset < claim.start || offset >= claim.end) {
        return [
          {
            code: 'CAS_CORRUPT',
            message: `A row of page ${page} is out of place. The next writer replaces this derived file.`,
          },
        ]
      }
      addToTally(claim.tally, bytes, at)
      before = view
      beforeAt = at
    }
  }
  return []
}

/** Collects the rows of a segment whose offset is wanted, from a run that has been found sound. */
export async function collectLost(
  fs: Fs,
  path: string,
  name: string,
  wanted: (offset: number) => boolean,
  found: PackRows,
): Promise<void> {
  const segments = new SegmentTable()
  const run = await IndexRun.open(fs, path, segments, new IndexPageCache())
  try {
    const { number } = segments.named(name)
    for (const rows = run.cursor(); rows.next(); ) {
      if (rows.segment !== number || !wanted(rowOffset(rows.view, rows.at))) continue
      found.appendAll(rows.bytes.subarray(rows.at, rows.at + PACK_ROW_LENGTH))
    }
  } finally {
    await run.close()
  }
}

/** A file that cannot be read as findings; nothing where it is gone, since other processes replace runs. */
function findingsOf(error: unknown, path: string): Omit<Finding, 'subject'>[] {
  if (errorCode(error) === 'ENOENT') return []
  if (isVaultError(error)) return [{ code: error.code, message: error.message }]
  if (errorCode(error) === 'EIO') return [{ code: 'CAS_CORRUPT', message: 'The disk cannot read it (EIO).' }]
  throw readFailed(path, error)
}
