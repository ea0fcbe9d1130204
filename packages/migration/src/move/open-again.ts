import type { AbortOptions } from '@vault/core'
import type { Journal } from './journal.ts'
import { readMove } from './journal.ts'
import { holdsSource, reduceMove } from './machine.ts'
import type { MoveSource } from './move-endpoint.ts'
import type { MoveState } from './state.ts'

/**
 * When a run stops, for whatever reason, before the hand-off is signed: a source that it has closed takes changes again, so nobody waits
 * for somebody to come and resume it. Where another run leads the move, the source stays closed only if that one holds it so: a run
 * that was overtaken on its way to `quiesce` may have closed what nobody would open.
 */
export async function letWritersGoOn(journal: Journal, source: MoveSource): Promise<void> {
  const { phase, next, migration } = journal.state
  if (phase !== 'quiesced' && next !== 'quiesce') return
  try {
    // Without the caller's signal, which may be what has stopped the run.
    const isOwn = await journal.isOwn()
    const now = isOwn ? undefined : await readMove(source.records, migration)
    if (now !== undefined && holdsSource(now)) return
    await source.reopen(migration, undefined)
    if (isOwn && phase === 'quiesced') await journal.write(reduceMove(journal.state, { type: 'overran' }))
  } catch {
    // What has stopped the run is what is said. Where the source stays closed, a resume or a rollback opens it.
  }
}

/** Whether the source of a move was opened while it was quiesced, and the run died before it wrote that down: it has to catch up again. */
export async function wasOpened({ phase }: MoveState, source: MoveSource, options: AbortOptions): Promise<boolean> {
  return phase === 'quiesced' && (await source.soup.tenure(options)).state === 'active'
}

/** Opens a source that is closed for a move which does not hold it so: whoever closed it was overtaken, and died. */
export async function openStray(state: MoveState, source: MoveSource, options: AbortOptions): Promise<void> {
  if (holdsSource(state)) return
  const tenure = await source.soup.tenure(options)
  if (tenure.state !== 'quiesced' || tenure.migration !== state.migration) return
  await source.reopen(state.migration, undefined, options)
}
