import { crc32, newerFormat, PACK_ROW_LENGTH, readUint64, SEGMENT_NAME_LENGTH, viewOf, writeUint64 } from '@vault/cas'
import type { Bytes } from '@vault/core'
import { toHex } from '@vault/core'

// The layout is formats/pack-index.md; all numbers are big-endian.

const INDEX_VERSION = 1
export const INDEX_HEADER_LENGTH = 16
export const INDEX_PAGE_LENGTH = 8192
/** Rows in a full page: what fits before its checksum. */
export const ROWS_PER_PAGE: number = Math.floor((INDEX_PAGE_LENGTH - 4) / PACK_ROW_LENGTH)
export const FENCE_LENGTH = 36
export const COVERAGE_LENGTH = 40
export const INDEX_FOOTER_LENGTH = 32

/** `\x89vindx\r\n`. */
const MAGIC = Uint8Array.of(0x89, 0x76, 0x69, 0x6e, 0x64, 0x78, 0x0d, 0x0a)
const FOOTER_TAG = 0x76696478
const SEALED = 1

/** A stretch of a segment as a run names it. */
export interface NamedCoverage {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly sealed: boolean
  /** Rows of this stretch in the run. */
  readonly count: number
}

/** What the end of a run says of the rest. */
export interface IndexFooter {
  readonly rows: number
  readonly coverage: number
  readonly fencesCrc: number
  readonly coverageCrc: number
}

export function encodeIndexHeader(): Bytes {
  const header = new Uint8Array(INDEX_HEADER_LENGTH)
  header.set(MAGIC)
  viewOf(header).setUint32(8, INDEX_VERSION)
  viewOf(header).setUint32(12, crc32(header.subarray(0, 12)))
  return header
}

/** Whether this is the header of a run. Throws `CAS_FORMAT` where a newer version wrote it. */
export function checkIndexHeader(header: Uint8Array, file: string): boolean {
  const view = viewOf(header)
  if (header.length < INDEX_HEADER_LENGTH || MAGIC.some((byte, i) => header[i] !== byte)) return false
  if (view.getUint32(12) !== crc32(header.subarray(0, 12))) return false
  if (view.getUint32(8) !== INDEX_VERSION) throw newerFormat(file, `index version ${view.getUint32(8)}`)
  return true
}

export function encodeIndexFooter({ rows, coverage, fencesCrc, coverageCrc }: IndexFooter): Bytes {
  const footer = new Uint8Array(INDEX_FOOTER_LENGTH)
  const view = viewOf(footer)
  view.setUint32(0, FOOTER_TAG)
  writeUint64(view, 4, rows)
  view.setUint32(12, coverage)
  view.setUint32(16, fencesCrc)
  view.setUint32(20, coverageCrc)
  view.setUint32(28, crc32(footer.subarray(0, 28)))
  return footer
}

/** The footer of a run of this size; `undefined` where it is damaged or the size is another. */
export function parseIndexFooter(footer: Uint8Array, size: number): IndexFooter | undefined {
  if (footer.length !== INDEX_FOOTER_LENGTH) return undefined
  const view = viewOf(footer)
  if (view.getUint32(0) !== FOOTER_TAG || view.getUint32(28) !== crc32(footer.subarray(0, 28))) return undefined
  const rows = readUint64(view, 4)
  const coverage = view.getUint32(12)
  const pages = Math.ceil(rows / ROWS_PER_PAGE)
  const length =
    INDEX_HEADER_LENGTH + pages * (INDEX_PAGE_LENGTH + FENCE_LENGTH) + coverage * COVERAGE_LENGTH + INDEX_FOOTER_LENGTH
  if (length !== size) return undefined
  return { rows, coverage, fencesCrc: view.getUint32(16), coverageCrc: view.getUint32(20) }
}

export function encodeCoverage(stretches: readonly NamedCoverage[]): Bytes {
  const bytes = new Uint8Array(stretches.length * COVERAGE_LENGTH)
  const view = viewOf(bytes)
  for (const [i, { name, start, end, sealed, count }] of stretches.entries()) {
    const at = i * COVERAGE_LENGTH
    bytes.set(Buffer.from(name, 'hex'), at)
    writeUint64(view, at + 16, start)
    writeUint64(view, at + 24, end)
    view.setUint32(at + 32, count)
    view.setUint32(at + 36, sealed ? SEALED : 0)
  }
  return bytes
}

export function parseCoverage(bytes: Uint8Array): NamedCoverage[] {
  const view = viewOf(bytes)
  return Array.from({ length: bytes.length / COVERAGE_LENGTH }, (_, i) => {
    const at = i * COVERAGE_LENGTH
    return {
      name: toHex(bytes.subarray(at, at + SEGMENT_NAME_LENGTH)),
      start: readUint64(view, at + 16),
      end: readUint64(view, at + 24),
      count: view.getUint32(at + 32),
      sealed: (view.getUint32(at + 36) & SEALED) !== 0,
    }
  })
}

/** Closes a page whose rows stand already: its checksum covers the unused bytes too, which are zero. */
export function sealPage(page: Uint8Array): void {
  viewOf(page).setUint32(INDEX_PAGE_LENGTH - 4, crc32(page.subarray(0, INDEX_PAGE_LENGTH - 4)))
}

export function isPageSound(page: Uint8Array, view: DataView): boolean {
  return view.getUint32(INDEX_PAGE_LENGTH - 4) === crc32(page.subarray(0, INDEX_PAGE_LENGTH - 4))
}
