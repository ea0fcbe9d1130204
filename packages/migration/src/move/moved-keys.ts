import type { AbortOptions } from '@vault/core'
import { decodeEnvelope, verifyKeyHistory } from '@vault/core'
import type { Source } from '../endpoint.ts'
import type { Plan } from '../plan.ts'

/**
 * Which keys a vault has after a move, where nobody says so. What several people hold stays theirs, and so does an identity that has
 * committed to the one that follows; a key that one place holds does not leave it.
 */
export async function movedKeys(
  source: Pick<Source, 'keyEvents'>,
  options?: AbortOptions,
): Promise<NonNullable<Plan['handoff']>['keys']> {
  const { roles, next } = verifyKeyHistory((await source.keyEvents(options)).map((event) => decodeEnvelope(event)))
  return next !== null || roles.identity.keys.length + roles.operators.keys.length > 2 ? 'keep' : 'new'
}
