import type { AbortOptions } from '@vault/core'
import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { TargetRecords } from './target-records.ts'

/** What a target has declined is received and taken by nobody any more. Throws `MIGRATION_DECLINED`. */
export async function refuseDeclined(
  label: string,
  records: TargetRecords,
  migration: string,
  options?: AbortOptions,
): Promise<void> {
  if ((await records.declined(migration, options)) === undefined) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_DECLINED',
    message: `The target ${label} has declined the migration ${migration} and will never take it. Begin a new one.`,
    details: { migration },
  })
}
