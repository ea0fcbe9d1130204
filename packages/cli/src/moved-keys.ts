import type { AbortOptions } from '@vault/core'
import type { Source } from '@vault/migration'

/**
 * Which keys a vault has after a move. What several people hold stays theirs, and so does an identity that has committed to the one that
 * follows; a key that one place holds does not leave it.
 */
export async function movedKeys(source: Pick<Source, 'keyEvents'>, options?: AbortOptions): Promise<'new' | 'keep'> {
  const { decodeEnvelope, verifyKeyHistory } = await import('@vault/core')
  const { roles, next } = verifyKeyHistory((await source.keyEvents(options)).map((event) => decodeEnvelope(event)))
  return next !== null || roles.identity.keys.length + roles.operators.keys.length > 2 ? 'keep' : 'new'
}
