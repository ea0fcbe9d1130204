import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { countSigners } from '@vault/core'
import { count, epoch, linked } from './field.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import { hexId } from './statement-field.ts'

/** A receiving place says that it will never take a hand-off of this migration: the source may go on, in a higher epoch. */
export interface Decline extends RecordHead<'migration-decline'> {
  readonly vault: Link
  readonly migration: string
  /** Of the receiving place. */
  readonly instance: string
  /** The highest epoch of the vault that the receiving place has seen; the source goes on above it. */
  readonly epoch: number
  /** Seconds since 1970. */
  readonly at: number
}

const TYPE = 'migration-decline'

const format = recordFormat<typeof TYPE, Decline>(TYPE, {
  vault: linked,
  migration: hexId,
  instance: hexId,
  epoch,
  at: count,
})

/** The canonical bytes of a decline. */
export const encodeDecline: (decline: Decline) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies no signature. */
export const parseDecline: (payload: Uint8Array) => Decline = format.parse

export const declineId: (decline: Decline) => ContentId = format.id

/** Signs a decline with the key of the receiving place. */
export function signDecline(decline: Decline, place: Signer, options?: AbortOptions): Promise<Envelope> {
  return format.sign(decline, [place], options)
}

/**
 * The decline in an envelope, signed by the place that accepted. Throws `MIGRATION_RECORD_INVALID`,
 * `MIGRATION_RECORD_FOREIGN`, `SIGNATURE_THRESHOLD`.
 */
export function verifyDecline(
  envelope: Envelope,
  {
    place,
    ...expected
  }: { readonly vault: ContentId; readonly migration: string; readonly instance: string; readonly place: KeyId },
): Decline {
  const decline = parseDecline(envelope.payload)
  requireFields(decline, expected)
  countSigners(envelope, TYPE, { keys: [place], threshold: 1 })
  return decline
}
