import { crc32 } from 'node:zlib'

/** A value of a column as it enters a checksum. */
export type Column = number | string | Uint8Array | null

/**
 * The `check` of a row: CRC-32 over its other columns, in the order that `formats/soup-sqlite.md` gives. An integer is eight bytes,
 * big-endian, in two's complement; a text or blob its length in eight bytes and then its bytes; NULL eight bytes 0xff. SQLite itself does not see
 * a flipped bit in a cell: `PRAGMA integrity_check` says ok and wrong bytes come back.
 */
export function checksum(columns: readonly Column[]): number {
  let length = 0
  for (const column of columns) length += 8 + contentLength(column)
  const bytes = Buffer.allocUnsafe(length)
  let offset = 0
  for (const column of columns) offset = write(bytes, offset, column)
  return crc32(bytes)
}

function contentLength(column: Column): number {
  if (typeof column === 'string') return Buffer.byteLength(column)
  return column instanceof Uint8Array ? column.length : 0
}

function write(bytes: Buffer, offset: number, column: Column): number {
  if (column === null) return bytes.fill(0xff, offset, offset + 8) && offset + 8
  const number = typeof column === 'number' ? column : contentLength(column)
  const high = Math.floor(number / 2 ** 32)
  bytes.writeInt32BE(high, offset)
  bytes.writeUInt32BE(number - high * 2 ** 32, offset + 4)
  if (typeof column === 'string') return offset + 8 + bytes.write(column, offset + 8)
  if (typeof column === 'number') return offset + 8
  bytes.set(column, offset + 8)
  return offset + 8 + column.length
}
