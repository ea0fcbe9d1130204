import type { AbortOptions, Clock, ContentId, Random } from '@vault/core'
import type { MigrationEvent } from '../event.ts'
import type { Mandate } from '../permission.ts'
import type { Plan } from '../plan.ts'
import type { Outcome } from './machine.ts'
import type { MoveSource, MoveTarget, ProvingTarget, Routing } from './move-endpoint.ts'
import type { MoveState } from './state.ts'

/** The parts of a move: two places, leave to use them, and who leads clients to the new one. */
export interface MoveParts extends Mandate {
  readonly source: MoveSource
  readonly target: MoveTarget | ProvingTarget
  readonly routing?: Routing
  readonly random?: Random
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
  /** This run's number: see `Journal`. */
  readonly driver: number
  readonly options: AbortOptions
}

/** A step: gives what is to be kept. Doing it again after a crash does no harm. */
export type Act = (work: Work) => Promise<Outcome>

/** A step that takes long: tells how it goes on. */
export type Effect = (work: Work) => AsyncGenerator<MigrationEvent, Outcome>
