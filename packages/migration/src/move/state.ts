import type { Bytes, ContentId } from '@vault/core'
import type { Statement } from '@vault/transfer'
import type { Sent } from '../event.ts'
import type { Checked, Coverage } from '../report.ts'
import type { EffectName } from './effect.ts'
import type { LogEnd } from './move-endpoint.ts'
import type { MovePhase } from './phase.ts'

/**
 * All that is known of a move between two of its steps: what the journal keeps, and what any process goes on from. The
 * type is the format: `formats/migration-records.md`. Documents are the bytes of their envelopes.
 */
export interface MoveState {
  readonly type: 'migration-state'
  readonly v: 1
  readonly migration: string
  readonly vault: ContentId
  readonly phase: MovePhase
  /** What is done next; `null`: nothing is left. Written before it is done. */
  readonly next: EffectName | null
  /** The canonical plan. */
  readonly plan: Bytes
  /** Seconds since 1970. */
  readonly planned: number
  /** Size of the source's log before the migration: its own entries come after it. */
  readonly since: number
  readonly acceptance: Bytes | null
  /** The key event that the hand-off will name; signed by everybody. */
  readonly keyEvent: Bytes | null
  /** What the target was last found equal to. */
  readonly statement: Statement | null
  readonly sent: Sent & { readonly rounds: number; readonly batches: number }
  /** Proofs that were asked for and good; a run that was killed leaves out its own. */
  readonly possession: { readonly asked: number; readonly sample: readonly Bytes[] }
  readonly verification: { readonly coverage: Coverage; readonly checked: Checked } | null
  /** The note under which the source's log ends. */
  readonly frozen: LogEnd | null
  readonly ready: Bytes | null
  readonly handoff: Bytes | null
  readonly decline: Bytes | null
  readonly certificate: Bytes | null
  /** Why it failed or was rolled back. */
  readonly reason: string | null
}

const NOTHING_SENT: MoveState['sent'] = {
  objects: 0,
  bytes: 0,
  entries: 0,
  versions: 0,
  objectsRemoved: 0,
  entriesRemoved: 0,
  rounds: 0,
  batches: 0,
}

/** A move before its first step. */
export function plannedMove(start: Pick<MoveState, 'migration' | 'vault' | 'plan' | 'planned' | 'since'>): MoveState {
  return {
    type: 'migration-state',
    v: 1,
    ...start,
    phase: 'planned',
    next: 'accept',
    acceptance: null,
    keyEvent: null,
    statement: null,
    sent: NOTHING_SENT,
    possession: { asked: 0, sample: [] },
    verification: null,
    frozen: null,
    ready: null,
    handoff: null,
    decline: null,
    certificate: null,
    reason: null,
  }
}
