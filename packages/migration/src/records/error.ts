import { VaultError } from '@vault/core'

/** The `code` of the errors about the signed records of a move. */
export type MigrationRecordErrorCode =
  /** Bytes or values that are no such record. `details.record`, `details.field`. */
  | 'MIGRATION_RECORD_INVALID'
  /** A sound record, but of another vault, migration, plan or place than the expected one. `details.record`, `details.field`. */
  | 'MIGRATION_RECORD_FOREIGN'

export function invalidRecord(
  record: string,
  field: string,
  reason: string,
  cause?: unknown,
): VaultError<MigrationRecordErrorCode> {
  return new VaultError({
    code: 'MIGRATION_RECORD_INVALID',
    message: `Not a ${record} record: ${field} ${reason}.`,
    details: { record, field },
    cause,
  })
}

export function foreignRecord(record: string, field: string): VaultError<MigrationRecordErrorCode> {
  return new VaultError({
    code: 'MIGRATION_RECORD_FOREIGN',
    message: `The ${record} record is not the expected one: it has another ${field}. It belongs to something else, or was copied from there; do not go on with it.`,
    details: { record, field },
  })
}
