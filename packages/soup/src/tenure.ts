import type { Counts, ExpectedTenure, Tenure, TenureState } from './soup.ts'
import { soupError } from './soup-error.ts'

/**
 * Where a tenure may go. A place that gives up receiving goes back to what it was: `retired`, `replica` or `none`; to
 * `replica` goes what was received whole, too.
 * `active` to `active` keeps new key events; `retired` to `active` is a hand-off that the other side declined.
 */
const MOVES: Readonly<Record<TenureState, readonly TenureState[]>> = {
  none: ['active', 'receiving'],
  receiving: ['receiving', 'prepared', 'replica', 'retired', 'none'],
  prepared: ['active', 'receiving', 'replica', 'retired', 'none'],
  active: ['active', 'quiesced', 'none'],
  quiesced: ['active', 'retired'],
  retired: ['receiving', 'active', 'none'],
  replica: ['receiving', 'none'],
}

/** What a transition asks for. */
export type TenureMove = Pick<Tenure, 'state' | 'epoch' | 'migration'>

/**
 * The one rule of how tenures move, for every store: what the tenure is after the move. Throws `SOUP_TENURE`.
 *
 * `from` must be what the tenure is now. Epochs never go down, and a retired vault is active again only in a higher
 * one, because the hand-off of its own epoch may still be taken up elsewhere. An active vault vanishes only while it
 * is empty: what has content is handed off first. Receiving needs a migration; any other move keeps the one there was
 * where it names none.
 *
 * Receiving remembers what was there before it, so that giving up loses nothing: only what came from nothing vanishes
 * again, and only what was retired, and has not been written since, is retired again.
 */
export function nextTenure(
  current: Tenure,
  from: ExpectedTenure,
  to: TenureMove,
  counts: Pick<Counts, 'objects' | 'entries'>,
): Tenure {
  const refuse = (why: string) =>
    soupError(
      'SOUP_TENURE',
      `Vault ${current.vault} cannot go from ${current.state} (epoch ${current.epoch}) to ${to.state} (epoch ${to.epoch}): ${why}.`,
      { vault: current.vault, state: current.state, epoch: current.epoch, to: to.state },
    )
  const expected = (['state', 'epoch', 'sequence', 'migration'] as const).filter((field) => from[field] !== undefined)
  const other = expected.find((field) => from[field] !== current[field])
  if (other !== undefined) {
    throw refuse(`the move expects the ${other} ${from[other]}, and it is ${current[other]}; read the tenure again`)
  }
  if (!MOVES[current.state].includes(to.state)) throw refuse('there is no such move')
  const { before } = current
  if (before !== undefined && to.state === 'none' && before.state !== 'none') {
    throw refuse(`receiving found a vault here that was ${before.state}; go back to that, or receive to the end`)
  }
  if (
    before !== undefined &&
    to.state === 'retired' &&
    (before.state !== 'retired' || before.sequence !== current.sequence)
  ) {
    throw refuse('it is not what was retired; receive to the end')
  }
  if (to.state === 'none') {
    const empty = counts.objects === 0 && counts.entries === 0
    if (current.state === 'active' && !empty) throw refuse('it has content and is active; hand it off first')
    return noTenure(current.vault)
  }
  if (!Number.isSafeInteger(to.epoch) || to.epoch < current.epoch)
    throw refuse('epochs are integers that never go down')
  if (current.state === 'retired' && to.state === 'active' && to.epoch === current.epoch) {
    throw refuse('after a hand-off it is active again only in a higher epoch')
  }
  if (to.state === 'receiving' && !to.migration) throw refuse('receiving names the migration that writes')
  const goesBack = before !== undefined && to.state === 'retired'
  const migration = to.migration ?? (goesBack ? before : current).migration
  return {
    vault: current.vault,
    state: to.state,
    epoch: to.epoch,
    sequence: current.sequence,
    ...(migration === undefined ? {} : { migration }),
    ...(to.state === 'receiving' || to.state === 'prepared' ? { before: before ?? standingOf(current) } : {}),
  }
}

function standingOf({ state, sequence, migration }: Tenure): NonNullable<Tenure['before']> {
  return { state, sequence, ...(migration === undefined ? {} : { migration }) }
}

/** The tenure of a vault that is not here. */
export function noTenure(vault: Tenure['vault']): Tenure {
  return { vault, state: 'none', epoch: 0, sequence: 0 }
}
