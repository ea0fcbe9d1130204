import { type BulkCasReader, reopen } from '@vault/cas'
import type { AbortOptions, Bytes, Clock, Signer } from '@vault/core'
import { copyBytes, encodeEnvelope, link } from '@vault/core'
import type { RehashRequest } from './endpoint.ts'
import { possessionsOf } from './possessions-of.ts'
import { rehashProof, signRehash } from './records/rehash.ts'

/**
 * Reads objects back from the store of this place, hashes them, and says so under the key of the place: what a `RehashingTarget` owes.
 * `undefined` where one of them does not read back: whoever asked then reads them itself, and finds which.
 */
export async function rehashObjects(
  place: { readonly objects: BulkCasReader; readonly key: Signer; readonly clock: Clock },
  { vault, migration, ids, nonce }: RehashRequest,
  options: AbortOptions = {},
): Promise<Bytes | undefined> {
  const claim = { place: place.key.key, migration, nonce }
  await reopen(place.objects, options)
  const found = await possessionsOf(place.objects, { ...claim, ids }, options)
  if (found === undefined) return undefined
  const record = {
    vault: link(vault),
    migration,
    nonce: copyBytes(nonce),
    objects: ids.length,
    proof: rehashProof(claim, found.proofs),
    at: Math.floor(place.clock().getTime() / 1000),
  }
  return encodeEnvelope(await signRehash({ type: 'migration-rehash', v: 1, ...record }, place.key, options))
}
