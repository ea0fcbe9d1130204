import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, KeyState, Link, Signer } from '@vault/core'
import { countSigners } from '@vault/core'
import type { Statement } from '@vault/transfer'
import { foreignRecord } from './error.ts'
import { bytes, count, epoch, key, linked, map } from './field.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import type { LogHead } from './statement-field.ts'
import { hexId, logHeadField, MAX_NOTE, statementField } from './statement-field.ts'

/** An end of a hand-off. */
export interface HandoffEnd {
  readonly instance: string
  /** The key of the place. */
  readonly place: KeyId
}

/**
 * The step after which one place has a vault and the other no longer has it. From the moment that it is signed, the source
 * never writes the vault again in this epoch.
 */
export interface Handoff extends RecordHead<'migration-handoff'> {
  readonly vault: Link
  readonly migration: string
  readonly from: HandoffEnd
  readonly to: HandoffEnd
  /** Of the receiving place's acceptance. */
  readonly nonce: Bytes
  /** In which the receiving place becomes active: higher than any before. */
  readonly epoch: number
  /** What is handed over. */
  readonly statement: Statement
  /** Where the log of the source ends. */
  readonly log: LogHead
  /** The signed note that says so. */
  readonly checkpoint: Bytes
  /** The payload of the key event that takes effect with this record. */
  readonly key_event: Link
  /** The plan's id. */
  readonly plan: Link
  /** The payload of the receiving place's ready record. */
  readonly ready: Link
  /** Seconds since 1970. */
  readonly at: number
}

const TYPE = 'migration-handoff'

const end = map<HandoffEnd>({ instance: hexId, place: key })

const format = recordFormat<typeof TYPE, Handoff>(TYPE, {
  vault: linked,
  migration: hexId,
  from: end,
  to: end,
  nonce: bytes({ length: 32 }),
  epoch,
  statement: statementField,
  log: logHeadField,
  checkpoint: bytes({ most: MAX_NOTE }),
  key_event: linked,
  plan: linked,
  ready: linked,
  at: count,
})

/** The canonical bytes of a hand-off. */
export const encodeHandoff: (handoff: Handoff) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies no signature. */
export const parseHandoff: (payload: Uint8Array) => Handoff = format.parse

export const handoffId: (handoff: Handoff) => ContentId = format.id

/** Signs a hand-off with the log keys of the vault, as many as the role asks for, and with the key of the source's place. */
export function signHandoff(
  handoff: Handoff,
  signers: { readonly log: readonly Signer[]; readonly place: Signer },
  options?: AbortOptions,
): Promise<Envelope> {
  return format.sign(handoff, [...signers.log, signers.place], options)
}

/**
 * The hand-off in an envelope, signed by the vault's log keys and by the place that it leaves. `history`: the keys of the
 * vault before the hand-off, without the key event that it names. `place`: the key of the place that the vault is
 * believed to be in; without it any place, which then is as good as the log keys' word. Throws
 * `MIGRATION_RECORD_INVALID`, `MIGRATION_RECORD_FOREIGN`, `SIGNATURE_THRESHOLD`.
 */
export function verifyHandoff(
  envelope: Envelope,
  { history, place }: { readonly history: KeyState; readonly place?: KeyId },
): Handoff {
  const handoff = parseHandoff(envelope.payload)
  requireFields(handoff, { vault: history.vault })
  if (place !== undefined && handoff.from.place !== place) throw foreignRecord(TYPE, 'from.place')
  countSigners(envelope, TYPE, history.roles.log)
  countSigners(envelope, TYPE, { keys: [handoff.from.place], threshold: 1 })
  return handoff
}
