import type { MigrationEvent } from '../event.ts'
import type { MoveStep } from './effect.ts'
import type { MovePhase } from './phase.ts'
import type { MoveState } from './state.ts'
import type { LiveEvent } from './work.ts'

/** What happens in a move, in order. The move waits while an event is looked at; leaving the loop stops it in good state. */
export type MoveEvent =
  | Exclude<MigrationEvent, { type: 'summary' }>
  | LiveEvent
  /** A step that begins. */
  | { readonly type: 'step'; readonly step: MoveStep; readonly phase: MovePhase }
  /** The last event of a move that has ended, or was rolled back. */
  | { readonly type: 'moved'; readonly state: MoveState }
