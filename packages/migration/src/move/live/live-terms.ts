/** What a live move may ask of those who write meanwhile. */
export interface LiveTerms {
  /** Milliseconds for which a writer waits at most while the vault passes over. Default 1,000. */
  readonly maxPauseMs?: number
  /** Milliseconds that the pause is first meant to take; less than it may take. Default: a tenth of it, at least 20. */
  readonly goalPauseMs?: number
  /** Objects and entries that may be left when the vault is quiesced, where they fit into `maxPauseMs` (M019). Default 16. */
  readonly threshold?: number
  /** Rounds after which what is left has to be dealt with, whether it shrinks or not. Default 30. */
  readonly maxRounds?: number
  /**
   * What is done where what is left does not shrink. `throttle`, the default, lets writers wait before each change, longer and longer;
   * `raise` lets the pause take longer, up to `maxPauseMs`; `abort` stops. The first two stop as well where nothing more can be done.
   */
  readonly diverging?: 'throttle' | 'raise' | 'abort'
}

/** Terms in which nothing is left open. */
export type SettledTerms = Required<LiveTerms>

const MAX_PAUSE_MS = 600_000

/** Terms with everything that was left open. Throws a `RangeError` for what is no number of these. */
export function settleTerms(terms: LiveTerms): SettledTerms {
  const { maxPauseMs = 1_000, threshold = 16, maxRounds = 30, diverging = 'throttle' } = terms
  const { goalPauseMs = Math.min(maxPauseMs, Math.max(20, Math.round(maxPauseMs / 10))) } = terms
  requireWithin('maxPauseMs', maxPauseMs, 1, MAX_PAUSE_MS)
  requireWithin('goalPauseMs', goalPauseMs, 1, maxPauseMs)
  requireWithin('threshold', threshold, 0, Number.MAX_SAFE_INTEGER)
  requireWithin('maxRounds', maxRounds, 1, 1_000)
  return { maxPauseMs, goalPauseMs, threshold, maxRounds, diverging }
}

function requireWithin(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${name} is a whole number from ${least} to ${most}, not ${value}.`)
}
