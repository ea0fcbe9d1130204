import type { KeyId } from '@vault/core'
import type { MoveState } from '@vault/migration'
import { isRemote } from './remote-end.ts'

/** The identity keys that a move has left where they were; none of a move that is not complete. */
export async function identityThatStays({ phase, plan }: MoveState): Promise<readonly KeyId[]> {
  if (phase !== 'complete') return []
  const { decodePlan } = await import('@vault/migration')
  return decodePlan(plan).handoff?.identity_stays ?? []
}

/** What people have to know of identity keys that do not move along from an end; nothing where there are none. */
export function stayingLines(keys: readonly KeyId[], from: string): readonly string[] {
  if (keys.length === 0) return []
  const [what, stay] = keys.length === 1 ? ['key', 'stays'] : ['keys', 'stay']
  const how = `"vaultctl ceremony join CEREMONY --vault ${isRemote(from) ? 'DIR" on that machine' : `${from}"`}`
  return [
    `The identity ${what} ${keys.join(', ')} ${stay} in ${from}, in the folder keys, and can sign from there: ${how}.`,
    'Keep that folder until other keys are the identity: without them nobody can change the keys of the vault, or move it again.',
  ]
}
