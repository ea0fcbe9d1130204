import type { Finding, KeyId } from '@vault/core'
import type { Progress, Share } from '../event.ts'
import type { EffectName, MoveStep } from '../move/effect.ts'
import { ROLLBACK_STEPS, STEPS } from '../move/effect.ts'
import type { LiveRound } from '../move/live/converge.ts'
import type { LiveRecord } from '../move/live/live-record.ts'
import type { LiveTerms, SettledTerms } from '../move/live/live-terms.ts'
import { settleTerms } from '../move/live/live-terms.ts'
import type { MoveApprovals, MoveStatus, StepStatus } from '../move/move-status.ts'
import { MOVE_PHASES } from '../move/phase.ts'
import type { MoveState } from '../move/state.ts'
import type { ToldEvent } from '../move/told-event.ts'
import type { MigrationReason } from '../plan.ts'
import { MIGRATION_REASONS } from '../plan.ts'
import type { Field } from '../records/field.ts'
import { count, exactly, FieldFault, id, key, list, map, nullable, text } from '../records/field.ts'
import { statementField } from '../records/statement-field.ts'
import type { AbsenceEvent } from './absence.ts'
import { bool, document, migration, moveState, shape, takenBackState, word } from './wire-field.ts'

/** How a place is to move a vault of its own to another one. */
export interface MoveRequest {
  /** Where to: an address that the operator of the asked place has named, with its key; or the key alone, of a place that offers connections itself. */
  readonly to: { readonly url?: string; readonly key: KeyId }
  readonly live: LiveTerms | null
  readonly reread: boolean
  readonly allowBroken: readonly string[]
  readonly bytesPerSecond: number | null
  /** Why, for the plan and the audit trail. One that goes on has the reason with which it began. */
  readonly reason?: MigrationReason
  /** Milliseconds for which the other place may be away. Default: a minute; at most an hour. */
  readonly patience?: number
}

/** What is asked of a move that is only planned. */
export type PlanRequest = Pick<MoveRequest, 'to' | 'reason'>

/** How a place is to take a move back that left from there. */
export interface TakeBackRequest {
  /** Where it was moving to. */
  readonly to: MoveRequest['to']
  /** Which one; `null`: the one that has not ended, or else the latest. */
  readonly migration: string | null
  /** Why, for the audit trail. */
  readonly reason: string | null
  /** The other place is gone: it is not asked. Only before the hand-off is signed. */
  readonly withoutTarget?: boolean
  /** As of a move. */
  readonly patience?: number
}

const amount: Field<number> = (value, name) => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new FieldFault(name, 'is no amount')
  return value
}

const TERMS: { readonly [Term in keyof SettledTerms]: Field<SettledTerms[Term]> } = {
  maxPauseMs: count,
  goalPauseMs: count,
  threshold: count,
  maxRounds: count,
  diverging: word('throttle', 'raise', 'abort'),
}

const liveTerms: Field<LiveTerms> = (value, name) => {
  const terms = shape<LiveTerms>({}, TERMS)(value, name)
  try {
    settleTerms(terms)
  } catch (cause) {
    throw new FieldFault(name, 'are no terms of a live move', cause)
  }
  return terms
}

const positive: Field<number> = (value, name) => {
  const number = count(value, name)
  if (number === 0) throw new FieldFault(name, 'is 0')
  return number
}

const destination: Field<MoveRequest['to']> = shape<MoveRequest['to']>({ key }, { url: text(2_048) })
const reason: Field<MigrationReason> = word(...MIGRATION_REASONS)

/** Of a move that is only planned. */
export const planRequest: Field<PlanRequest> = shape<PlanRequest>({ to: destination }, { reason })

const optional = { patience: positive }

export const moveRequest: Field<MoveRequest> = shape<MoveRequest>(
  {
    to: destination,
    live: nullable(liveTerms),
    reread: bool,
    allowBroken: list(id, 4_096),
    bytesPerSecond: nullable(positive),
  },
  { reason, ...optional },
)

export const takeBackRequest: Field<TakeBackRequest> = shape<TakeBackRequest>(
  { to: destination, migration: nullable(migration), reason: nullable(text(1_024)) },
  { withoutTarget: bool, ...optional },
)

/** What a step of a move is called. */
export const effect: Field<EffectName> = word(...[...STEPS, ...ROLLBACK_STEPS].map((step) => step.effect))
export const movePhase: Field<MoveStatus['phase']> = word(...MOVE_PHASES)

const words: Field<string> = text(4_096)
/** A time as `Date` writes it: it is shown, and must be one. */
const instant: Field<string> = (value, name) => {
  const written = text(32)(value, name)
  if (Number.isNaN(Date.parse(written))) throw new FieldFault(name, 'is no time')
  return written
}
const step = { effect, phase: movePhase, kind: word('required', 'cleanup'), title: words }

const approvals: Field<MoveApprovals> = map<MoveApprovals>({
  plan: id,
  needed: nullable(count),
  given: count,
  by: list(map<MoveApprovals['by'][number]>({ approver: key, expires: count }), 1_024),
})

export const moveStatuses: Field<readonly MoveStatus[]> = list(
  shape<MoveStatus>(
    {
      migration_id: migration,
      kind: word('full', 'partial'),
      phase: movePhase,
      source: words,
      target: words,
      objects: count,
      bytes: count,
      eta_seconds: nullable(amount),
      steps: list(map<StepStatus>({ ...step, status: word('done', 'next', 'open') }), 64),
      reason: nullable(words),
    },
    { approvals, identity_stays: list(key, 1_024), operators_stays: list(key, 1_024) },
  ),
  4_096,
)

const share: Field<Share> = shape<Share>({ done: count }, { total: count })
const migrationPhase = word('snapshot', 'transfer', 'verify', 'complete')
const progress: Field<Progress> = map<Progress>({ phase: migrationPhase, round: count, objects: share, bytes: share })

/** Longer ones are for the log of the place that says them. */
const message = text(16_384)
const finding: Field<Finding> = shape<Finding>({ code: text(64), message }, { subject: message })

const round: Field<LiveRound> = map<LiveRound>({
  dirty: count,
  left: count,
  ms: amount,
  changes: count,
  changesLeft: count,
  estimateMs: amount,
  throttleMs: amount,
  goalMs: amount,
  walked: bool,
})

/** What a place has kept of a live move of its own. */
export const liveRecord: Field<LiveRecord> = map<LiveRecord>({
  type: word('migration-live'),
  v: exactly(1),
  terms: map<SettledTerms>(TERMS),
  cursor: nullable(count),
  rounds: list(round, 1_000),
  quiescedAt: nullable(amount),
  pauseMs: nullable(amount),
  longestPauseMs: amount,
  excessMs: amount,
  overruns: count,
})

/** The state of a move that has ended well. */
const endState: Field<MoveState> = (value, name) => {
  const state = moveState(value, name)
  if (state.phase !== 'complete') throw new FieldFault(`${name}.phase`, 'is not complete')
  document(state.certificate, `${name}.certificate`)
  nullable(words)(state.reason, `${name}.reason`)
  return state
}

/** What happens in a move that another place makes: what is told of any, and that the place it goes to is away from there, and back. */
export type DistantEvent = ToldEvent | AbsenceEvent

/** What a place says while it moves a vault, or takes that back; `working`: that it still does. */
export type MoveSaying = DistantEvent | { readonly type: 'working' }

type Forms = { readonly [Type in MoveSaying['type']]: Field<Omit<Extract<MoveSaying, { type: Type }>, 'type'>> }

const FORMS: Omit<Forms, 'moved'> = {
  working: map({}),
  away: map({ url: text(2_048), until: instant }),
  back: map({ url: text(2_048), ms: count }),
  phase: map({ phase: migrationPhase }),
  statement: map({ statement: statementField }),
  batch: map({
    kind: word('objects', 'entries', 'entries-removed', 'objects-removed'),
    count,
    progress,
  }),
  checked: map({ progress }),
  repaired: map({ count }),
  finding: map({ finding }),
  step: map({ step: map<MoveStep>(step), phase: movePhase }),
  round: map({ round }),
}

/** What a place says while it moves a vault. The last saying is that it has moved. */
export const moveSaying: Field<MoveSaying> = sayingThatEnds(endState)
/** What a place says while it takes a move back. The last saying is that it is taken back. */
export const takeBackSaying: Field<MoveSaying> = sayingThatEnds(takenBackState)

function sayingThatEnds(state: Field<MoveState>): Field<MoveSaying> {
  const forms: Forms = { ...FORMS, moved: map({ state }) }
  return (value, name) => {
    const { type, ...rest } = value as { readonly type?: unknown }
    if (typeof type !== 'string' || !Object.hasOwn(forms, type)) throw new FieldFault(`${name}.type`, 'is unknown')
    return { type, ...forms[type as MoveSaying['type']](rest, name) } as MoveSaying
  }
}
