import type { AbortOptions, Bytes, ContentId, Envelope, KeyState, Link, Signer } from '@vault/core'
import { countSigners } from '@vault/core'
import { count, epoch, linked, text } from './field.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import { hexId } from './statement-field.ts'

/**
 * The identity of a vault says which place goes on where the other was lost for ever between signing and taking a
 * hand-off. The only way out of that state, and a decision of people: whoever signs it must know that the other is gone.
 */
export interface Recovery extends RecordHead<'migration-recovery'> {
  readonly vault: Link
  readonly migration: string
  /** Of the place that becomes active. */
  readonly instance: string
  /** In which it becomes active: higher than any before. */
  readonly epoch: number
  /** Why, for people, 1 to 1,024 characters. */
  readonly reason: string
  /** Seconds since 1970. */
  readonly at: number
}

const TYPE = 'migration-recovery'

const format = recordFormat<typeof TYPE, Recovery>(TYPE, {
  vault: linked,
  migration: hexId,
  instance: hexId,
  epoch,
  reason: text(1_024),
  at: count,
})

/** The canonical bytes of a recovery. */
export const encodeRecovery: (recovery: Recovery) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies no signature. */
export const parseRecovery: (payload: Uint8Array) => Recovery = format.parse

export const recoveryId: (recovery: Recovery) => ContentId = format.id

/** Signs a recovery with identity keys of the vault. */
export function signRecovery(
  recovery: Recovery,
  identity: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  return format.sign(recovery, identity, options)
}

/**
 * The recovery in an envelope, signed by the identity of the vault. Throws `MIGRATION_RECORD_INVALID`,
 * `MIGRATION_RECORD_FOREIGN`, `SIGNATURE_THRESHOLD`.
 */
export function verifyRecovery(
  envelope: Envelope,
  { history, ...expected }: { readonly history: KeyState; readonly migration: string; readonly instance: string },
): Recovery {
  const recovery = parseRecovery(envelope.payload)
  requireFields(recovery, { vault: history.vault, ...expected })
  countSigners(envelope, TYPE, history.roles.identity)
  return recovery
}
