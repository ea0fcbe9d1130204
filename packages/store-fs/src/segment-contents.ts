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
  viewOf,
} from '@vault/cas'
import type { AbortOptions, Bytes } from '@vault/core'
import { idFromBytes, VaultError } from '@vault/core'
import { errorCode } from './fs.ts'
import type { SegmentFiles } from './segment-files.ts'
import { readFailed } from './system-refusal.ts'

const PAGE = 4096

/**
 * The records of a segment as its trailer has them; of one that was never sealed, as reading it finds them. Throws at the end
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
  const { rows, damagedFrom } = found
  const view = viewOf(rows)
  for (let start = 0; start < rows.length; start += PAGE * PACK_ROW_LENGTH) {
    const length = Math.min(PAGE, (rows.length - start) / PACK_ROW_LENGTH)
    yield Array.from({ length }, (_, i) => {
      const at = start + i * PACK_ROW_LENGTH
      return { id: idFromBytes(rows.subarray(at, at + 36)), bytes: RECORD_HEADER_LENGTH + rowStored(view, at) }
    })
  }
  if (damagedFrom !== undefined) throw unreadable(files.path(segment), damagedFrom)
}

interface Found {
  readonly rows: Bytes
  /** From where on something lies that is no record any more. */
  readonly damagedFrom?: number
}

async function readRows(source: PackSource, segment: string, options?: AbortOptions): Promise<Found> {
  const name = Uint8Array.from(Buffer.from(segment, 'hex'))
  parseSegmentHeader(await readPart(source, 0, SEGMENT_HEADER_LENGTH), source.file)
  const trailer = await readTrailer(source, segmentSeed(name))
  if (trailer?.rows !== undefined) return { rows: trailer.rows }
  const found = new PackRows()
  let read = SEGMENT_HEADER_LENGTH
  let damagedFrom: number | undefined
  try {
    for await (const step of scanPack(source, { name, check: 'checksum' })) {
      options?.signal?.throwIfAborted()
      read = step.end
      // A damaged header or trailer hides no record.
      if (step.type === 'end') continue
      found.appendAll(step.sound)
      found.appendAll(step.damaged)
      damagedFrom ??= step.damage[0]?.from
    }
  } catch (error) {
    // The disk gives no more of it.
    if (errorCode(error) !== 'EIO') throw error
    damagedFrom ??= read
  }
  return damagedFrom === undefined ? { rows: found.bytes } : { rows: found.bytes, damagedFrom }
}

function unreadable(file: string, from: number): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `${file} is damaged from byte ${from} on: what lay there cannot be told. Repair the vault first (vaultctl verify --repair).`,
    details: { file },
  })
}
