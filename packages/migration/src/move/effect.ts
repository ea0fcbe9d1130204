import type { MovePhase } from './phase.ts'

/** What is done in a step of a move. Each can be done again after a crash in it or behind it. */
export type EffectName =
  | 'accept'
  | 'endorse'
  | 'announce'
  | 'snapshot'
  | 'copy'
  | 'verify'
  | 'catch-up'
  | 'quiesce'
  | 'copy-rest'
  | 'account'
  | 'freeze'
  | 'move-trail'
  | 'prepare'
  | 'sign'
  | 'activate'
  | 'route'
  | 'conclude'
  | 'decline'
  | 'reopen'
  | 'record-rollback'

/** A step of a move, as people are told of it. */
export interface MoveStep {
  readonly effect: EffectName
  /** The phase in which it is done. */
  readonly phase: MovePhase
  /** `required`: without it there is no move, or no active place. `cleanup`: the move is made, and this makes it known. */
  readonly kind: 'required' | 'cleanup'
  readonly title: string
}

/** Forward, in their order. */
export const STEPS: readonly MoveStep[] = [
  { effect: 'accept', phase: 'planned', kind: 'required', title: 'the target accepts the vault and names its keys' },
  {
    effect: 'endorse',
    phase: 'planned',
    kind: 'required',
    title: 'the old identity and the new keys sign the key event',
  },
  { effect: 'announce', phase: 'authorized', kind: 'required', title: 'the audit trail says what begins' },
  { effect: 'snapshot', phase: 'snapshotting', kind: 'required', title: 'the source is stated' },
  { effect: 'copy', phase: 'transferring', kind: 'required', title: 'objects and entries are sent' },
  { effect: 'verify', phase: 'verifying', kind: 'required', title: 'everything is read back and hashed' },
  { effect: 'catch-up', phase: 'catching-up', kind: 'required', title: 'what changed meanwhile is sent' },
  { effect: 'quiesce', phase: 'catching-up', kind: 'required', title: 'the source stops taking changes' },
  { effect: 'copy-rest', phase: 'quiesced', kind: 'required', title: 'the last changes are sent and read back' },
  { effect: 'account', phase: 'quiesced', kind: 'required', title: 'the audit trail says which keys come' },
  { effect: 'freeze', phase: 'quiesced', kind: 'required', title: 'the audit trail of the source ends' },
  { effect: 'move-trail', phase: 'quiesced', kind: 'required', title: 'the audit trail is sent and verified' },
  { effect: 'prepare', phase: 'quiesced', kind: 'required', title: 'the target says what it holds' },
  { effect: 'sign', phase: 'quiesced', kind: 'required', title: 'the source gives the vault away' },
  { effect: 'activate', phase: 'handoff-signed', kind: 'required', title: 'the target takes it' },
  { effect: 'route', phase: 'activated', kind: 'cleanup', title: 'clients are led to the target' },
  { effect: 'conclude', phase: 'activated', kind: 'cleanup', title: 'the certificate is made' },
]

const DECLINE: MoveStep = {
  effect: 'decline',
  phase: 'rolling-back',
  kind: 'required',
  title: 'the target gives up what it received',
}
const REOPEN: MoveStep = {
  effect: 'reopen',
  phase: 'rolling-back',
  kind: 'required',
  title: 'the source takes changes again',
}
const RECORD: MoveStep = {
  effect: 'record-rollback',
  phase: 'rolling-back',
  kind: 'cleanup',
  title: 'the audit trail says that it was rolled back',
}

/** Back, while the source has not given the vault away: it needs nobody's leave to take changes again. */
export const ROLLBACK_STEPS: readonly MoveStep[] = [REOPEN, RECORD, { ...DECLINE, kind: 'cleanup' }]

/** Back, after the hand-off was signed: only with the word of the target that it will never take it. */
export const DECLINED_STEPS: readonly MoveStep[] = [DECLINE, REOPEN, RECORD]
