import type { Circumstances } from './circumstances.ts'
import { principalText } from './principal.ts'
import { secondsOf } from './record.ts'
import type { Outcome } from './refusal.ts'
import { refuse } from './refusal.ts'
import type { RevocationView } from './revocation-view.ts'
import type { Root } from './root.ts'

/**
 * How old the last set of revocations may be for an action, in seconds; `current`: it must be the present one, by its own
 * interval. An action that is not listed needs the present one. It is the verifier who takes the risk, and so decides.
 */
export type Freshness = Readonly<Record<string, number | 'current'>>

/** A day for `read`, an hour for `write`, and the present set for everything else. */
export const DEFAULT_FRESHNESS: Freshness = { read: 24 * 60 * 60, write: 60 * 60 }

/** How the last set of a principal stands. */
export interface SetStanding {
  readonly fresh: boolean
  /** For people. */
  readonly note: string
}

/** Whether the last set of this principal is fresh enough. */
export function standingOfSet(view: RevocationView, by: string, needed: number | 'current', now: number): SetStanding {
  const set = view.latest(by, now)
  if (set === undefined) {
    const isOutdated = view.outdated?.has(by) === true
    return {
      fresh: false,
      note: `no set of ${by}${isOutdated ? ' by its present keys: the last was signed before they were replaced' : ''}`,
    }
  }
  const note = `set #${set.seq}, ${now - set.from} s old`
  // A set from the future says nothing about what was revoked up to now.
  if (set.from > now) return { fresh: false, note: `set #${set.seq} begins later` }
  return { fresh: needed === 'current' ? now < set.next : now - set.from <= needed, note }
}

/** What an action needs. */
function neededFor(action: string, freshness: Freshness): number | 'current' {
  return Object.hasOwn(freshness, action) ? (freshness[action] as number | 'current') : 'current'
}

/** Whether the last set of revocations of whoever keeps them for a root is fresh enough for an action. */
export function checkFreshness(
  { revocations: keeper }: Root,
  action: string,
  { revocations, freshness = DEFAULT_FRESHNESS, now }: Circumstances,
): Outcome {
  if (revocations === 'unchecked') return { note: 'nobody looked', unchecked: true }
  if (keeper === 'none') return { note: 'nobody keeps a set for this root', unchecked: true }
  const needed = neededFor(action, freshness)
  const { fresh, note } = standingOfSet(revocations, principalText(keeper), needed, secondsOf(now))
  if (fresh) return { note }
  const asked = needed === 'current' ? 'the present set' : `at most ${needed} s old`
  return refuse('CAPS_STALE', `${note}; ${action} needs ${asked}`, { have: note, asked })
}
