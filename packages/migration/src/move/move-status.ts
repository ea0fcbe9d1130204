import type { ContentId, KeyId } from '@vault/core'
import type { Mark } from '../pace.ts'
import { secondsLeft } from '../pace.ts'
import { decodePlan } from '../parse-plan.ts'
import type { Plan } from '../plan.ts'
import { planId } from '../plan.ts'
import type { MigrationCheckpoint } from '../records/checkpoint.ts'
import type { MoveStep } from './effect.ts'
import { isToBeQuiesced, stepsOf } from './machine.ts'
import type { MovePhase } from './phase.ts'
import type { MoveState } from './state.ts'

/** A step of a move, and whether it has been done. */
export interface StepStatus extends MoveStep {
  readonly status: 'done' | 'next' | 'open'
}

/** A move as people are told of it, from its record alone. */
export interface MoveStatus {
  readonly migration_id: string
  readonly kind: Plan['kind']
  readonly phase: MovePhase
  readonly source: string
  readonly target: string
  /** Sent and durable at the target: at least so many. */
  readonly objects: number
  readonly bytes: number
  /** For what was left to send at the latest checkpoint, as fast as the run has sent; `null` where that is not known, or nothing is left to send. */
  readonly eta_seconds: number | null
  readonly steps: readonly StepStatus[]
  readonly reason: string | null
  /** Keys of the identity whose files lie at the source and stay there when the vault has moved; left out where there are none. */
  readonly identity_stays?: readonly KeyId[]
  /** The same of operators. */
  readonly operators_stays?: readonly KeyId[]
  /** Of a move that asks for approvals before a step that is still to come; left out where nobody has to approve it. */
  readonly approvals?: MoveApprovals
}

/** How far the plan of a move is approved as the mandate of its vault asks. */
export interface MoveApprovals {
  /** What is approved. */
  readonly plan: ContentId
  /** So many different people have to approve it; `null`: the mandate cannot be read, and nothing is enough. */
  readonly needed: number | null
  /** So many have, as it counts now. Who goes on with the move must be none of them. */
  readonly given: number
  /** The keys of those, two of one person both. `expires`: seconds since 1970, before which the step must begin. */
  readonly by: readonly { readonly approver: KeyId; readonly expires: number }[]
}

/** The plan for which a move asks for approvals before its next step, or one behind it; `undefined` where it does not any more. */
export function planToApprove(state: MoveState): ContentId | undefined {
  return isToBeQuiesced(state) ? planId(decodePlan(state.plan)) : undefined
}

/** Describes a move. `checkpoint`: the latest one of it, where there is one. `pace`: what `readMovePace` gives. */
export function moveStatus(state: MoveState, checkpoint?: MigrationCheckpoint, pace: readonly Mark[] = []): MoveStatus {
  const { kind, source, target, handoff } = decodePlan(state.plan)
  const steps = stepsOf(state)
  const reached = state.next === null ? steps.length : steps.findIndex(({ effect }) => effect === state.next)
  const transferred = checkpoint?.transferred ?? { objects: 0, bytes: 0 }
  return {
    migration_id: state.migration,
    kind,
    phase: state.phase,
    source: source.label,
    target: target.label,
    objects: Math.max(state.sent.objects, transferred.objects),
    bytes: Math.max(state.sent.bytes, transferred.bytes),
    eta_seconds: remainingSeconds(state, checkpoint, pace),
    steps: steps.map((step, i) => ({ ...step, status: i < reached ? 'done' : i === reached ? 'next' : 'open' })),
    reason: state.reason,
    ...(handoff?.identity_stays && { identity_stays: handoff.identity_stays }),
    ...(handoff?.operators_stays && { operators_stays: handoff.operators_stays }),
  }
}

function remainingSeconds(
  { phase }: MoveState,
  checkpoint: MigrationCheckpoint | undefined,
  pace: readonly Mark[],
): number | null {
  if (checkpoint === undefined || (phase !== 'transferring' && phase !== 'paused')) return null
  const seconds = secondsLeft(pace, checkpoint.remaining)
  return seconds === null ? null : Math.ceil(seconds)
}
