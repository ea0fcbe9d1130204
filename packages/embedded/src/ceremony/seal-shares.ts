import { type ContentId, hashBytes, utf8 } from '@vault/core'
import { type KeySplit, receiptProof, type SealedShares } from '@vault/spki-caps/ceremony'
import type { OpenKey } from '../key-file.ts'
import { encodeKeyShare } from '../key-share.ts'
import { makeShares, sealFor } from '../split-key.ts'

/** The shares of a key, each encrypted for the holder whom the plan names. Throws `KEY_RECIPIENT_INVALID`. */
export async function sealShares(
  key: OpenKey,
  { threshold, holders }: KeySplit,
  plan: ContentId,
): Promise<SealedShares> {
  const seals = await Promise.all(holders.map(({ recipient }) => sealFor(recipient)))
  const shares = await makeShares(key, { shares: holders.length, threshold })
  return {
    digests: shares.map(({ share }) => hashBytes('sha2-256', share)),
    proofs: shares.map(({ share }, i) => {
      const holder = (holders[i] as KeySplit['holders'][number]).key
      return hashBytes('sha2-256', receiptProof(plan, holder, share))
    }),
    sealed: await Promise.all(
      shares.map(async (share, i) =>
        utf8(await (seals[i] as Awaited<ReturnType<typeof sealFor>>)(encodeKeyShare(share))),
      ),
    ),
  }
}
