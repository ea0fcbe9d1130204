import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { countSigners } from '@vault/core'
import { count, hex, id, linked, map, nullable } from './field.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import { hexId } from './statement-field.ts'

/** How far a migration has come (M097, M098). A record: what is left to do is always found by comparing both places. */
export interface MigrationCheckpoint extends RecordHead<'migration-checkpoint'> {
  readonly migration: string
  /** The plan's id. */
  readonly plan: Link
  /** From 0. */
  readonly seq: number
  /** The checkpoint before; `null` in the first. */
  readonly prev: Link | null
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly transferred: Amount
  readonly remaining: Amount
  /** The last object that the target acknowledged; `null` before there is one. */
  readonly last_hash: ContentId | null
  /** What is being moved. */
  readonly source: {
    readonly vault: Link
    /** Root of its objects, 64 lower-case hexadecimal digits. */
    readonly objects: string
    /** Root of its entries. */
    readonly soup: string
  }
  /** Number of the start of the migration that made it. */
  readonly driver: number
}

/** Objects, and the bytes in them. */
export interface Amount {
  readonly objects: number
  readonly bytes: number
}

const TYPE = 'migration-checkpoint'

const amount = map<Amount>({ objects: count, bytes: count })

const format = recordFormat<typeof TYPE, MigrationCheckpoint>(TYPE, {
  migration: hexId,
  plan: linked,
  seq: count,
  prev: nullable(linked),
  timestamp: count,
  transferred: amount,
  remaining: amount,
  last_hash: nullable(id),
  source: map({ vault: linked, objects: hex(64), soup: hex(64) }),
  driver: count,
})

/** The canonical bytes of a checkpoint. */
export const encodeMigrationCheckpoint: (checkpoint: MigrationCheckpoint) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies no signature. */
export const parseMigrationCheckpoint: (payload: Uint8Array) => MigrationCheckpoint = format.parse

export const checkpointId: (checkpoint: MigrationCheckpoint) => ContentId = format.id

/** Signs a checkpoint with the key of the source's place. */
export function signMigrationCheckpoint(
  checkpoint: MigrationCheckpoint,
  place: Signer,
  options?: AbortOptions,
): Promise<Envelope> {
  return format.sign(checkpoint, [place], options)
}

/**
 * The checkpoint in an envelope, if this place made it for this plan: one that was taken from another migration, or made
 * elsewhere, is refused. Throws `MIGRATION_RECORD_INVALID`, `MIGRATION_RECORD_FOREIGN`, `SIGNATURE_THRESHOLD`.
 */
export function verifyMigrationCheckpoint(
  envelope: Envelope,
  { place, ...expected }: { readonly migration: string; readonly plan: ContentId; readonly place: KeyId },
): MigrationCheckpoint {
  const checkpoint = parseMigrationCheckpoint(envelope.payload)
  requireFields(checkpoint, expected)
  countSigners(envelope, TYPE, { keys: [place], threshold: 1 })
  return checkpoint
}
