import type { Statement } from '@vault/transfer'
import type { Field } from './field.ts'
import { count, hex, map } from './field.ts'

/** Where an audit log ends. */
export interface LogHead {
  /** Number of entries. */
  readonly size: number
  /** The root over them, 64 lower-case hexadecimal digits. */
  readonly root: string
}

/** Bytes of the signed note that a record quotes: one with up to 100 signatures has some 15,000. */
export const MAX_NOTE: number = 32 * 1024

export const statementField: Field<Statement> = map<Statement>({
  sequence: count,
  roots: map({ objects: hex(64), soup: hex(64) }),
  counts: map({ objects: count, bytes: count, entries: count }),
})

export const logHeadField: Field<LogHead> = map<LogHead>({ size: count, root: hex(64) })

/** Id of a migration or an instance. */
export const hexId: Field<string> = hex(32)
