import { decodeEnvelope } from '@vault/core'
import { decodePlan } from '../parse-plan.ts'
import { parseAcceptance } from '../records/acceptance.ts'
import type { MoveState } from './state.ts'

/** What is known of the target of a move without it: what it said itself where its acceptance was heard, else what the plan says. */
export function targetOf({ acceptance, plan }: Pick<MoveState, 'acceptance' | 'plan'>) {
  const { label, instance = '', place } = decodePlan(plan).target
  if (acceptance === null) return { label, instance, place }
  const accepted = parseAcceptance(decodeEnvelope(acceptance).payload)
  return { label, instance: accepted.instance, place: accepted.place }
}
