import type { SettledTerms } from './live-terms.ts'

/** A round of catching up. */
export interface LiveRound {
  /** Objects and entries that it dealt with. */
  readonly dirty: number
  /** Objects and entries that had changed again when it ended. */
  readonly left: number
  readonly ms: number
  /** Changes of the source, each of any number of objects and entries: that it dealt with, and that came meanwhile. */
  readonly changes: number
  readonly changesLeft: number
  /** How long the vault would have been quiesced, had it been then. */
  readonly estimateMs: number
  /** For how long writers waited before each change when it ended, and how long the pause was meant to take. */
  readonly throttleMs: number
  readonly goalMs: number
  /** The feed did not reach back far enough, so both sides were compared. */
  readonly walked: boolean
}

/** What comes after a round. */
export type NextRound =
  | { readonly type: 'again' }
  | { readonly type: 'quiesce' }
  | { readonly type: 'throttle'; readonly ms: number }
  | { readonly type: 'raise'; readonly ms: number }
  | { readonly type: 'abort' }

// A round that leaves a tenth less shrinks; two that do not, under the same conditions, will not begin to.
const SHRINKS = 0.9
const PATIENCE = 2
/** A round that takes so long shows by itself how fast others write: three of them could take hours. */
const LONG_MS = 10_000
/** Where writers can be slowed down, they are behind a round that took so long, if more than half as much came as it dealt with. */
const DRAGS_MS = 2_000
const DRAGS = 1 / 2
/** Where nothing else can be done, a pause is tried that would take so many times what it may: it is shorter than it looks while others write, and given up in time. */
const TRIES = 2
/** So much as a round deals with is to come meanwhile: each further one takes that part of the time, so all of them a third of it. */
const WANTED = 1 / 4

/**
 * The rule by which catching up ends, as a pure function of its rounds (M018, M019): quiesce where what is left takes no longer than
 * meant; else go on while it shrinks, and for a bounded number of rounds; else slow the writers down, let the pause take longer, try one, or stop.
 * Each such measure at least doubles, up to a bound, so it ends however fast others write.
 */
export function converge(terms: SettledTerms, rounds: readonly LiveRound[]): NextRound {
  const last = rounds.at(-1)
  if (last === undefined) return { type: 'again' }
  const { left, estimateMs, goalMs, throttleMs } = last
  const longestPause = longestPauseMs(terms, throttleMs)
  if (estimateMs <= Math.min(goalMs, longestPause)) return { type: 'quiesce' }
  if (left <= terms.threshold && estimateMs <= longestPause) return { type: 'quiesce' }
  const isOutrun = last.ms >= LONG_MS && last.changesLeft > 0 && last.changesLeft >= last.changes * SHRINKS
  const goesOn = rounds.length < terms.maxRounds && !isOutrun && isShrinking(rounds)
  const shown = slowedDown(terms, last)
  const slower = Math.max(shown, Math.min(mostDelay(terms), Math.max(1, throttleMs * 2)))
  if (terms.diverging === 'throttle' && slower > throttleMs && (shown > throttleMs || !goesOn))
    return { type: 'throttle', ms: slower }
  if (goesOn) return { type: 'again' }
  const longer = Math.min(longestPause, goalMs * 2)
  if (terms.diverging === 'abort') return { type: 'abort' }
  if (longer > goalMs) return { type: 'raise', ms: longer }
  return { type: estimateMs <= longestPause * TRIES ? 'quiesce' : 'abort' }
}

/**
 * For how long writers are to wait before each change behind a round, or a part of one, that saw so many changes beside those that it dealt with: in
 * milliseconds, and no shorter than they do.
 */
export function slowedDown(
  terms: SettledTerms,
  seen: Pick<LiveRound, 'ms' | 'changes' | 'changesLeft' | 'throttleMs'>,
): number {
  const { ms, changes, changesLeft, throttleMs } = seen
  const drags = ms >= DRAGS_MS && changesLeft > changes * DRAGS
  if (terms.diverging !== 'throttle' || !drags) return throttleMs
  return Math.max(throttleMs, Math.min(mostDelay(terms), throttleMs + delayFor(seen)))
}

/**
 * How long a pause may last, in milliseconds, where writers have waited for so long before a change that meets it: nine tenths of what is left of
 * what they may wait. In the last one they go on, or are led on to where the vault is active.
 */
export function longestPauseMs({ maxPauseMs }: Pick<SettledTerms, 'maxPauseMs'>, waitedMs: number): number {
  return Math.floor((maxPauseMs - waitedMs) * 0.9)
}

/** The rest is for the pause: who has waited may meet that. */
function mostDelay({ maxPauseMs }: SettledTerms): number {
  return Math.floor(maxPauseMs / 2)
}

/**
 * For how much longer one writer had to wait before each change, so that as few come as are wanted beside what a round deals with. Several
 * have to wait for longer: nobody knows how many there are.
 */
function delayFor({ ms, changes, changesLeft }: Pick<LiveRound, 'ms' | 'changes' | 'changesLeft'>): number {
  const gap = ms / Math.max(1, changesLeft)
  return Math.round(gap * (changesLeft / (WANTED * Math.max(1, changes)) - 1))
}

/** Whether one of the last rounds left less than those before them, as far as they were under the same conditions. */
function isShrinking(rounds: readonly LiveRound[]): boolean {
  const last = rounds.at(-1) as LiveRound
  const since = rounds.findLastIndex(
    ({ throttleMs, goalMs }) => throttleMs !== last.throttleMs || goalMs !== last.goalMs,
  )
  const alike = rounds.slice(since + 1).map(({ left }) => left)
  if (alike.length <= PATIENCE) return true
  const before = Math.min(...alike.slice(0, -PATIENCE))
  return Math.min(...alike.slice(-PATIENCE)) < before * SHRINKS
}
