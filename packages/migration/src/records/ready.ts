import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { countSigners } from '@vault/core'
import type { Statement } from '@vault/transfer'
import { bytes, count, linked } from './field.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import type { LogHead } from './statement-field.ts'
import { hexId, logHeadField, statementField } from './statement-field.ts'

/** A receiving place says that it has the whole vault and its log, and waits for the hand-off. */
export interface Ready extends RecordHead<'migration-ready'> {
  readonly vault: Link
  readonly migration: string
  /** Of the receiving place. */
  readonly instance: string
  /** What it holds. */
  readonly statement: Statement
  /** The audit log that it holds. */
  readonly log: LogHead
  /** Of the acceptance. */
  readonly nonce: Bytes
  /** Seconds since 1970. */
  readonly at: number
}

const TYPE = 'migration-ready'

const format = recordFormat<typeof TYPE, Ready>(TYPE, {
  vault: linked,
  migration: hexId,
  instance: hexId,
  statement: statementField,
  log: logHeadField,
  nonce: bytes({ length: 32 }),
  at: count,
})

/** The canonical bytes of a ready record. */
export const encodeReady: (ready: Ready) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies no signature. */
export const parseReady: (payload: Uint8Array) => Ready = format.parse

export const readyId: (ready: Ready) => ContentId = format.id

/** Signs a ready record with the key of the receiving place. */
export function signReady(ready: Ready, place: Signer, options?: AbortOptions): Promise<Envelope> {
  return format.sign(ready, [place], options)
}

/** The record in an envelope, signed by the receiving place. Throws `MIGRATION_RECORD_INVALID`, `MIGRATION_RECORD_FOREIGN`, `SIGNATURE_THRESHOLD`. */
export function verifyReady(
  envelope: Envelope,
  {
    place,
    ...expected
  }: { readonly vault: ContentId; readonly migration: string; readonly instance: string; readonly place: KeyId },
): Ready {
  const ready = parseReady(envelope.payload)
  requireFields(ready, expected)
  countSigners(envelope, TYPE, { keys: [place], threshold: 1 })
  return ready
}
