import type { ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { MigrationErrorCode } from '../error.ts'

// What a target says where it does not do what it is asked.

export function refused(
  label: string,
  { vault, state, migration: other }: Tenure,
  migration: string,
): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The vault ${vault} is ${state} at the target ${label}${other === undefined ? '' : ` (migration ${other})`} and cannot take what the migration ${migration} asks for.`,
    details: { vault, state, migration: other },
  })
}

/** It is prepared for another migration, and nothing proves that this one cannot end any more. */
export function stillAwaited(
  label: string,
  { vault, state, migration: earlier }: Tenure,
  migration: string,
): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The target ${label} is prepared for the vault ${vault} by the migration ${earlier}, and nothing that comes with the migration ${migration} proves that the vault has gone on without that one. Roll that one back where it left from.`,
    details: { vault, state, migration: earlier },
  })
}

export function oldEpoch(label: string, { vault, epoch }: Tenure, offered: number): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_EPOCH',
    message: `The target ${label} knows the vault ${vault} in epoch ${epoch}, and this is of epoch ${offered}: it comes from a copy that was handed off since.`,
    details: { vault, epoch, offered },
  })
}

export function refusedHandoff(label: string, migration: string, why: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_HANDOFF_REFUSED',
    message: `The target ${label} refuses the hand-off of the migration ${migration}: ${why}.`,
    details: { migration },
  })
}

export function advanced(label: string, vault: ContentId, migration: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_ADVANCED',
    message: `The target ${label} has taken the vault ${vault} by the hand-off of the migration ${migration} and may have changed it since: the way back is a migration from there.`,
    details: { vault, migration },
  })
}

export function notHeld(
  label: string,
  migration: string,
  { batch, id }: { readonly batch: number; readonly id: ContentId },
): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_LIES',
    message: `The target ${label} does not hold ${id}, which it acknowledged in the migration ${migration}. Nothing was handed off; check its store.`,
    details: { migration, batch, id },
  })
}

export function changed(migration: string, why: string, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_CHANGED',
    message: `The target of the migration ${migration} is not what it was to be: ${why}. The last steps are done again.`,
    details: { migration },
    cause,
  })
}
