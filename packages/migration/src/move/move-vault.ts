import type { AbortOptions } from '@vault/core'
import { systemClock, VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import { decodePlan } from '../parse-plan.ts'
import { permissionFor } from '../permission.ts'
import type { Plan } from '../plan.ts'
import { encodePlan, planId } from '../plan.ts'
import { requireActive } from '../plan-migration.ts'
import { requireAccepted, requireApart } from './check-move-parts.ts'
import { checkTakeBack } from './check-take-back.ts'
import { latestCheckpoint } from './checkpoint-log.ts'
import { driveMove, UNASKED } from './drive-move.ts'
import { Journal, listMoves, readMove } from './journal.ts'
import { LiveLog } from './live/live-record.ts'
import { reduceMove } from './machine.ts'
import type { MoveEvent } from './move-event.ts'
import { openStray, wasOpened } from './open-again.ts'
import { isEnded } from './phase.ts'
import { requirePlannedTarget } from './require-planned-target.ts'
import type { MoveState } from './state.ts'
import { plannedMove } from './state.ts'
import type { MoveParts } from './work.ts'

/**
 * Moves a vault with its trail and its keys to another place, and hands it off: afterwards that place is the active one, and this
 * one refuses (M007, M084). Every step is written down before it is done, so `resumeMove` goes on in any process after any crash.
 * Throws `MIGRATION_UNFINISHED` where the source has a migration of this vault that has not ended.
 */
export async function* moveVault(plan: Plan, parts: MoveParts, options: AbortOptions = {}): AsyncGenerator<MoveEvent> {
  options.signal?.throwIfAborted()
  const { source, clock = systemClock } = parts
  const moves = await listMoves(source.records, { ...options, vault: source.vault })
  const unfinished = moves.find(({ phase }) => !isEnded(phase))
  if (unfinished !== undefined) throw unfinishedMove(unfinished)
  for (const move of moves) await openStray(move, source, options)
  await requireActive(source, plan.handoff ?? { keys: 'new' }, options)
  requireApart(parts)
  requirePlannedTarget(plan, parts.target)
  // Before anything is written down: what was never granted is no move that stopped.
  await permissionFor(parts, { source: source.vault, target: source.vault }, options).require()
  const state = plannedMove({
    migration: plan.migration_id,
    vault: source.vault,
    plan: encodePlan(plan),
    planned: Math.floor(clock().getTime() / 1000),
    since: (await source.soup.tenure(options)).events,
  })
  const journal = await Journal.create(source.records, state, options)
  await settleLive(journal, parts, options)
  yield* driveMove(journal, parts, options)
}

/** Keeps what a live move may ask of writers, for whoever goes on with it. */
async function settleLive({ state }: Journal, { source, live }: MoveParts, options: AbortOptions): Promise<void> {
  if (live !== undefined) await LiveLog.settle(source.records, state.migration, live, options)
}

/** Goes on with a move from where it was stopped or killed (M101). Throws "No checkpoint found" (M102) for an unknown one. */
export async function* resumeMove(
  migration: string,
  parts: MoveParts,
  options: AbortOptions = {},
): AsyncGenerator<MoveEvent> {
  options.signal?.throwIfAborted()
  const journal = await takeMove(migration, parts, ({ phase }) => !UNASKED.has(phase), options)
  await openStray(journal.state, parts.source, options)
  await settleLive(journal, parts, options)
  const { state } = journal
  // A checkpoint that was forged or stolen is refused before anything is done.
  await latestCheckpoint({ state, planId: planId(decodePlan(state.plan)), parts, options })
  const type = (await wasOpened(state, parts.source, options)) ? 'overran' : 'resume'
  await journal.write(reduceMove(state, { type }), options)
  yield* driveMove(journal, parts, options)
}

/**
 * Takes a move back, by its phase (M092–M096): before the hand-off is signed the source takes changes again and the target gives up
 * what it received; after it, only with the target's word that it will never take it. Throws `MIGRATION_COMPLETE`,
 * `MIGRATION_TARGET_ADVANCED`.
 */
export async function* rollBackMove(
  migration: string,
  parts: MoveParts,
  options: AbortOptions & { readonly reason?: string } = {},
): AsyncGenerator<MoveEvent> {
  const { reason = 'asked for', ...rest } = options
  rest.signal?.throwIfAborted()
  await checkTakeBack(migration, { records: parts.source.records }, rest)
  const journal = await takeMove(migration, parts, () => true, rest)
  await openStray(journal.state, parts.source, rest)
  await journal.write(reduceMove(journal.state, { type: 'roll-back', reason }), rest)
  yield* driveMove(journal, parts, rest)
}

/** Takes a move over, when these are its parts and who does it may: a run that is under way is not shut out for nothing. */
async function takeMove(
  migration: string,
  parts: MoveParts,
  isAsked: (state: MoveState) => boolean,
  options: AbortOptions,
): Promise<Journal> {
  const { records } = parts.source
  const state = await readMove(records, migration, options)
  if (state !== undefined) {
    requireAccepted(state, parts)
    if (isAsked(state)) await permissionFor(parts, { source: state.vault, target: state.vault }, options).require()
  }
  return await Journal.take(records, migration, options)
}

function unfinishedMove({ migration, phase }: MoveState): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_UNFINISHED',
    message: `The migration ${migration} of this vault is ${phase}: resume it, or roll it back, before another one begins.`,
    details: { migration, phase },
  })
}
