import { type AbortOptions, type Bytes, type Envelope, encodeEnvelope } from '@vault/core'
import { fittingProofs } from '@vault/migration'
import { openRevocation, openRevocationSet, principalText } from '@vault/spki-caps'
import type { Vault } from '../vault.ts'
import { present } from './revocations-in.ts'
import type { VaultCaps } from './vault-caps.ts'

/**
 * What the key of the place can show to be let in with its vault elsewhere: the chain by which the vault grants it this, the validations by
 * which that holds, and where the vault has any, its last set of revocations, with as many of these as a server takes. Empty where nothing grants it.
 */
export async function proofsOf(
  { caps, place }: Pick<Vault, 'caps' | 'place'>,
  action: string,
  options: AbortOptions = {},
): Promise<readonly Bytes[]> {
  const { verdict, proof } = await caps.ask([place.info.key], { action }, options)
  if (!verdict.ok) return []
  const { validations } = await caps.circumstances(options)
  const validated = proof.flatMap(({ id }) => validations?.of(id) ?? [])
  const shown = [...[...proof, ...validated].map(({ envelope }) => envelope), ...(await freshest(caps, options))]
  // What is not shown a server may have in its copy of the vault.
  return fittingProofs(shown.map((envelope) => encodeEnvelope(envelope)))
}

/** The last sets, and those that are to follow them; then the revocations, of which the latest are the likeliest to be unknown elsewhere. */
async function freshest(caps: VaultCaps, options: AbortOptions): Promise<readonly Envelope[]> {
  const { revocations, sets, view } = await caps.revocations(options)
  if (sets.size === 0) return []
  const now = Math.floor(caps.parts.clock().getTime() / 1000)
  const last = present(sets).filter((envelope) => {
    const { issuer, epoch, seq } = openRevocationSet(envelope).record
    const latest = view.latest(principalText(issuer), now)
    return latest !== undefined && epoch === latest.epoch && seq >= latest.seq
  })
  const at = (envelope: Envelope) => openRevocation(envelope).record.at
  return [...last, ...present(revocations).toSorted((a, b) => at(b) - at(a))]
}
