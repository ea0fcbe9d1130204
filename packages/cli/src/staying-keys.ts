import type { KeyId } from '@vault/core'
import type { MoveState, MoveStatus } from '@vault/migration'
import { isRemote } from './remote-end.ts'

/** The keys of a vault that a move leaves where they are; without those of a role where none is. */
export type StayingKeys = Pick<MoveStatus, 'identity_stays' | 'operators_stays'>

/** The same of a plan, or of a move; none where nothing of it is handed off. */
export function stayingKeys({ identity_stays, operators_stays }: StayingKeys = {}): StayingKeys {
  return { ...(identity_stays && { identity_stays }), ...(operators_stays && { operators_stays }) }
}

/** The keys that a move has left where they were; none of a move that is not complete. */
export async function keysThatStay({ phase, plan }: Pick<MoveState, 'phase' | 'plan'>): Promise<StayingKeys> {
  if (phase !== 'complete') return {}
  const { decodePlan } = await import('@vault/migration')
  return stayingKeys(decodePlan(plan).handoff)
}

/** What people have to know of keys that do not move along from an end; nothing where there are none. */
export function stayingLines(
  { identity_stays = [], operators_stays = [] }: StayingKeys,
  from: string,
): readonly string[] {
  const how = `"vaultctl ceremony join CEREMONY --vault ${isRemote(from) ? 'DIR" on that machine' : `${from}"`}`
  return [
    ...(identity_stays.length === 0
      ? []
      : [
          `The identity ${named(identity_stays)} in ${from}, in the folder keys, and can sign from there: ${how}.`,
          'Keep that folder until other keys are the identity: without them nobody can change the keys of the vault, or move it again.',
        ]),
    ...(operators_stays.length === 0
      ? []
      : [
          `The operators' ${named(operators_stays)} in ${from}, in the folder keys.`,
          'Keep that folder until other keys are the operators ("vaultctl ceremony plan --operators"): without them nobody may grant, or take back, what can be done with the vault.',
        ]),
  ]
}

function named(keys: readonly KeyId[]): string {
  return keys.length === 1 ? `key ${keys[0]} stays` : `keys ${keys.join(', ')} stay`
}
