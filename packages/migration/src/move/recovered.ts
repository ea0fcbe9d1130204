import { isVaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import { forked } from '../forked.ts'
import type { Journal } from './journal.ts'
import type { MoveInput } from './machine.ts'
import { VERIFIES } from './machine.ts'
import type { Work } from './work.ts'

/** What a failure says about where the move is; a failure that says nothing is thrown, and the step is done again by a resume. */
export async function recovered(journal: Journal, work: Work, error: unknown): Promise<MoveInput> {
  const { state, parts, options } = work
  if (!isVaultError(error)) throw error
  switch (error.code as MigrationErrorCode) {
    case 'MIGRATION_VERIFICATION_FAILED':
      if (!VERIFIES.has(state.phase)) throw error
      if (state.phase === 'quiesced') await openOwn(journal, work)
      return { type: 'fail', reason: error.message }
    case 'MIGRATION_CHANGED':
      if (state.phase !== 'quiesced') throw error
      return { type: 'changed' }
    case 'MIGRATION_PAUSE_EXCEEDED':
      if (state.phase !== 'quiesced') throw error
      return await overran(journal, work)
    case 'MIGRATION_DECLINED': {
      if (state.phase !== 'handoff-signed') throw error
      const { vault, migration } = state
      return { type: 'declined', decline: await parts.target.decline({ vault, migration }, options) }
    }
    case 'MIGRATION_HANDED_OFF': {
      const handoff = await parts.source.signedHandoff(state.migration, options)
      if (state.phase !== 'rolling-back' || state.handoff !== null || handoff === undefined) throw error
      return { type: 'signed', handoff }
    }
    case 'MIGRATION_TARGET_ADVANCED':
      // The vault has been handed on from there: what was to be made known is history.
      if (state.next === 'conclude') return { type: 'done', effect: 'conclude', outcome: {} }
      // The source went on without the target, and that has taken the vault after all: what it has is nothing to be given up.
      if (state.phase === 'rolled-back') {
        throw forked(state.vault, parts.target.label, { migration: state.migration, cause: error })
      }
      if (state.phase !== 'rolling-back' || state.handoff === null) throw error
      return { type: 'taken' }
    default:
      throw error
  }
}

/** A pause is given up, unless the hand-off was signed while it was: that cannot be taken back here. */
async function overran(journal: Journal, work: Work): Promise<MoveInput> {
  const { state, parts, options } = work
  const handoff = await parts.source.signedHandoff(state.migration, options)
  if (handoff !== undefined && state.next === 'sign') return { type: 'done', effect: 'sign', outcome: { handoff } }
  await openOwn(journal, work)
  await work.pause.overran(work)
  return { type: 'overran' }
}

/** The source is opened before anything else is tried, so a run that ends here keeps nobody waiting. */
async function openOwn(journal: Journal, { parts, options }: Work): Promise<void> {
  await journal.requireOwn(options)
  await parts.source.reopen(journal.state.migration, undefined, options)
}
