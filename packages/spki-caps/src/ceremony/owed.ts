import type { KeyEventSigners, KeyId, Threshold } from '@vault/core'
import type { Attestation } from './attestation.ts'
import type { Documents } from './commit.ts'
import type { OpenPlan } from './open-plan.ts'
import { holdersOf } from './open-plan.ts'

/** What is still to be done before a ceremony goes on: so many of these keys. */
export interface Owed {
  readonly what: 'contribution' | 'receipt' | 'attestation'
  readonly why:
    | KeyEventSigners['why']
    /** Whoever has a key splits it. */
    | 'shares'
    /** Each holder keeps his shares. */
    | 'storage'
    | 'witness'
  readonly needed: number
  /** Who may. As many as are needed, or more. */
  readonly keys: readonly KeyId[]
}

/** What keeps a ceremony from being committed; empty where nothing does. */
export function owedBefore({ plan, event }: OpenPlan, { contributions, receipts }: Documents): readonly Owed[] {
  const signed = new Set([...contributions].filter(([, { record }]) => record.event !== null).map(([key]) => key))
  const split = new Set([...contributions].filter(([, { record }]) => record.shares !== null).map(([key]) => key))
  const signers = event?.signers ?? []
  return [
    ...signers.map((asked) => missing('contribution', asked.why, asked, signed)),
    missing('contribution', 'shares', all(plan.splits.map(({ key }) => key)), split),
    missing('receipt', 'storage', all([...holdersOf(plan)]), receipts),
  ].filter((owed) => owed !== undefined)
}

/** What is still to be attested; empty where enough is. */
export function owedAfter(
  { plan }: OpenPlan,
  attestations: ReadonlyMap<KeyId, { record: Attestation }>,
): readonly Owed[] {
  const owed = missing('attestation', 'witness', plan.witnesses, attestations)
  return owed === undefined ? [] : [owed]
}

function all(keys: readonly KeyId[]): Threshold {
  return { keys, threshold: keys.length }
}

function missing(
  what: Owed['what'],
  why: Owed['why'],
  { keys, threshold: needed }: Threshold,
  have: { has(key: KeyId): boolean },
): Owed | undefined {
  const left = keys.filter((key) => !have.has(key))
  const more = needed - (keys.length - left.length)
  return more <= 0 ? undefined : { what, why, needed: more, keys: left }
}
