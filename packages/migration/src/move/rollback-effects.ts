import { isVaultError } from '@vault/core'
import { rolledBackNote } from './audit-note.ts'
import { steer } from './live/steer.ts'
import type { Outcome } from './machine.ts'
import type { Act, SourceWork } from './work.ts'

/** The target gives up what it received; what was there before is again as it was (M094). First the trail is told what went there. */
export const decline: Act = async (work) => {
  const { state, parts, options } = work
  const { vault, migration } = state
  // A target whose numbers are no good, or a trail that cannot go on, must not keep a migration from being given up.
  await work.batches.catchUp(work).catch((error: unknown) => {
    if (!isVaultError(error)) throw error
  })
  return { decline: await parts.target.decline({ vault, migration }, options) }
}

/** The source takes changes again (M095). */
export async function reopen(work: SourceWork): Promise<Outcome> {
  const { state, parts, options } = work
  await steer(work, { delayMs: 0, waitMs: 0 })
  await parts.source.reopen(state.migration, state.decline ?? undefined, options)
  return {}
}

/** Its trail says that it was rolled back. */
export async function recordRollback({ plan, state, parts, options }: SourceWork): Promise<Outcome> {
  const { migration, since } = state
  // Another migration may have taken the vault away, and its trail with it.
  if ((await parts.source.soup.tenure(options)).state !== 'active') return {}
  await parts.source.tell([rolledBackNote(plan, state)], { migration, since }, options)
  return {}
}
