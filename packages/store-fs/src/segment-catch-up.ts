import type { PackSource } from '@vault/cas'
import {
  PACK_ROW_LENGTH,
  parseSegmentHeader,
  readPart,
  readTrailer,
  rowOffset,
  SEGMENT_HEADER_LENGTH,
  scanPack,
  segmentSeed,
  viewOf,
} from '@vault/cas'
import type { Coverage } from './coverage.ts'
import { errorCode } from './fs.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { Segment } from './segment-table.ts'
import { readFailed } from './system-refusal.ts'

/**
 * Reads what has been acknowledged in a segment since it was last looked at: from the trailer of a sealed one, else by
 * walking its groups. Damage is passed over here and named by a scrub. Throws `CAS_READ_FAILED`.
 */
export async function readNewRows(
  files: SegmentFiles,
  segment: Segment,
  add: (stretch: Coverage, rows: Uint8Array) => void,
): Promise<void> {
  try {
    if ((await files.size(segment.name)) === segment.seen) return
    await files.source(segment.name, async (source) => {
      await readFrom(source, segment, add)
      // Only now: what could not be read this time is read the next time.
      segment.seen = source.size
    })
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw readFailed(files.path(segment.name), error)
    segment.present = false
  }
}

async function readFrom(
  source: PackSource,
  segment: Segment,
  add: (stretch: Coverage, rows: Uint8Array) => void,
): Promise<void> {
  const name = Uint8Array.from(Buffer.from(segment.name, 'hex'))
  // Throws where a newer version wrote it; where the header is damaged the groups still validate by the file's name.
  parseSegmentHeader(await readPart(source, 0, SEGMENT_HEADER_LENGTH), source.file)
  const start = segment.covered
  const trailer = await readTrailer(source, segmentSeed(name))
  if (trailer?.rows !== undefined) {
    add({ segment, start, end: trailer.position, sealed: true }, rowsFrom(trailer.rows, start))
    return
  }
  for await (const step of scanPack(source, { name, check: 'checksum', from: start })) {
    const { covered } = segment
    if (step.type === 'end') {
      if (step.sealed) add({ segment, start: covered, end: step.end, sealed: true }, new Uint8Array(0))
      return
    }
    add({ segment, start: covered, end: step.end, sealed: false }, step.sound)
    // A damaged copy is known too: reading it says so, where passing over it would say that there never was one.
    add({ segment, start: step.end, end: step.end, sealed: false }, step.damaged)
  }
}

/** The rows whose records lie at or behind `start`. */
function rowsFrom(rows: Uint8Array, start: number): Uint8Array {
  const view = viewOf(rows)
  const kept = new Uint8Array(rows.length)
  let length = 0
  for (let at = 0; at < rows.length; at += PACK_ROW_LENGTH) {
    if (rowOffset(view, at) < start) continue
    kept.set(rows.subarray(at, at + PACK_ROW_LENGTH), length)
    length += PACK_ROW_LENGTH
  }
  return kept.subarray(0, length)
}
