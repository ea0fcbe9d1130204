import type { CasErrorCode, PackSource, StoredRecord } from '@vault/cas'
import {
  PACK_ROW_LENGTH,
  PackRows,
  parseSegmentHeader,
  RECORD_HEADER_LENGTH,
  readPart,
  readTrailer,
  rowStored,
  SEGMENT_HEADER_LENGTH,
  scanPack,
  segmentSeed,
  sortRows,
  viewOf,
} from '@vault/cas'
import type { AbortOptions, Bytes } from '@vault/core'
import { idFromBytes, VaultError } from '@vault/core'
import { errorCode } from './fs.ts'
import type { SegmentFiles } from './segment-files.ts'
import { readFailed } from './system-refusal.ts'

const PAGE = 4096

/**
 * The records of a segment, ascending by their ids, as its trailer has them; of one that was never sealed, as reading it finds them. Throws at the end
 * `CAS_CORRUPT` where a stretch of that cannot be read; `CAS_FORMAT`, `CAS_READ_FAILED`.
 */
export async function* segmentContents(
  files: SegmentFiles,
  segment: string,
  options?: AbortOptions,
): AsyncGenerator<readonly StoredRecord[]> {
  let found: Found
  try {
    found = await files.source(segment, (source) => readRows(source, segment, options))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    throw readFailed(files.path(segment), error)
  }
  const { rows, unread } = found
  const view = viewOf(rows)
  for (let start = 0; start < rows.length; start += PAGE * PACK_ROW_LENGTH) {
    const length = Math.min(PAGE, (rows.length - start) / PACK_ROW_LENGTH)
    yield Array.from({ length }, (_, i) => {
      const at = start + i * PACK_ROW_LENGTH
      return { id: idFromBytes(rows.subarray(at, at + 36)), bytes: RECORD_HEADER_LENGTH + rowStored(view, at) }
    })
  }
  if (unread !== undefined) throw unread
}

interface Found {
  readonly rows: Bytes
  /** Why there may be more in it. */
  readonly unread?: VaultError<CasErrorCode>
}

async function readRows(source: PackSource, segment: string, options?: AbortOptions): Promise<Found> {
  const name = Uint8Array.from(Buffer.from(segment, 'hex'))
  const found = new PackRows()
  let [read, damagedFrom, unfinished] = [0, Number.POSITIVE_INFINITY, 0]
  try {
    parseSegmentHeader(await readPart(source, 0, SEGMENT_HEADER_LENGTH), source.file)
    const trailer = await readTrailer(source, segmentSeed(name))
    if (trailer?.rows !== undefined) return { rows: trailer.rows }
    for await (const step of scanPack(source, { name, check: 'checksum' })) {
      options?.signal?.throwIfAborted()
      read = step.end
      if (step.type === 'end') {
        // A damaged header or trailer hides no record; the end of a segment that was never sealed may.
        unfinished = step.unacknowledged
        continue
      }
      found.appendAll(step.sound)
      found.appendAll(step.damaged)
      damagedFrom = Math.min(damagedFrom, step.damage[0]?.from ?? damagedFrom)
    }
  } catch (error) {
    // The disk gives no more of it.
    if (errorCode(error) !== 'EIO') throw error
    damagedFrom = Math.min(damagedFrom, read)
  }
  const rows = sortRows(found.bytes)
  if (Number.isFinite(damagedFrom)) return { rows, unread: damaged(source.file, damagedFrom) }
  return unfinished > 0 ? { rows, unread: unacknowledged(source.file, read) } : { rows }
}

function damaged(file: string, from: number): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `${file} is damaged from byte ${from} on: what lay there cannot be told. Repair the vault first (vaultctl verify --repair).`,
    details: { file },
  })
}

function unacknowledged(file: string, from: number): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_UNACKNOWLEDGED',
    message: `From byte ${from} on, ${file} has a write that was never finished, or one that is damaged now: nobody can tell which.`,
    details: { file },
  })
}
