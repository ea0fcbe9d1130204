/** The phases of a migration that ends in a hand-off. */
export type MovePhase =
  /** Decided, and nothing written at the target. */
  | 'planned'
  /** The target has accepted, and the keys that it will use are named. */
  | 'authorized'
  | 'snapshotting'
  | 'transferring'
  /** Stopped in good state on request; resuming goes on. */
  | 'paused'
  | 'verifying'
  /** What changed since is sent while the source still takes changes. */
  | 'catching-up'
  /** The source takes no changes, and may take them again. */
  | 'quiesced'
  /** The source has given the vault away: only the target can be active, or decline. */
  | 'handoff-signed'
  /** The target is the active place. */
  | 'activated'
  | 'complete'
  | 'rolling-back'
  | 'rolled-back'
  /** The target did not verify. It can be resumed, which sends what is missing, or rolled back. */
  | 'failed'

export const MOVE_PHASES: readonly MovePhase[] = [
  'planned',
  'authorized',
  'snapshotting',
  'transferring',
  'paused',
  'verifying',
  'catching-up',
  'quiesced',
  'handoff-signed',
  'activated',
  'complete',
  'rolling-back',
  'rolled-back',
  'failed',
]

/** The three phases that the seed's rollback knows (M092–M096). */
export type SeedPhase = 'transfer' | 'cutover' | 'complete'

const CUTOVER: ReadonlySet<MovePhase> = new Set(['quiesced', 'handoff-signed', 'activated'])

/** The seed's name of a phase, X08: everything before the source is quiesced rolls back as its `transfer` does. */
export function seedPhase(phase: MovePhase): SeedPhase {
  if (phase === 'complete') return 'complete'
  return CUTOVER.has(phase) ? 'cutover' : 'transfer'
}

/** Nothing is left to do. */
export function isEnded(phase: MovePhase): boolean {
  return phase === 'complete' || phase === 'rolled-back'
}
