import type { AbortOptions } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { Journal } from './journal.ts'
import type { MoveInput } from './machine.ts'
import { VERIFIES } from './machine.ts'
import type { MoveParts } from './work.ts'

/** What a failure says about where the move is; a failure that says nothing is thrown, and the step is done again by a resume. */
export async function recovered(
  journal: Journal,
  parts: MoveParts,
  error: unknown,
  options: AbortOptions,
): Promise<MoveInput> {
  const { state } = journal
  if (!isVaultError(error)) throw error
  switch (error.code as MigrationErrorCode) {
    case 'MIGRATION_VERIFICATION_FAILED':
      if (!VERIFIES.has(state.phase)) throw error
      if (state.phase === 'quiesced') await openOwn(journal, parts, options)
      return { type: 'fail', reason: error.message }
    case 'MIGRATION_CHANGED':
      if (state.phase !== 'quiesced') throw error
      return { type: 'changed' }
    case 'MIGRATION_PAUSE_EXCEEDED':
      if (state.phase !== 'quiesced') throw error
      await openOwn(journal, parts, options)
      return { type: 'overran' }
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
      if (state.phase !== 'rolling-back' || state.handoff === null) throw error
      return { type: 'taken' }
    default:
      throw error
  }
}

/** The source is opened before anything else is tried, so a run that ends here keeps nobody waiting. */
async function openOwn(journal: Journal, { source }: MoveParts, options: AbortOptions): Promise<void> {
  await journal.requireOwn(options)
  await source.reopen(journal.state.migration, undefined, options)
}
