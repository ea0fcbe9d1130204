import type { AbortOptions, KeyId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Records } from '@vault/soup'
import type { MigrationErrorCode } from '../error.ts'
import { readMove, unknownMigration } from './journal.ts'
import { reduceMove } from './machine.ts'
import type { MoveState } from './state.ts'
import { targetOf } from './target-of.ts'

/**
 * Throws what taking a move back is refused with by its record alone: asked before a run that is under way is stopped for it. `to`: the key of the
 * place that it is said to go to, where that is known. Gives the move. Throws `MIGRATION_UNKNOWN`, `MIGRATION_PLAN_MISMATCH`,
 * `MIGRATION_COMPLETE`, `MIGRATION_TARGET_ADVANCED`.
 */
export async function checkTakeBack(
  migration: string,
  { records, to }: { readonly records: Records; readonly to?: KeyId | undefined },
  options: AbortOptions = {},
): Promise<MoveState> {
  const found = await readMove(records, migration, options)
  if (found === undefined) throw unknownMigration(migration)
  requireMeant(found, to)
  reduceMove(found, { type: 'roll-back', reason: '' })
  return found
}

function requireMeant({ migration, acceptance, plan }: MoveState, to: KeyId | undefined): void {
  const { place, label } = targetOf({ acceptance, plan })
  if (to === undefined || place === undefined || place === to) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PLAN_MISMATCH',
    message: `The migration ${migration} goes to ${label}, whose key is ${place}, and not ${to}.`,
    details: { migration, planned: place, key: to },
  })
}
