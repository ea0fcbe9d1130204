import type { Bytes } from '@vault/core'
import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { EffectName, MoveStep } from './effect.ts'
import { DECLINED_STEPS, ROLLBACK_STEPS, STEPS } from './effect.ts'
import type { MovePhase } from './phase.ts'
import type { MoveState } from './state.ts'

/** Phases in which what the target gives back is read. */
export const VERIFIES: ReadonlySet<MovePhase> = new Set(['verifying', 'catching-up', 'quiesced'])

/** What a step gave, to be kept. */
export type Outcome = Partial<
  Pick<
    MoveState,
    | 'acceptance'
    | 'keyEvent'
    | 'statement'
    | 'sent'
    | 'possession'
    | 'verification'
    | 'frozen'
    | 'ready'
    | 'handoff'
    | 'decline'
    | 'certificate'
  >
>

/** What happens to a move. */
export type MoveInput =
  /** The step that was next has been done. */
  | { readonly type: 'done'; readonly effect: EffectName; readonly outcome: Outcome }
  /** The vault, or its log, is not what was prepared any more: the last part of the quiesced phase is done again. */
  | { readonly type: 'changed' }
  /** The vault has been quiesced for longer than those who write it are to wait, or a guard stops it then: they go on, and so does catching up. */
  | { readonly type: 'overran' }
  /** The target says that it will never take this hand-off. */
  | { readonly type: 'declined'; readonly decline: Bytes }
  /** On the way back it turns out that the source had signed. */
  | { readonly type: 'signed'; readonly handoff: Bytes }
  /** On the way back it turns out that the target has taken the hand-off: there is only the way forward. */
  | { readonly type: 'taken' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'fail'; readonly reason: string }
  | { readonly type: 'roll-back'; readonly reason: string }
  /** The source is on its own again, and the target does not answer: what it has is left there, to be given up when it does. */
  | { readonly type: 'give-up' }

/**
 * The whole machine: what a move is after something has happened to it. Pure. What is to be done is `next` of what it
 * gives; the driver writes that down before it does it. Throws `MIGRATION_COMPLETE`, `MIGRATION_TARGET_ADVANCED` and
 * `MIGRATION_STATE` for what cannot happen to a move in this state.
 */
export function reduceMove(state: MoveState, input: MoveInput): MoveState {
  switch (input.type) {
    case 'done':
      return finishStep(state, input.effect, input.outcome)
    case 'changed':
      if (state.phase !== 'quiesced') throw impossible(state, 'change')
      return { ...state, next: 'copy-rest', frozen: null, ready: null }
    case 'overran':
      if (state.phase !== 'quiesced') throw impossible(state, 'take too long')
      return { ...state, phase: 'catching-up', next: 'catch-up', frozen: null, ready: null }
    case 'declined':
      if (state.phase !== 'handoff-signed') throw impossible(state, 'be declined')
      return { ...rollingBack(state, 'the target declined the hand-off'), next: 'reopen', decline: input.decline }
    case 'signed':
      if (state.phase !== 'rolling-back') throw impossible(state, 'have been signed')
      return { ...state, next: 'decline', handoff: input.handoff }
    case 'taken':
      if (state.phase !== 'rolling-back' || state.handoff === null) throw impossible(state, 'have been taken')
      return { ...state, phase: 'handoff-signed', next: 'activate', reason: null }
    case 'pause':
      if (state.phase === 'paused') return state
      if (!canPause(state)) throw impossible(state, 'pause')
      return { ...state, phase: 'paused' }
    case 'resume':
      if (state.phase === 'paused') return { ...state, phase: phaseOf(state) }
      // What did not verify is sent again, as far as it is missing.
      if (state.phase === 'failed') return { ...state, phase: 'transferring', next: 'copy', reason: null }
      return state
    case 'fail':
      if (!VERIFIES.has(state.phase)) throw impossible(state, 'fail')
      return { ...state, phase: 'failed', reason: input.reason }
    case 'roll-back':
      return rollBack(state, input.reason)
    case 'give-up':
      if (!isGivenBack(state)) throw impossible(state, 'be given up')
      return { ...state, phase: 'rolled-back' }
  }
}

/** While the source takes changes. From `quiesce` on nobody writes, and a move that stopped there would keep it so. */
function canPause(state: MoveState): boolean {
  return state.phase !== 'failed' && stepsOf(state) === STEPS && !holdsSource(state)
}

const QUIESCE = STEPS.findIndex(({ effect }) => effect === 'quiesce')

/** Whether the source is closed for a move, or about to be: from `quiesce` on, and neither where it has stopped nor on its way back. */
export function holdsSource(state: MoveState): boolean {
  const { phase, next } = state
  if (phase === 'paused' || phase === 'failed' || stepsOf(state) !== STEPS) return false
  return next === null || STEPS.findIndex(({ effect }) => effect === next) >= QUIESCE
}

/** Whether the source has still to be closed for a move, which begins with being asked for once more. */
export function isToBeQuiesced(state: MoveState): boolean {
  const { next } = state
  if (next === null || stepsOf(state) !== STEPS) return false
  return STEPS.findIndex(({ effect }) => effect === next) <= QUIESCE
}

/** The phase of the step that comes next. */
function phaseOf(state: MoveState): MovePhase {
  return stepsOf(state).find(({ effect }) => effect === state.next)?.phase ?? state.phase
}

/** The steps of the way that a move is on, in their order. */
export function stepsOf({ phase, handoff, next }: Pick<MoveState, 'phase' | 'handoff' | 'next'>): readonly MoveStep[] {
  if (phase !== 'rolling-back' && phase !== 'rolled-back') return STEPS
  // The source has gone on without the target: given up, or made active by its identity.
  const wentOn = phase === 'rolled-back' && next !== null
  return handoff === null || wentOn ? ROLLBACK_STEPS : DECLINED_STEPS
}

function finishStep(state: MoveState, effect: EffectName, outcome: Outcome): MoveState {
  if (state.next !== effect) throw impossible(state, `have done "${effect}"`)
  const steps = stepsOf(state)
  const following = steps[steps.findIndex((step) => step.effect === effect) + 1]
  const ended = { phase: steps === STEPS ? 'complete' : 'rolled-back', next: null } as const
  const after = following === undefined ? ended : { phase: following.phase, next: following.effect }
  return { ...state, ...outcome, ...after }
}

/** Whether nothing is left of the way back but what the target gives up: the source never signed, so it needs no word of it. */
function isGivenBack({ phase, next, handoff }: MoveState): boolean {
  return phase === 'rolling-back' && next === 'decline' && handoff === null
}

/** By phase, in the seed's words (M092–M096). */
function rollBack(state: MoveState, reason: string): MoveState {
  const { phase, migration } = state
  if (phase === 'rolling-back' || phase === 'rolled-back') return state
  if (phase === 'complete') {
    throw new VaultError<MigrationErrorCode>({
      code: 'MIGRATION_COMPLETE',
      message: `Cannot rollback completed migration: ${migration}. The way back is a migration from its target: "vault-migrate run --back" between folders, "vault-migrate rollback --bring-newer" between servers.`,
      details: { migration },
    })
  }
  if (phase === 'activated') {
    throw new VaultError<MigrationErrorCode>({
      code: 'MIGRATION_TARGET_ADVANCED',
      message: `The target is the active place since the hand-off, and may have taken changes that the source does not have. Resume ${migration} to its end; the way back is a migration from its target, which brings them along: "vault-migrate run --back". Where the target is gone for good, "vault-migrate recover --taken" makes the source active again, without those changes.`,
      details: { migration },
    })
  }
  return rollingBack(state, reason)
}

function rollingBack(state: MoveState, reason: string): MoveState {
  return { ...state, phase: 'rolling-back', next: state.handoff === null ? 'reopen' : 'decline', reason }
}

function impossible({ migration, phase, next }: MoveState, what: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_STATE',
    message: `The migration ${migration} cannot ${what}: it is ${phase}${next === null ? '' : `, and "${next}" comes next`}.`,
    details: { migration, phase, next },
  })
}
