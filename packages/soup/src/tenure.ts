import type { Counts } from './soup.ts'
import { soupError } from './soup-error.ts'
import type { ExpectedTenure, Tenure, TenureMove, TenureState } from './tenures.ts'

/**
 * Where a tenure may go. A place that gives up receiving goes back to what it was: `retired`, `replica` or `none`; to
 * `replica` goes what was received whole, too.
 * `active` to `active` keeps new key events; `active` to `replica` is what was found to be an old copy; `retired` to `active` is
 * a hand-off that the other side declined. Nothing leads out of
 * `ended`.
 */
const MOVES: Readonly<Record<TenureState, readonly TenureState[]>> = {
  none: ['active', 'receiving'],
  receiving: ['receiving', 'prepared', 'replica', 'retired', 'none'],
  prepared: ['active', 'receiving', 'replica', 'retired', 'none'],
  active: ['active', 'quiesced', 'replica', 'ended', 'none'],
  quiesced: ['active', 'retired'],
  retired: ['receiving', 'active', 'none'],
  replica: ['receiving', 'none'],
  ended: [],
}

/** Every state there is. */
export const TENURE_STATES: readonly TenureState[] = Object.keys(MOVES) as TenureState[]

/** What a vault has that a move must not lose. */
export interface Stock extends Pick<Counts, 'objects' | 'entries'> {
  /** Audit events that wait for the log. */
  readonly queued: number
  /** Rows that are remembered as they were before receiving. */
  readonly displaced: number
}

/**
 * The one rule of how tenures move, for every store: what the tenure is after the move. Throws `SOUP_TENURE`.
 *
 * `from` must be what the tenure is now. Epochs never go down; a vault is active in a higher one after it was received,
 * and after it was retired, because the hand-off of its own epoch may still be taken up elsewhere. An active vault
 * vanishes only while it is empty: what has content is handed off first. Receiving and quiescing need a migration; any
 * other move keeps the one there was where it names none.
 *
 * A vault is retired by a document that says where to, in a higher epoch, once its log is whole. A quiesced one that is
 * active again was not handed off, so its epoch stays. So does that of an old copy that becomes a replica: the vault, which is
 * elsewhere in this epoch or a higher one, can be received there.
 *
 * Receiving remembers what was there before it, so that giving up loses nothing: only what came from nothing vanishes
 * again, and what was retired is retired again once all rows are what they were.
 */
export function nextTenure(current: Tenure, from: ExpectedTenure, to: TenureMove, stock: Stock): Tenure {
  for (const rule of RULES) {
    const refusal = rule(current, from, to, stock)
    if (refusal === false) continue
    throw soupError(
      'SOUP_TENURE',
      `Vault ${current.vault} cannot go from ${current.state} (epoch ${current.epoch}) to ${to.state} (epoch ${to.epoch}): ${refusal}.`,
      { vault: current.vault, state: current.state, epoch: current.epoch, to: to.state },
    )
  }
  return to.state === 'none' ? noTenure(current.vault) : moved(current, to)
}

/** Why a move is refused, `false` where it is not. */
type Rule = (current: Tenure, from: ExpectedTenure, to: TenureMove, stock: Stock) => string | false

const EXPECTED = ['state', 'epoch', 'sequence', 'events', 'migration', 'driver'] as const

const isExpected: Rule = (current, from) => {
  const other = EXPECTED.find((field) => from[field] !== undefined && from[field] !== current[field])
  if (other === undefined) return false
  return `the move expects the ${other} ${from[other]}, and it is ${current[other]}; read the tenure again`
}

const isMove: Rule = (current, _from, to) => !MOVES[current.state].includes(to.state) && 'there is no such move'

/** A vault whose content is here alone does not vanish. */
const losesNothing: Rule = (current, _from, to, { objects, entries }) =>
  to.state === 'none' &&
  current.state === 'active' &&
  objects + entries > 0 &&
  'it has content and is active; hand it off first'

/** What was here before receiving must not be lost. */
const goesBack: Rule = ({ before }, _from, to, { displaced }) => {
  if (before === undefined) return false
  if (to.state === 'none' && before.state !== 'none') {
    return `receiving found a vault here that was ${before.state}; go back to that, or receive to the end`
  }
  if (to.state !== 'retired') return false
  if (before.state !== 'retired') return 'it is not what was retired; receive to the end'
  return displaced > 0 && `${displaced} rows are not what they were; restore them first, or receive to the end`
}

/** A vault that leaves takes its epoch with it. */
const raisesEpoch: Rule = (current, _from, to) => {
  if (to.state === 'none') return false
  if (!Number.isSafeInteger(to.epoch) || to.epoch < current.epoch) return 'epochs are integers that never go down'
  const same = to.epoch === current.epoch
  if (current.state === 'quiesced' && to.state === 'active') {
    return !same && 'it was not handed off, so its epoch stays'
  }
  if (stepsBack(current, to)) return !same && 'an old copy knows of no newer epoch, so its epoch stays'
  const handedOff =
    (current.state === 'quiesced' && to.state === 'retired') ||
    (to.state === 'active' && (current.state === 'prepared' || current.state === 'retired'))
  return handedOff && same && 'a hand-off, done or declined, leads into a higher epoch'
}

const namesMigration: Rule = (_current, _from, to) =>
  (to.state === 'receiving' || to.state === 'quiesced') &&
  !to.migration &&
  'receiving and quiescing name the migration for which they are'

const isNotShutOut: Rule = (current, _from, to) => {
  const present = presentDriver(current, to)
  if (to.driver === undefined || present === undefined || to.driver >= present) return false
  return `the driver ${to.driver} is shut out by the driver ${present}`
}

/** To where a move may bring events: of a vault that ends, its last ones. */
const TELLS: ReadonlySet<TenureState> = new Set(['active', 'quiesced', 'ended'])

/** An event has one index for ever, everywhere, and the log grows at one place only. */
const keepsLog: Rule = (current, from, to, { queued }) => {
  const handsOff = current.state === 'quiesced' && to.state === 'retired'
  if (handsOff && to.evidence === undefined) return 'a hand-off has a document'
  if (handsOff && from.events === undefined) return 'a hand-off says how many events the log has'
  if ((to.events?.length ?? 0) > 0 && !TELLS.has(to.state)) {
    return `its log does not go on where it is ${to.state}`
  }
  const goesOn = to.sequence !== undefined || to.log !== undefined
  if (goesOn && (current.state !== 'prepared' || to.state !== 'active')) {
    return 'only what was prepared goes on where another place stopped'
  }
  const size = to.log ?? current.events
  if (size < current.events) return `its log has ${current.events} events already, not ${size}`
  if (queued > 0 && (handsOff || stepsBack(current, to) || size > current.events))
    return `${queued} audit events wait for the log; fill it first`
  return false
}

const RULES: readonly Rule[] = [
  isExpected,
  isMove,
  losesNothing,
  goesBack,
  raisesEpoch,
  namesMigration,
  isNotShutOut,
  keepsLog,
]

/** An active vault that turns out to be an old copy. */
function stepsBack(current: Tenure, to: TenureMove): boolean {
  return current.state === 'active' && to.state === 'replica'
}

/** Another migration counts its own drivers. */
function presentDriver({ migration, driver }: Tenure, to: TenureMove): number | undefined {
  return to.state === 'receiving' && to.migration !== migration ? undefined : driver
}

function moved(current: Tenure, to: TenureMove): Tenure {
  const { before } = current
  const receives = to.state === 'receiving' || to.state === 'prepared'
  const standing = before !== undefined && to.state === 'retired' ? before : current
  const migration = to.migration ?? standing.migration
  const driver = receives ? (to.driver ?? presentDriver(current, to)) : undefined
  return {
    vault: current.vault,
    state: to.state,
    epoch: to.epoch,
    sequence: Math.max(current.sequence, to.sequence ?? 0),
    events: (to.log ?? current.events) + (to.events?.length ?? 0),
    ...(migration === undefined ? {} : { migration }),
    ...(driver === undefined ? {} : { driver }),
    ...(receives ? { before: before ?? standingOf(current) } : {}),
  }
}

function standingOf({ state, sequence, migration }: Tenure): NonNullable<Tenure['before']> {
  return { state, sequence, ...(migration === undefined ? {} : { migration }) }
}

/** The tenure of a vault that is not here. */
export function noTenure(vault: Tenure['vault']): Tenure {
  return { vault, state: 'none', epoch: 0, sequence: 0, events: 0 }
}
