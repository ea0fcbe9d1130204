import type { AbortOptions, Bytes, Envelope, KeyId, Link, Signer } from '@vault/core'
import { hasFields } from '@vault/core'
import type { Opened, RecordHead } from '../record.ts'
import { checkRecord, keyField, natural, recordFormat } from '../record.ts'
import type { Software } from './field.ts'
import { bytesField, linkField, listField, MAX_KEYS, softwareField } from './field.ts'

/** What a member gives to a ceremony: its signature of the key event, and the shares of its key. */
export interface Contribution extends RecordHead<'ceremony-contribution'> {
  /** The plan that it agrees to. */
  readonly plan: Link
  readonly key: KeyId
  /** 64 bytes: its signature of the key event that the plan describes. A key that is new thereby proves that it is possessed. */
  readonly event: Bytes | null
  /** Where the plan splits this key. */
  readonly shares: SealedShares | null
  readonly software: Software
  /** Seconds since 1970; a claim of the member. */
  readonly at: number
}

/** The shares of a key, each encrypted for its holder, in the order of the plan. */
export interface SealedShares {
  /** The SHA-256 of each share. */
  readonly digests: readonly Bytes[]
  /** The SHA-256 of what only he can say who has decrypted the share: see `receiptProof`. */
  readonly proofs: readonly Bytes[]
  readonly sealed: readonly Bytes[]
}

/** The type under which contributions are signed. */
export const CONTRIBUTION = 'ceremony-contribution'

// 64 shares of 16 KiB.
const LIMITS = { maxBytes: 2 * 1024 * 1024, maxItems: 1_024 }
const DIGEST_LENGTH = 32
const SIGNATURE_LENGTH = 64

const format = recordFormat<typeof CONTRIBUTION, Contribution>(
  CONTRIBUTION,
  ['plan', 'key', 'event', 'shares', 'software', 'at'],
  ({ plan, key, event, shares, software, at }) => ({
    plan: linkField(CONTRIBUTION, 'plan', plan),
    key: keyField(CONTRIBUTION, 'key', key),
    event: event === null ? null : bytesField(CONTRIBUTION, 'event', event, SIGNATURE_LENGTH),
    shares: shares === null ? null : parseShares(shares),
    software: softwareField(CONTRIBUTION, software),
    at: natural(CONTRIBUTION, 'at', at),
  }),
  LIMITS,
)

export async function signContribution(
  contribution: Omit<Contribution, 'type' | 'v'>,
  signer: Signer,
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign({ type: CONTRIBUTION, v: 1, ...contribution }, [signer], options)
}

/** Reads a contribution. Throws `CAPS_RECORD_INVALID`. Verifies nothing. */
export const decodeContribution: (envelope: Envelope) => Opened<Contribution> = format.open

function parseShares(value: unknown): SealedShares {
  checkRecord(
    hasFields(value, 'digests', 'proofs', 'sealed'),
    CONTRIBUTION,
    '"shares" is neither null nor a map of digests, proofs and sealed',
  )
  const list = (name: 'digests' | 'proofs' | 'sealed', length?: number) =>
    listField(CONTRIBUTION, name, value[name], MAX_KEYS).map((item) => bytesField(CONTRIBUTION, name, item, length))
  const [digests, proofs, sealed] = [list('digests', DIGEST_LENGTH), list('proofs', DIGEST_LENGTH), list('sealed')]
  checkRecord(
    digests.length === sealed.length && proofs.length === sealed.length,
    CONTRIBUTION,
    'it has not one digest and one proof for each share',
  )
  return { digests, proofs, sealed }
}
