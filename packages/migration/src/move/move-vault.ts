import type { AbortOptions } from '@vault/core'
import { decodeEnvelope, isVaultError, systemClock, systemRandom, VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { MigrationEvent } from '../event.ts'
import { decodePlan } from '../parse-plan.ts'
import type { Permission } from '../permission.ts'
import { permissionFor, refusedMeanwhile } from '../permission.ts'
import type { Plan } from '../plan.ts'
import { encodePlan, planId } from '../plan.ts'
import { requireActive } from '../plan-migration.ts'
import { parseAcceptance } from '../records/acceptance.ts'
import { accept, announce, endorse, snapshot } from './begin-effects.ts'
import { latestCheckpoint } from './checkpoint-log.ts'
import { catchUp, copy, copyRest, verify } from './copy-effects.ts'
import type { EffectName, MoveStep } from './effect.ts'
import { account, activate, conclude, freeze, moveTrail, prepare, quiesce, route, sign } from './handoff-effects.ts'
import { Journal, listMoves, readMove } from './journal.ts'
import { LiveLog } from './live/live-record.ts'
import type { PauseDeadline } from './live/pause-time.ts'
import { PauseTime } from './live/pause-time.ts'
import type { MoveInput, Outcome } from './machine.ts'
import { reduceMove, stepsOf } from './machine.ts'
import { letWritersGoOn, openStray, wasOpened } from './open-again.ts'
import type { MovePhase } from './phase.ts'
import { isEnded } from './phase.ts'
import { recovered } from './recovered.ts'
import { requirePlannedTarget } from './require-planned-target.ts'
import { decline, recordRollback, reopen } from './rollback-effects.ts'
import type { MoveState } from './state.ts'
import { plannedMove } from './state.ts'
import type { Act, Effect, LiveEvent, MoveParts, Work } from './work.ts'

/** What happens in a move, in order. The move waits while an event is looked at; leaving the loop stops it in good state. */
export type MoveEvent =
  | Exclude<MigrationEvent, { type: 'summary' }>
  | LiveEvent
  /** A step that begins. */
  | { readonly type: 'step'; readonly step: MoveStep; readonly phase: MovePhase }
  /** The last event of a move that has ended, or was rolled back. */
  | { readonly type: 'moved'; readonly state: MoveState }

const EFFECTS: Readonly<Record<EffectName, { readonly act: Act } | { readonly run: Effect }>> = {
  accept: { act: accept },
  endorse: { act: endorse },
  announce: { act: announce },
  snapshot: { run: snapshot },
  copy: { run: copy },
  verify: { run: verify },
  'catch-up': { run: catchUp },
  quiesce: { act: quiesce },
  'copy-rest': { run: copyRest },
  account: { act: account },
  freeze: { act: freeze },
  'move-trail': { act: moveTrail },
  prepare: { act: prepare },
  sign: { act: sign },
  activate: { act: activate },
  route: { act: route },
  conclude: { act: conclude },
  decline: { act: decline },
  reopen: { act: reopen },
  'record-rollback': { act: recordRollback },
}

// Leave to take a move back is asked for when that begins; and behind the signature the vault is active nowhere until the move has ended.
const UNASKED: ReadonlySet<MovePhase> = new Set(['rolling-back', 'handoff-signed', 'activated'])
/** Events behind which it is asked whether to go on: often enough for who waits, and seldom beside what they cost. */
const OFTEN: ReadonlySet<MoveEvent['type']> = new Set(['batch', 'checked', 'round'])

// A quiesced vault changes only where something writes past its soup.
const MAX_REPEATS = 8

/**
 * Moves a vault with its trail and its keys to another place, and hands it off: afterwards that place is the active one, and this
 * one refuses (M007, M084). Every step is written down before it is done, so `resumeMove` goes on in any process after any crash.
 * Throws `MIGRATION_UNFINISHED` where the source has a migration of this vault that has not ended.
 */
export async function* moveVault(plan: Plan, parts: MoveParts, options: AbortOptions = {}): AsyncGenerator<MoveEvent> {
  options.signal?.throwIfAborted()
  const { source, clock = systemClock } = parts
  const moves = (await listMoves(source.records, options)).filter(({ vault }) => vault === source.vault)
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
  yield* drive(journal, parts, options)
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
  yield* drive(journal, parts, options)
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
  const journal = await takeMove(migration, parts, () => true, rest)
  await openStray(journal.state, parts.source, rest)
  await journal.write(reduceMove(journal.state, { type: 'roll-back', reason }), rest)
  yield* drive(journal, parts, rest)
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

async function* drive(journal: Journal, parts: MoveParts, options: AbortOptions): AsyncGenerator<MoveEvent> {
  try {
    yield* takeSteps(journal, parts, options)
  } finally {
    await letWritersGoOn(journal, parts.source)
  }
}

async function* takeSteps(journal: Journal, parts: MoveParts, options: AbortOptions): AsyncGenerator<MoveEvent> {
  const permission = permissionFor(parts, { source: journal.state.vault, target: journal.state.vault }, options)
  const elapsed = parts.elapsed ?? (() => performance.now())
  const pause = new PauseTime(elapsed)
  let repeats = 0
  while (journal.state.next !== null) {
    const { phase, next } = journal.state
    const step = stepsOf(journal.state).find(({ effect }) => effect === next) as MoveStep
    yield { type: 'step', step, phase }
    await parts.before?.(step, journal.state)
    // Weeks may have passed: another run may have gone on with the move, or taken it back.
    await journal.requireOwn(options)
    if (!UNASKED.has(phase)) await leaveToGoOn(journal, permission)
    if (next === 'sign') await leaveToSign(parts.target, journal.state, options)
    let input: MoveInput
    let deadline: PauseDeadline | undefined
    const work = workOf(journal, parts, { pause, elapsed, options })
    try {
      const effect = EFFECTS[next]
      if (phase === 'quiesced') deadline = await pause.deadline(work)
      const bounded = deadline === undefined ? work : { ...work, options: { signal: deadline.signal } }
      const outcome =
        'act' in effect
          ? await effect.act(bounded)
          : yield* untilAborted(journal, effect.run(bounded), permission, options)
      input = { type: 'done', effect: next, outcome }
    } catch (thrown) {
      // Whatever a part makes of the abort, it is what has stopped the step.
      const error: unknown = deadline?.signal.aborted === true ? deadline.signal.reason : refusedMeanwhile(thrown)
      if (isVaultError(error, 'MIGRATION_NOT_GRANTED')) await pauseSending(journal)
      input = await recovered(journal, work, error)
      if (input.type === 'changed' && ++repeats > MAX_REPEATS) throw error
      await journal.write(reduceMove(journal.state, input), options)
      if (input.type === 'fail') throw error
      if (input.type === 'overran' && (error as VaultError).details?.again !== true) throw error
      continue
    } finally {
      deadline?.clear()
    }
    await journal.write(reduceMove(journal.state, input), options)
  }
  yield { type: 'moved', state: journal.state }
}

/** Asked for before every step, the last one before the hand-off is signed too, and after every batch. Without it the move is paused. */
async function leaveToGoOn(journal: Journal, permission: Permission): Promise<void> {
  try {
    await permission.keep()
  } catch (error) {
    await pauseSending(journal)
    throw error
  }
}

/** A target that judges for itself is asked once more before the vault is its own. */
async function leaveToSign(target: MoveParts['target'], { vault }: MoveState, options: AbortOptions): Promise<void> {
  if (!('requireLeave' in target)) return
  await target.requireLeave(vault, options).catch((error: unknown) => {
    throw refusedMeanwhile(error)
  })
}

async function pauseSending(journal: Journal): Promise<void> {
  if (journal.state.phase === 'transferring') await journal.write(reduceMove(journal.state, { type: 'pause' }))
}

/** A step; where it is aborted while objects are sent, the move is paused. */
async function* untilAborted(
  journal: Journal,
  effect: ReturnType<Effect>,
  permission: Permission,
  { signal }: AbortOptions,
): AsyncGenerator<MoveEvent, Outcome> {
  try {
    while (true) {
      const step = await effect.next()
      if (step.done === true) return step.value
      // Somebody may have paused the move, or taken it over, or taken back the leave to make it.
      const event = step.value
      if (event.type === 'summary') continue
      if (OFTEN.has(event.type)) await journal.requireOwn()
      yield event
      if (event.type === 'batch') await leaveToGoOn(journal, permission)
    }
  } catch (error) {
    if (signal?.aborted && error === signal.reason) await pauseSending(journal)
    throw error
  } finally {
    await effect.return(undefined as never).catch(() => {})
  }
}

function workOf(
  journal: Journal,
  parts: MoveParts,
  { pause, elapsed, options }: Pick<Work, 'pause' | 'elapsed' | 'options'>,
): Work {
  const { random = systemRandom, clock = systemClock } = parts
  const { state, driver } = journal
  const plan = decodePlan(state.plan)
  return {
    plan,
    planId: planId(plan),
    state,
    parts,
    random,
    clock,
    elapsed,
    driver,
    options,
    pause,
    requireOwn: () => journal.requireOwn(options),
  }
}

/** A move that was accepted is between two places, and no third one can stand in for the target. */
function requireAccepted({ acceptance, migration }: MoveState, { target }: MoveParts): void {
  if (acceptance === null) return
  const { instance } = parseAcceptance(decodeEnvelope(acceptance).payload)
  if (instance === target.instance) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PLAN_MISMATCH',
    message: `The migration ${migration} goes to the place ${instance}, and ${target.label} is the place ${target.instance}.`,
    details: { migration, accepted: instance, instance: target.instance },
  })
}

/** A copy of a place has its identity: a hand-off between the two would say nothing about which of them is meant. */
function requireApart({ source, target }: MoveParts): void {
  if (source.instance !== target.instance) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The target ${target.label} is the place ${source.label} itself, or a copy of it. Choose another target, or make the copy a place of its own.`,
    details: { vault: source.vault, instance: target.instance },
  })
}

function unfinishedMove({ migration, phase }: MoveState): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_UNFINISHED',
    message: `The migration ${migration} of this vault is ${phase}: resume it, or roll it back, before another one begins.`,
    details: { migration, phase },
  })
}
