import type { AbortOptions, KeyId } from '@vault/core'
import type { Records } from '@vault/soup'
import { readMove, unknownMigration } from './journal.ts'
import { reduceMove } from './machine.ts'
import { requireMeant } from './require-meant.ts'
import type { MoveState } from './state.ts'

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
