import type { AbortOptions } from '@vault/core'
import { keyStateAt, movedKeys, type PlannedHandoff } from '@vault/migration'
import { heldKeys } from './keystore.ts'
import type { Vault } from './vault.ts'

/** Which keys a vault has after a move from here, by which of its identity's and its operators' lie here. */
export async function plannedKeys(
  { id, place: { dir, soups } }: Pick<Vault, 'id' | 'place'>,
  options?: AbortOptions,
): Promise<PlannedHandoff> {
  const { roles } = await keyStateAt({ store: soups }, id, options)
  const held = await heldKeys({ dir, role: 'identity', keys: roles.identity.keys })
  const operators = await heldKeys({ dir, role: 'operators', keys: roles.operators.keys })
  return await movedKeys({ keyEvents: (abort) => soups.tenures.keyEvents(id, abort) }, { held, operators, ...options })
}
