import { type AbortOptions, type Bytes, type Envelope, encodeEnvelope } from '@vault/core'
import { MAX_PROOFS } from '@vault/migration'
import type { Vault } from '../vault.ts'
import { present } from './revocations-in.ts'

/**
 * What the key of the place can show to be let in with its vault elsewhere: the chain by which the vault grants it this, and the last
 * set of revocations where the vault has any. Empty where nothing grants it.
 */
export async function proofsOf(
  { caps, place }: Pick<Vault, 'caps' | 'place'>,
  action: string,
  options: AbortOptions = {},
): Promise<readonly Bytes[]> {
  const { verdict, proof } = await caps.ask([place.info.key], { action }, options)
  if (!verdict.ok) return []
  const { revocations, sets } = await caps.revocations(options)
  const fresh: readonly Envelope[] = sets.size === 0 ? [] : [...present(revocations), ...present(sets)]
  const chain = proof.map(({ envelope }) => envelope)
  // More than a server takes is not shown: it may have what it needs in its copy of the vault.
  const shown = chain.length + fresh.length <= MAX_PROOFS ? [...chain, ...fresh] : chain
  return shown.map((envelope) => encodeEnvelope(envelope))
}
