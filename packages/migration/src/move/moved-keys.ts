import type { AbortOptions, KeyId } from '@vault/core'
import { decodeEnvelope, verifyKeyHistory } from '@vault/core'
import type { Source } from '../endpoint.ts'
import type { PlannedHandoff } from '../plan.ts'

/**
 * Which keys a vault has after a move, where nobody says so. What several people hold stays theirs, and so does an identity that has
 * committed to the one that follows; a key that one place holds does not leave it, so the vault gets another one where it goes. `held`, `operators`:
 * the keys of the identity, and of the operators, that lie at the source. One that lies elsewhere stays whose it is, beside several operators.
 */
export async function movedKeys(
  source: Pick<Source, 'keyEvents'>,
  {
    held,
    operators: heldOperators = [],
    ...options
  }: AbortOptions & { readonly held: readonly KeyId[]; readonly operators?: readonly KeyId[] },
): Promise<PlannedHandoff> {
  const { roles, next } = verifyKeyHistory((await source.keyEvents(options)).map((event) => decodeEnvelope(event)))
  const { identity, operators } = roles
  const stays = identity.keys.filter((key) => held.includes(key)).toSorted()
  const staying = operators.keys.filter((key) => heldOperators.includes(key)).toSorted()
  const kept = staying.length > 0 ? { operators_stays: staying } : {}
  if (next === null && identity.keys.length === 1) {
    if (operators.keys.length === 1) return { keys: 'new' }
    if (stays.length === 1) return { keys: 'new-identity', ...kept }
  }
  return { keys: 'keep', ...(stays.length > 0 && { identity_stays: stays }), ...kept }
}
