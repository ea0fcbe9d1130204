import { type AbortOptions, type Bytes, type Envelope, encodeEnvelope } from '@vault/core'
import type { Vault } from '../vault.ts'
import { present } from './revocations-in.ts'

/** More than a server takes is not shown: it may have what it needs in its copy of the vault. */
const MOST = 32

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
  return [...chain, ...(chain.length + fresh.length <= MOST ? fresh : [])].map((envelope) => encodeEnvelope(envelope))
}
