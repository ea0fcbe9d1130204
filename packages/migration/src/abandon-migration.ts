import type { AbortOptions } from '@vault/core'
import { VaultError } from '@vault/core'
import type { AbandonableTarget, Source } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import type { Mandate } from './permission.ts'
import { permissionFor } from './permission.ts'
import type { Plan } from './plan.ts'
import { requireSameParts } from './run-migration.ts'

/**
 * Gives up a migration that has not ended (M094): a vault that it brought leaves the target, and one that was there is
 * again what it was. Nothing happens where the migration is not the one that is writing. Throws `MIGRATION_COMPLETE`
 * where it has ended.
 */
export async function abandonMigration(
  plan: Plan,
  parts: Mandate & { readonly source: Source; readonly target: AbandonableTarget },
  options: AbortOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted()
  requireSameParts(plan, parts)
  const { source, target } = parts
  const { tenure } = await target.look(source.vault, options)
  if (tenure.state === 'replica' && tenure.migration === plan.migration_id) throw completed(plan)
  await permissionFor(parts, { source: source.vault, target: tenure.vault }, options).require()
  await target.abandon(source.vault, plan.migration_id, options)
}

function completed({ migration_id, target }: Plan): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_COMPLETE',
    message: `Cannot rollback completed migration: ${migration_id} made a verified replica at ${target.label}. Remove the replica there if it is not wanted.`,
    details: { migration: migration_id },
  })
}
