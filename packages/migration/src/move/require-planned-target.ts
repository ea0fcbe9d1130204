import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { Plan } from '../plan.ts'
import type { KeyedTarget, MoveTarget } from './move-endpoint.ts'

/** Who approves a plan approves where it leads: throws `MIGRATION_PLAN_MISMATCH` for a target that is not the place which it names. Plans that name none are older. */
export function requirePlannedTarget(
  { migration_id: migration, target: planned }: Plan,
  target: MoveTarget & Partial<KeyedTarget>,
): void {
  const { label, instance, key = planned.place } = target
  const isNamed = (planned.instance ?? instance) === instance && (planned.place ?? key) === key
  if (isNamed) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PLAN_MISMATCH',
    message: `The plan of the migration ${migration} is for the place ${planned.instance}, and ${label} is the place ${instance}, or has another key. Go on with the target of the plan, or roll back and make a new plan.`,
    details: { migration, planned: planned.instance, instance },
  })
}
