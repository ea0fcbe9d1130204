import type { AbortOptions } from '@vault/core'
import { listMoves } from './journal.ts'
import { rollBackMove } from './move-vault.ts'
import type { MoveState } from './state.ts'
import { targetOf } from './target-of.ts'
import type { MoveParts } from './work.ts'

/** Those moves that were given up without this target, which may still have what it received. */
export function givenUpAt(moves: readonly MoveState[], instance: string | undefined): readonly MoveState[] {
  // It may have accepted what the source never heard of: then the plan says which place that is.
  return moves.filter(
    (move) => move.phase === 'rolled-back' && move.next !== null && targetOf(move).instance === instance,
  )
}

/** Has a target that has come back give up what it received of moves that were given up without it: then it can take the vault anew. */
export async function cleanTarget(parts: MoveParts, options: AbortOptions = {}): Promise<void> {
  const { source, target } = parts
  const moves = await listMoves(source.records, { ...options, vault: source.vault })
  for (const { migration } of givenUpAt(moves, target.instance)) {
    for await (const _ of rollBackMove(migration, parts, options));
  }
}
