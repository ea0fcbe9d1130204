import type { AbortOptions, Random } from '@vault/core'
import { VaultError } from '@vault/core'
import { authorizedRun } from './authorized-run.ts'
import type { Source, Target } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import type { MigrationEvent } from './event.ts'
import type { Plan } from './plan.ts'
import type { MigrationParts } from './plan-migration.ts'
import { runFull } from './run-full.ts'
import { runPartial } from './run-partial.ts'
import { selectEntries } from './selection.ts'

export interface RunOptions extends AbortOptions {
  /**
   * Verifies the whole of a replica again, not only what this run sends to it, and reads it back where the target could prove that it has
   * it; what does not read back is sent again.
   */
  readonly reread?: boolean
  readonly random?: Random
}

/**
 * Carries a plan out. Leaving the loop, an abort, an error or a crash leaves the target in good state; running the
 * plan again, or a new plan for the same places, sends only what is still different. A full migration ends in a
 * `replica`: verified, readable, and refusing ordinary changes.
 *
 * Throws `MIGRATION_PLAN_MISMATCH`, `MIGRATION_SOURCE_REFUSED`, `MIGRATION_TARGET_NOT_EMPTY`, `MIGRATION_TARGET_REFUSED`,
 * `MIGRATION_CONFLICT` before anything is written; `MIGRATION_SOURCE_DAMAGED`, `MIGRATION_INCOMPLETE`, `MIGRATION_VERIFICATION_FAILED`
 * after it; and what `authorize` and the stores throw.
 */
export async function* runMigration(
  plan: Plan,
  parts: MigrationParts,
  options: RunOptions = {},
): AsyncGenerator<MigrationEvent> {
  options.signal?.throwIfAborted()
  requireSameParts(plan, parts)
  const events =
    plan.select === undefined
      ? runFull(plan, parts, options)
      : runPartial(plan.migration_id, parts, selectEntries(parts.source.soup, plan.select), options)
  yield* authorizedRun(plan.kind, parts, events, options)
}

/** Refuses parts that are not those of the plan. */
export function requireSameParts(plan: Plan, { source, target }: { source: Source; target: Target }): void {
  const differences = [
    source.vault === plan.source.vault
      ? undefined
      : `the source holds the vault ${source.vault}, not ${plan.source.vault}`,
    source.label === plan.source.label ? undefined : `the source is ${source.label}, not ${plan.source.label}`,
    target.label === plan.target.label ? undefined : `the target is ${target.label}, not ${plan.target.label}`,
  ].filter((difference) => difference !== undefined)
  if (differences.length === 0) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PLAN_MISMATCH',
    message: `The plan ${plan.migration_id} is for other parts: ${differences.join('; ')}. Make a new plan.`,
    details: { migration: plan.migration_id, differences },
  })
}
