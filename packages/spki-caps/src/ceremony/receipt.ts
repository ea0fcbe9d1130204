import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { concatBytes, hasFields, hashBytes, idBytes, utf8 } from '@vault/core'
import type { Opened, RecordHead } from '../record.ts'
import { checkRecord, keyField, natural, recordFormat } from '../record.ts'
import { bytesField, checkAscending, linkField, listField, MAX_KEYS } from './field.ts'

/** The word of a holder that he keeps his shares, has decrypted them, and found them to be what they should be. */
export interface Receipt extends RecordHead<'ceremony-receipt'> {
  readonly plan: Link
  readonly key: KeyId
  /** One for every key of which the plan gives him a share, by that key. */
  readonly shares: readonly ReceivedShare[]
  /** Seconds since 1970; a claim of the holder. */
  readonly at: number
}

export interface ReceivedShare {
  /** The key that was split. */
  readonly of: KeyId
  /** The contribution in which the share came. */
  readonly contribution: Link
  /** 32 bytes that nobody knows who has not decrypted the share: {@link receiptProof}. */
  readonly proof: Bytes
}

/** The type under which receipts are signed. */
export const RECEIPT = 'ceremony-receipt'

const format = recordFormat<typeof RECEIPT, Receipt>(
  RECEIPT,
  ['plan', 'key', 'shares', 'at'],
  ({ plan, key, shares, at }) => ({
    plan: linkField(RECEIPT, 'plan', plan),
    key: keyField(RECEIPT, 'key', key),
    shares: parseShares(shares),
    at: natural(RECEIPT, 'at', at),
  }),
)

export async function signReceipt(
  receipt: Omit<Receipt, 'type' | 'v'>,
  signer: Signer,
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign({ type: RECEIPT, v: 1, ...receipt }, [signer], options)
}

/** Reads a receipt. Throws `CAPS_RECORD_INVALID`. Verifies nothing. */
export const decodeReceipt: (envelope: Envelope) => Opened<Receipt> = format.open

/**
 * What a holder says to prove that he has decrypted a share: a hash of it, for this ceremony and this holder. The contribution has the
 * hash of this hash, so anybody can check it, and nobody learns anything of the share.
 */
export function receiptProof(plan: ContentId, holder: KeyId, share: Uint8Array): Bytes {
  return hashBytes('sha2-256', concatBytes(utf8('vault/ceremony-share/v1\0'), idBytes(plan), utf8(holder), share))
}

function parseShares(value: unknown): readonly ReceivedShare[] {
  const shares = listField(RECEIPT, 'shares', value, MAX_KEYS).map((share) => {
    checkRecord(
      hasFields(share, 'of', 'contribution', 'proof'),
      RECEIPT,
      'a share is not a map of of, contribution and proof',
    )
    return {
      of: keyField(RECEIPT, 'of', share.of),
      contribution: linkField(RECEIPT, 'contribution', share.contribution),
      proof: bytesField(RECEIPT, 'proof', share.proof, 32),
    }
  })
  checkAscending(
    RECEIPT,
    'shares',
    shares.map(({ of }) => of),
  )
  return shares
}
