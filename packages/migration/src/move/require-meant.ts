import type { KeyId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { MoveState } from './state.ts'
import { targetOf } from './target-of.ts'

/**
 * Whoever names a place means the move that goes there: throws `MIGRATION_PLAN_MISMATCH` for one that goes to a place with another key than
 * `to`. By its record alone, so that it is asked before a run that is under way is stopped.
 */
export function requireMeant(
  { migration, acceptance, plan }: Pick<MoveState, 'migration' | 'acceptance' | 'plan'>,
  to: KeyId | undefined,
): void {
  const { place, label } = targetOf({ acceptance, plan })
  if (to === undefined || place === undefined || place === to) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PLAN_MISMATCH',
    message: `The migration ${migration} goes to ${label}, whose key is ${place}, and not ${to}. Go on with that place, or take it back first.`,
    details: { migration, planned: place, key: to },
  })
}
