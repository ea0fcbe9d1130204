import type { AbortOptions, ContentId } from '@vault/core'
import { isVaultError, systemClock, systemRandom, type VaultError } from '@vault/core'
import { decodePlan } from '../parse-plan.ts'
import type { Permission } from '../permission.ts'
import { permissionFor, refusedMeanwhile } from '../permission.ts'
import { planId } from '../plan.ts'
import { BatchLog } from './batch-log.ts'
import { accept, announce, endorse, snapshot } from './begin-effects.ts'
import { catchUp, copy, copyRest, verify } from './copy-effects.ts'
import type { EffectName, MoveStep } from './effect.ts'
import { account, activate, conclude, freeze, moveTrail, prepare, quiesce, route, sign } from './handoff-effects.ts'
import type { Journal } from './journal.ts'
import type { PauseDeadline } from './live/pause-time.ts'
import { PauseTime } from './live/pause-time.ts'
import type { MoveInput, Outcome } from './machine.ts'
import { reduceMove, stepsOf } from './machine.ts'
import type { MoveEvent } from './move-event.ts'
import { letWritersGoOn } from './open-again.ts'
import type { MovePhase } from './phase.ts'
import { recovered } from './recovered.ts'
import { decline, recordRollback, reopen } from './rollback-effects.ts'
import type { MoveState } from './state.ts'
import type { Act, Effect, MoveParts, Work } from './work.ts'

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

/** Leave to take a move back is asked for when that begins; and behind the signature the vault is active nowhere until the move has ended. */
export const UNASKED: ReadonlySet<MovePhase> = new Set(['rolling-back', 'handoff-signed', 'activated'])
/** Events behind which it is asked whether to go on: often enough for who waits, and seldom beside what they cost. */
const OFTEN: ReadonlySet<MoveEvent['type']> = new Set(['batch', 'checked', 'round'])

/**
 * What any run does again in a pause, and finds done. Writers wait meanwhile, so that it was done is flushed with the change behind it. Not
 * what stands ahead of `prepare` and of `activate`, behind which the target takes nothing any more of what came before.
 */
const FLUSHED_LATER: ReadonlySet<EffectName> = new Set(['quiesce', 'copy-rest', 'account', 'freeze', 'prepare'])

// A quiesced vault changes only where something writes past its soup.
const MAX_REPEATS = 8

/** Does the steps of a move from where it is, each written down before and behind it, until none is left. */
export async function* driveMove(journal: Journal, parts: MoveParts, options: AbortOptions): AsyncGenerator<MoveEvent> {
  try {
    yield* takeSteps(journal, parts, options)
  } finally {
    await letWritersGoOn(journal, parts.source)
  }
}

async function* takeSteps(journal: Journal, parts: MoveParts, options: AbortOptions): AsyncGenerator<MoveEvent> {
  const permission = permissionFor(parts, { source: journal.state.vault, target: journal.state.vault }, options)
  const elapsed = parts.elapsed ?? (() => performance.now())
  const ofRun = { batches: new BatchLog(), held: new Set<ContentId>(), pause: new PauseTime(elapsed), elapsed, options }
  let repeats = 0
  while (journal.state.next !== null) {
    const { phase, next } = journal.state
    const step = stepsOf(journal.state).find(({ effect }) => effect === next) as MoveStep
    // Behind its end a move waits only for what its target gives up, and whether that does is known when it has: told sooner, a fork would look begun.
    const isToldAfter = phase === 'rolled-back'
    if (!isToldAfter) yield { type: 'step', step, phase }
    await parts.before?.(step, journal.state)
    // Weeks may have passed: another run may have gone on with the move, or taken it back.
    await journal.requireOwn(options)
    if (!UNASKED.has(phase)) await leaveToGoOn(journal, permission)
    if (next === 'sign') await leaveToSign(parts.target, journal.state, options)
    let input: MoveInput
    let deadline: PauseDeadline | undefined
    const work = workOf(journal, parts, ofRun)
    try {
      const effect = EFFECTS[next]
      if (phase === 'quiesced') deadline = await work.pause.deadline(work)
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
    await journal.write(reduceMove(journal.state, input), { ...options, durable: !FLUSHED_LATER.has(next) })
    if (isToldAfter) yield { type: 'step', step, phase }
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
  ofRun: Pick<Work, 'batches' | 'held' | 'pause' | 'elapsed' | 'options'>,
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
    driver,
    ...ofRun,
    requireOwn: () => journal.requireOwn(ofRun.options),
  }
}
