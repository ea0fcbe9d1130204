import {
  type AbortOptions,
  type Clock,
  type ContentId,
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  type Signer,
  systemClock,
} from '@vault/core'
import { changeRecord, type Records } from '@vault/soup'
import { createRevocation, openRevocation } from '@vault/spki-caps'

// Beside the vaults of the place, as they are about the place.
const PREFIX = 'place-revocation/'

/**
 * Takes a certificate of a place back, for ever: counts where it is signed by the issuer of the certificate, or by one from whom the
 * issuer has what it grants. Durable when it resolves, and seen by a server of the place with the next request.
 */
export async function revokePlaceGrant(
  records: Records,
  certificate: ContentId,
  signer: Signer,
  { clock = systemClock, signal }: AbortOptions & { readonly clock?: Clock } = {},
): Promise<{ readonly id: ContentId }> {
  const draft = { issuer: signer.key, target: { certificate }, reason: 'cessation', at: clock() } as const
  const envelope = await createRevocation(draft, [signer], { signal })
  const { id } = openRevocation(envelope)
  await changeRecord(records, `${PREFIX}${id}`, () => encodeEnvelope(envelope), { signal })
  return { id }
}

/** The keys of the records, which say whether there are other ones than before: they never change. */
export async function listPlaceRevocations(records: Records, options: AbortOptions): Promise<readonly string[]> {
  return await records.list(PREFIX, options)
}

export async function readPlaceRevocations(
  records: Records,
  keys: readonly string[],
  options: AbortOptions,
): Promise<readonly Envelope[]> {
  const read = await Promise.all(keys.map((key) => records.read(key, options)))
  return read.flatMap((record) => (record === undefined ? [] : [decodeEnvelope(record.bytes)]))
}
