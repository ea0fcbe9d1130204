import type { SQLOutputValue } from 'node:sqlite'
import type { Bytes, ContentId } from '@vault/core'
import { ID_LENGTH, idFromBytes, toHex } from '@vault/core'
import type { Column } from './checksum.ts'
import { checksum } from './checksum.ts'
import { damagedRow } from './sqlite-error.ts'

/** A row as it came out of the file. STRICT tables hold types on write only; a flipped bit may give a value another one. */
export type Row = Record<string, SQLOutputValue>

/** Checks values of one row on their way in. Names the row by table and key where one is wrong. */
export class RowReader {
  readonly #table: string
  readonly #row: Row
  readonly #keyColumn: string

  constructor(table: string, row: Row, keyColumn: string) {
    this.#table = table
    this.#row = row
    this.#keyColumn = keyColumn
  }

  /** Throws unless the row's `check` is that of these columns. */
  verify(columns: readonly Column[]): void {
    if (checksum(columns) !== this.#row.check) throw this.damaged('its checksum differs')
  }

  /** A blob, of this length where one is given. The driver made a copy: it is ours. */
  blob(column: string, length?: number): Bytes {
    const value = this.#row[column]
    if (!(value instanceof Uint8Array)) throw this.damaged(`${column} is no blob`)
    if (length !== undefined && value.length !== length) throw this.damaged(`${column} has ${value.length} bytes`)
    return value as Bytes
  }

  /** A content id in its binary form. */
  contentId(column: string): ContentId {
    try {
      return idFromBytes(this.blob(column, ID_LENGTH))
    } catch (error) {
      throw this.damaged(`${column} is no content id`, error)
    }
  }

  optionalBlob(column: string, length?: number): Bytes | null {
    return this.#row[column] === null ? null : this.blob(column, length)
  }

  text(column: string): string {
    const value = this.#row[column]
    if (typeof value !== 'string') throw this.damaged(`${column} is no text`)
    return value
  }

  optionalText(column: string): string | null {
    return this.#row[column] === null ? null : this.text(column)
  }

  /** An integer from 0 to 2^53 − 1. */
  integer(column: string): number {
    const value = this.signedInteger(column)
    if (value < 0) throw this.damaged(`${column} is no number of ours`)
    return value
  }

  /** An integer of which the absolute value is at most 2^53 − 1. */
  signedInteger(column: string): number {
    const value = this.#row[column]
    if (!Number.isSafeInteger(value)) throw this.damaged(`${column} is no number of ours`)
    return value as number
  }

  optionalInteger(column: string): number | null {
    return this.#row[column] === null ? null : this.integer(column)
  }

  damaged(why: string, cause?: unknown): Error {
    return damagedRow(this.#table, printableKey(this.#row[this.#keyColumn]), why, cause)
  }
}

/** A key for messages and `details`: blobs as hexadecimal digits. */
export function printableKey(value: SQLOutputValue | undefined): string {
  return value instanceof Uint8Array ? toHex(value) : String(value ?? '')
}
