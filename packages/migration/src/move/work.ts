import type { AbortOptions, Clock, ContentId, Random } from '@vault/core'
import type { MigrationEvent } from '../event.ts'
import type { Mandate } from '../permission.ts'
import type { Plan } from '../plan.ts'
import type { BatchLog } from './batch-log.ts'
import type { MoveStep } from './effect.ts'
import type { LiveRound } from './live/converge.ts'
import type { LiveTerms } from './live/live-terms.ts'
import type { PauseTime } from './live/pause-time.ts'
import type { Outcome } from './machine.ts'
import type { JudgingTarget, MoveSource, MoveTarget, ProvingTarget, Routing } from './move-endpoint.ts'
import type { MoveState } from './state.ts'

/** The parts of a move: two places, leave to use them, and who leads clients to the new one. */
export interface MoveParts extends Mandate {
  readonly source: MoveSource
  readonly target: MoveTarget | ProvingTarget | JudgingTarget
  readonly routing?: Routing
  readonly random?: Random
  /** Reads everything back from a target that could prove by itself that it has it. Default: what is proven is not read back. */
  readonly reread?: boolean
  /**
   * Others write the vault while it moves: what the move may ask of them. Kept with the move, so whoever resumes it need not give it
   * again, and may give other terms. Default: the rest is sent while the vault is quiesced, however long that takes.
   */
  readonly live?: LiveTerms
  /**
   * Asked before each step, by whoever guards one: what it throws stops the move before that step and is thrown on. A resume asks
   * anew.
   */
  readonly before?: (step: MoveStep, state: MoveState) => Promise<void>
  /** Where clients reach the target: told to those who write at the source, nobody else. */
  readonly address?: string
  /** Milliseconds of a clock that only goes on, by which rounds and the pause are measured. Default: the process's. */
  readonly elapsed?: () => number
  /** Certificates whose chains may break with the keys that follow (M071), by their ids. Default: none. */
  readonly allowBroken?: readonly string[]
  /** What the audit trail calls whoever asked for the migration. Default: `owner`. */
  readonly operator?: string
}

/** What a step of a move works with. */
export interface Work {
  readonly plan: Plan
  readonly planId: ContentId
  readonly state: MoveState
  readonly parts: MoveParts
  readonly random: Random
  readonly clock: Clock
  /** Milliseconds of a clock that only goes on: whatever lasts is measured by it. */
  readonly elapsed: () => number
  /** This run's number: see `Journal`. */
  readonly driver: number
  readonly options: AbortOptions
  readonly batches: BatchLog
  /** Blocks that the trail names and this run has found, or brought, at the target. */
  readonly held: Set<ContentId>
  readonly pause: PauseTime
  /** Throws `MIGRATION_SUPERSEDED` and `MIGRATION_PAUSED`: see `Journal`. */
  requireOwn(): Promise<void>
}

/** What a step that the source does on its own works with: the target may be gone. */
export interface SourceWork extends Pick<Work, 'plan' | 'state' | 'clock' | 'driver' | 'options'> {
  readonly parts: Pick<MoveParts, 'source' | 'address'> & { readonly target: Pick<MoveTarget, 'label' | 'instance'> }
}

/** A step: gives what is to be kept. Doing it again after a crash does no harm. */
export type Act = (work: Work) => Promise<Outcome>

/** What a step tells while it goes on, and what it gives in the end. */
export type StepEvents<T> = AsyncGenerator<MigrationEvent | LiveEvent, T>

/** What a live move tells beside that. */
export type LiveEvent =
  /** A round of catching up has ended. */
  { readonly type: 'round'; readonly round: LiveRound }

/** A step that takes long: tells how it goes on. */
export type Effect = (work: Work) => StepEvents<Outcome>
