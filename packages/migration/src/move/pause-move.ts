import type { AbortOptions } from '@vault/core'
import type { Records } from '@vault/soup'
import { changeMove } from './journal.ts'
import { reduceMove } from './machine.ts'
import type { MoveState } from './state.ts'

/**
 * Pauses a move, from any process that can write the records of its source: no signal and no lock. A run that is under way finds the
 * record changed, stops behind its next batch with `MIGRATION_PAUSED`, and what it sent stays; where none is, the move is paused all the
 * same. `resumeMove` goes on. Throws `MIGRATION_STATE`, and disturbs nobody, once the source is about to stop taking changes: writers must
 * not be kept waiting then.
 */
export async function pauseMove(records: Records, migration: string, options?: AbortOptions): Promise<MoveState> {
  return await changeMove(records, migration, (state) => reduceMove(state, { type: 'pause' }), options)
}
