import { checkFlags, matchesIdBytes, parseRecordHeader, RECORD_HEADER_LENGTH, recordId } from '@vault/cas'
import type { Bytes } from '@vault/core'
import { equalBytes } from '@vault/core'

/**
 * The content of the record at `at`, as a view; `undefined` where it is not the one that the id names. The hash decides:
 * header and checksum only say where the content is. Throws `CAS_FORMAT` for a record of a newer version.
 */
export function readRecord(
  bytes: Bytes,
  view: DataView,
  at: number,
  expected: { readonly id: Uint8Array; readonly stored: number; readonly file: string },
): Bytes | undefined {
  const header = parseRecordHeader(bytes, view, at)
  if (header === undefined || !equalBytes(recordId(bytes, at), expected.id)) return undefined
  checkFlags(header, expected.file)
  if (header.stored !== expected.stored) return undefined
  const content = bytes.subarray(at + RECORD_HEADER_LENGTH, at + RECORD_HEADER_LENGTH + header.stored)
  return matchesIdBytes(expected.id, content) ? content : undefined
}
