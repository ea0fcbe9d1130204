import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Roles, Signer } from '@vault/core'
import { countSigners, parseRoles } from '@vault/core'
import type { Field } from './field.ts'
import { bytes, count, FieldFault, key, linked } from './field.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import { hexId } from './statement-field.ts'

/** A place says that it will receive a vault, and under which keys the vault will live there. */
export interface Acceptance extends RecordHead<'migration-acceptance'> {
  readonly vault: Link
  readonly migration: string
  /** The plan's id. */
  readonly plan: Link
  /** Of the receiving place, which made this record. */
  readonly instance: string
  /** The receiving place's key. */
  readonly place: KeyId
  /** The roles of the vault after the hand-off. */
  readonly roles: Roles
  /** 32 bytes, drawn for this migration: a hand-off that does not have them is none for this place. */
  readonly nonce: Bytes
  /** Seconds since 1970. */
  readonly at: number
}

const TYPE = 'migration-acceptance'

const roles: Field<Roles> = (value, name) => {
  try {
    return parseRoles(value)
  } catch (cause) {
    throw new FieldFault(name, 'are no roles', cause)
  }
}

const format = recordFormat<typeof TYPE, Acceptance>(TYPE, {
  vault: linked,
  migration: hexId,
  plan: linked,
  instance: hexId,
  place: key,
  roles,
  nonce: bytes({ length: 32 }),
  at: count,
})

/** The canonical bytes of an acceptance. */
export const encodeAcceptance: (acceptance: Acceptance) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies no signature. */
export const parseAcceptance: (payload: Uint8Array) => Acceptance = format.parse

export const acceptanceId: (acceptance: Acceptance) => ContentId = format.id

/** Signs an acceptance with the key of the receiving place. */
export function signAcceptance(acceptance: Acceptance, place: Signer, options?: AbortOptions): Promise<Envelope> {
  return format.sign(acceptance, [place], options)
}

/**
 * The acceptance in an envelope, signed by the key of the place that it names. Throws `MIGRATION_RECORD_INVALID`,
 * `MIGRATION_RECORD_FOREIGN`, `SIGNATURE_THRESHOLD`.
 */
export function verifyAcceptance(
  envelope: Envelope,
  expected: {
    readonly vault: ContentId
    readonly migration: string
    readonly plan?: ContentId
    readonly instance: string
    readonly place?: KeyId
  },
): Acceptance {
  const acceptance = parseAcceptance(envelope.payload)
  requireFields(acceptance, expected)
  countSigners(envelope, TYPE, { keys: [acceptance.place], threshold: 1 })
  return acceptance
}
