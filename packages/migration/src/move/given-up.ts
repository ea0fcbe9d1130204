import type { AbortOptions } from '@vault/core'
import { decodeEnvelope } from '@vault/core'
import { parseAcceptance } from '../records/acceptance.ts'
import { listMoves } from './journal.ts'
import { rollBackMove } from './move-vault.ts'
import type { MoveState } from './state.ts'
import type { MoveParts } from './work.ts'

/** Those moves that were given up without this target, which may still have what it received. */
export function givenUpAt(moves: readonly MoveState[], instance: string | undefined): readonly MoveState[] {
  return moves.filter(({ phase, next, acceptance }) => {
    if (phase !== 'rolled-back' || next === null || acceptance === null) return false
    return parseAcceptance(decodeEnvelope(acceptance).payload).instance === instance
  })
}

/** Has a target that has come back give up what it received of moves that were given up without it: then it can take the vault anew. */
export async function cleanTarget(parts: MoveParts, options: AbortOptions = {}): Promise<void> {
  const { source, target } = parts
  const moves = (await listMoves(source.records, options)).filter(({ vault }) => vault === source.vault)
  for (const { migration } of givenUpAt(moves, target.instance)) {
    for await (const _ of rollBackMove(migration, parts, options));
  }
}
