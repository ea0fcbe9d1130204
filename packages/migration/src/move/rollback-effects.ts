import { rolledBackNote } from './audit-note.ts'
import type { Act } from './work.ts'

/** The target gives up what it received; what was there before is again as it was (M094). */
export const decline: Act = async ({ state, parts, options }) => {
  const { vault, migration } = state
  return { decline: await parts.target.decline({ vault, migration }, options) }
}

/** The source takes changes again (M095). */
export const reopen: Act = async ({ state, parts, options }) => {
  await parts.source.reopen(state.migration, state.decline ?? undefined, options)
  return {}
}

export const recordRollback: Act = async ({ plan, state, parts, options }) => {
  const { migration, since } = state
  // Another migration may have taken the vault away, and its trail with it.
  if ((await parts.source.soup.tenure(options)).state !== 'active') return {}
  await parts.source.tell([rolledBackNote(plan, state)], { migration, since }, options)
  return {}
}
