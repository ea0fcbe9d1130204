import { setTimeout as pause } from 'node:timers/promises'
import { isEnded, listMoves, type MoveState } from '@vault/migration'
import type { ServedPlace } from './served-place.ts'

interface Parts {
  readonly failed: (error: unknown) => void
  readonly signal: AbortSignal
}

// What keeps a move from its end is a place that is not there, or does not let this one in, and that may pass.
const AGAIN_MS = 60_000

/**
 * Ends the moves that were left behind their signature, by an earlier run of the server too. Nobody has to ask for that: the vault is active
 * nowhere until then, and whoever began it may have no leave any more. Resolves when the signal is aborted; never rejects.
 */
export async function endPassedMoves(served: ServedPlace, { failed, signal }: Parts): Promise<void> {
  while (!signal.aborted) {
    const ended = await passedMoves(served, signal).then(
      (moves) => Promise.allSettled(moves.map((move) => served.away.end(move, { signal }))),
      (reason: unknown) => [{ status: 'rejected', reason } as const],
    )
    for (const each of ended) if (each.status === 'rejected' && !signal.aborted) failed(each.reason)
    await pause(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {})
  }
}

/** Those behind their signature, which are ended or, where that was asked for, taken back: the vault is active nowhere until then. */
async function passedMoves({ place: { soups } }: ServedPlace, signal: AbortSignal): Promise<readonly MoveState[]> {
  const passed: MoveState[] = []
  for (const move of await listMoves(soups.records, { signal })) {
    if (isEnded(move.phase)) continue
    const { state, migration } = await soups.soup(move.vault).tenure({ signal })
    if (state === 'retired' && migration === move.migration) passed.push(move)
  }
  return passed
}
