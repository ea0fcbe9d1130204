import { MAX_ENTRY_LENGTH } from '@vault/audit-chain'
import type { Bytes, Link } from '@vault/core'
import type { Statement } from '@vault/transfer'
import type { Field } from '../records/field.ts'
import { bytes, count, exactly, FieldFault, linked, list, map, share, text, variant } from '../records/field.ts'
import type { RecordFormat, RecordHead } from '../records/record.ts'
import { recordFormat } from '../records/record.ts'
import { hexId, MAX_NOTE, statementField } from '../records/statement-field.ts'
import type { Checked, Coverage } from '../report.ts'

/**
 * All that shows that a vault moved whole: one document that a stranger verifies offline. The type is the format, down to
 * the last field: `formats/migration-certificate.md`. Documents in it are the bytes of their envelopes.
 */
export interface Certificate extends RecordHead<'migration-certificate'> {
  readonly vault: Link
  readonly migration: string
  /** The canonical plan. */
  readonly plan: Bytes
  /** All key events of the vault, the inception first, the one that takes effect with the hand-off last: at least these two. */
  readonly key_events: readonly Bytes[]
  readonly acceptance: Bytes
  readonly ready: Bytes
  readonly handoff: Bytes
  readonly verification: CertifiedVerification
  readonly transfer: CertifiedTransfer
  readonly possession: CertifiedPossession
  readonly audit: CertifiedAudit
  /** Delegations were not compared: a value for those that will be. */
  readonly authority: { readonly mode: 'not-checked' }
  /** None in this version. */
  readonly witnesses: readonly never[]
  readonly times: CertifiedTimes
  /** What was handed over. */
  readonly statement: Statement
}

/** How what arrived was verified before it was handed over. */
export interface CertifiedVerification {
  readonly coverage: Coverage
  /** Also counts what was read back more than once. */
  readonly checked: Checked
  /** How many differences were left at the end. */
  readonly findings: number
}

/** What was sent, over all runs of the migration. */
export interface CertifiedTransfer {
  readonly objects: number
  readonly bytes: number
  readonly entries: number
  readonly rounds: number
  readonly batches: number
}

export type CertifiedPossession =
  | { readonly mode: 'none' }
  | {
      readonly mode: 'signed'
      /** How many proofs the source asked for and found good. */
      readonly acks: number
      /** Envelopes of up to 16 of them. */
      readonly sample: readonly Bytes[]
    }

/** That the log at the target goes on where the log at the source ended. */
export interface CertifiedAudit {
  readonly origin: string
  /** The signed note of the source, of n entries. */
  readonly source: Bytes
  /** A signed note of the target, of m > n entries. */
  readonly target: Bytes
  /** From n to m entries, hashes of 32 bytes. */
  readonly consistency: readonly Bytes[]
  /** The entry of the hand-off: the first after the source's. */
  readonly handoff: CertifiedEntry
  /** The entry that says that the migration is complete. */
  readonly complete: CertifiedEntry
}

/** An entry of the log of m entries. */
export interface CertifiedEntry {
  readonly index: number
  readonly leaf: Bytes
  readonly proof: readonly Bytes[]
}

/** Seconds since 1970; claims of those who signed. */
export interface CertifiedTimes {
  readonly planned: number
  readonly handed_off: number
  readonly completed: number
}

/** The type under which certificates are signed. */
export const CERTIFICATE = 'migration-certificate'
/** Bytes of the longest certificate, with its signatures: as long as a block, so that the vault can hold it. */
export const MAX_CERTIFICATE_LENGTH: number = 1024 * 1024
/** Proofs of possession in a certificate. */
export const MAX_POSSESSION_SAMPLE = 16

const MAX_PLAN = 256 * 1024
const MAX_DOCUMENT = 128 * 1024
const MAX_HASHES = 64
const MAX_EVENTS = 1_024

const document = bytes({ most: MAX_DOCUMENT })
const hash = bytes({ length: 32 })

/** What was read back, as it is written. */
export const coverage: Field<Coverage> = variant<Coverage>({
  full: map({ mode: exactly('full') }),
  proven: map({ mode: exactly('proven'), objects: count }),
  sample: map({
    mode: exactly('sample'),
    size: count,
    seed: text(1_024),
    missProbability: list(map({ bad: count, probability: share }), 16),
  }),
  difference: map({ mode: exactly('difference') }),
})

const possession: Field<CertifiedPossession> = variant<CertifiedPossession>({
  none: map({ mode: exactly('none') }),
  signed: map({ mode: exactly('signed'), acks: count, sample: list(document, MAX_POSSESSION_SAMPLE) }),
})

const entry = map<CertifiedEntry>({
  index: count,
  leaf: bytes({ most: MAX_ENTRY_LENGTH }),
  proof: list(hash, MAX_HASHES),
})

const none: Field<readonly never[]> = (value, name) => {
  if (!Array.isArray(value) || value.length > 0) throw new FieldFault(name, 'is not an empty list')
  return []
}

export const certificateFormat: RecordFormat<Certificate> = recordFormat<typeof CERTIFICATE, Certificate>(
  CERTIFICATE,
  {
    vault: linked,
    migration: hexId,
    plan: bytes({ most: MAX_PLAN }),
    key_events: list(document, MAX_EVENTS, 2),
    acceptance: document,
    ready: document,
    handoff: document,
    verification: map<CertifiedVerification>({
      coverage,
      checked: map({ objects: count, bytes: count, entries: count }),
      findings: count,
    }),
    transfer: map<CertifiedTransfer>({ objects: count, bytes: count, entries: count, rounds: count, batches: count }),
    possession,
    audit: map<CertifiedAudit>({
      origin: text(1_024),
      source: bytes({ most: MAX_NOTE }),
      target: bytes({ most: MAX_NOTE }),
      consistency: list(hash, MAX_HASHES),
      handoff: entry,
      complete: entry,
    }),
    authority: map({ mode: exactly('not-checked') }),
    witnesses: none,
    times: map<CertifiedTimes>({ planned: count, handed_off: count, completed: count }),
    statement: statementField,
  },
  MAX_CERTIFICATE_LENGTH,
)
