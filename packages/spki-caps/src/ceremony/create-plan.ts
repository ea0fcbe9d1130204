import type { AbortOptions, Envelope, KeyId, Random, Roles, Signer, Threshold } from '@vault/core'
import { compareBytes, copyBytes } from '@vault/core'
import { secondsOf } from '../record.ts'
import { partsOf } from './open-plan.ts'
import type { KeyChange, KeyFounding, KeySplit } from './plan.ts'
import { signPlan } from './plan.ts'
import type { Circumstance } from './take-part.ts'

/** What a new ceremony is to do. Keys of roles, witnesses and digests in any order. */
export interface PlanDraft extends Circumstance {
  readonly change?: KeyChange | KeyFounding
  readonly splits?: readonly KeySplit[]
  /** Default: none. */
  readonly witnesses?: Threshold
  /** What people call these keys; others are called by themselves. */
  readonly names: ReadonlyMap<KeyId, string>
  readonly expires: Date
  readonly random: Random
}

/**
 * Signs the plan of a new ceremony. Throws `CEREMONY_PLAN_INVALID`, `CAPS_RECORD_INVALID` for one that nobody could carry out, and
 * `KEY_EVENT_INVALID`, `KEY_EVENT_RETIRED`, `KEY_EVENT_COMMITMENT` where that is because of its key event.
 */
export async function createPlan(draft: PlanDraft, proposer: Signer, options?: AbortOptions): Promise<Envelope> {
  const { change, splits = [], witnesses = { keys: [], threshold: 0 }, names, software, now, expires, random } = draft
  const said = {
    nonce: copyBytes(random(16)),
    created: secondsOf(now),
    expires: secondsOf(expires),
    proposer: proposer.key,
    software,
    change: change === undefined ? null : sortedChange(change),
    splits: splits.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    witnesses: sorted(witnesses),
  }
  const members = [...partsOf(said)]
    .sort()
    .map((key) => ({ key, name: names.get(key) ?? key.slice(key.indexOf(':') + 1) }))
  return await signPlan({ ...said, members }, proposer, options)
}

function sortedChange(change: KeyChange | KeyFounding): KeyChange | KeyFounding {
  const roles = sortedRoles(change.roles)
  if (change.why === 'inception') return { ...change, roles }
  const { witnesses, next } = change
  return {
    ...change,
    roles,
    ...(witnesses && { witnesses: sorted(witnesses) }),
    ...(next && { next: { ...next, digests: next.digests.toSorted(compareBytes) } }),
  }
}

function sortedRoles({ identity, operators, log }: Roles): Roles {
  return { identity: sorted(identity), operators: sorted(operators), log: sorted(log) }
}

function sorted({ keys, threshold }: Threshold): Threshold {
  return { keys: keys.toSorted(), threshold }
}
