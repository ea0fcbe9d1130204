import type { Finding } from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { DifferenceStep, Statement } from '@vault/transfer'
import type { Report } from './report.ts'

/** The seed's phases (M010–M012) and their end. */
export type MigrationPhase = 'snapshot' | 'transfer' | 'verify' | 'complete'

/** An amount that grows to a total, where that is known before. */
export interface Share {
  readonly done: number
  readonly total?: number
}

/** How far a phase is. In `transfer`, `done` is what the target holds: an estimate until the end of the round. */
export interface Progress {
  readonly phase: MigrationPhase
  /** From 1; each is one pass over the differences. */
  readonly round: number
  readonly objects: Share
  readonly bytes: Share
}

/** What a run wrote at the target. */
export interface Sent {
  readonly objects: number
  readonly bytes: number
  readonly entries: number
  readonly versions: number
  readonly objectsRemoved: number
  readonly entriesRemoved: number
}

/** What a run ends with. */
export interface Summary {
  readonly migration_id: string
  readonly phase: 'complete'
  /** What the source was, and the target is. */
  readonly statement: Statement
  readonly rounds: number
  readonly sent: Sent
  readonly verification: Report
  /** What the vault that was written is at the target. */
  readonly tenure: Tenure
}

/** What happens in a run, in order. The run waits while an event is looked at; leaving the loop stops it in good state. */
export type MigrationEvent =
  | { readonly type: 'phase'; readonly phase: MigrationPhase }
  /** The source, as it is at the beginning of a round. */
  | { readonly type: 'statement'; readonly statement: Statement }
  /** Durable and under charge at the target. */
  | { readonly type: 'batch'; readonly batch: DifferenceStep; readonly progress: Progress }
  | { readonly type: 'checked'; readonly progress: Progress }
  /** Objects that did not read back and have been sent again. */
  | { readonly type: 'repaired'; readonly ids: readonly string[] }
  | { readonly type: 'finding'; readonly finding: Finding }
  | { readonly type: 'summary'; readonly summary: Summary }
