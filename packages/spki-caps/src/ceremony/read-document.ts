import type { Envelope, KeyId, Link } from '@vault/core'
import {
  countSigners,
  decodeEnvelope,
  equalBytes,
  hashBytes,
  isVaultError,
  reasonOf,
  signedMessage,
  verifyStrict,
} from '@vault/core'
import type { Opened } from '../record.ts'
import type { Attestation } from './attestation.ts'
import { ATTESTATION, decodeAttestation } from './attestation.ts'
import type { Commit } from './commit.ts'
import type { Contribution } from './contribution.ts'
import { CONTRIBUTION, decodeContribution } from './contribution.ts'
import { checkFile, FileRefusal } from './error.ts'
import type { OpenPlan } from './open-plan.ts'
import { contributorsOf, isTimely, signsEvent, splitsHeldBy } from './open-plan.ts'
import type { Receipt } from './receipt.ts'
import { decodeReceipt, RECEIPT } from './receipt.ts'

/** What every document of a member says. */
interface Signed {
  readonly plan: Link
  readonly key: KeyId
  readonly at: number
}

/** A contribution to this plan. Throws a {@link FileRefusal}. */
export function readContribution(bytes: Uint8Array, open: OpenPlan): Opened<Contribution> {
  const opened = readSigned(bytes, CONTRIBUTION, decodeContribution, open)
  const { key, event, shares } = opened.record
  checkFile(contributorsOf(open).has(key), 'CEREMONY_NOT_MEMBER', 'the plan has no contribution of this key')
  checkFile(
    (event !== null) === signsEvent(open, key),
    'CEREMONY_FILE_INVALID',
    'a signature of the key event is missing, or there is one too many',
  )
  if (event !== null && open.event !== undefined) {
    const message = signedMessage('key', open.event.payload)
    checkFile(verifyStrict(key, message, event), 'CEREMONY_SIGNATURE', 'its signature of the key event is none')
  }
  const split = open.plan.splits.find((each) => each.key === key)
  checkFile(
    (shares?.sealed.length ?? 0) === (split?.holders.length ?? 0) && (shares !== null) === (split !== undefined),
    'CEREMONY_SHARES',
    'it has not one share for each holder that the plan names',
  )
  return opened
}

/** A receipt for shares that came in these contributions. Throws a {@link FileRefusal}. */
export function readReceipt(
  bytes: Uint8Array,
  open: OpenPlan,
  contributions: ReadonlyMap<KeyId, Opened<Contribution>>,
): Opened<Receipt> {
  const opened = readSigned(bytes, RECEIPT, decodeReceipt, open)
  const { key, shares } = opened.record
  const held = splitsHeldBy(open.plan, key)
  checkFile(held.length > 0, 'CEREMONY_NOT_MEMBER', 'the plan gives no share to this key')
  checkFile(
    shares.length === held.length && held.every((split, i) => split.key === shares[i]?.of),
    'CEREMONY_SHARES',
    'it is not for the shares that the plan gives to this key',
  )
  for (const { of, contribution, proof } of shares) {
    const given = contributions.get(of)
    const index = held.find((split) => split.key === of)?.holders.findIndex((holder) => holder.key === key) ?? -1
    const expected = given?.record.shares?.proofs[index]
    checkFile(
      given?.id === contribution.id && expected !== undefined && equalBytes(hashBytes('sha2-256', proof), expected),
      'CEREMONY_SHARES',
      `it does not prove that the share of ${of} was decrypted which is here`,
    )
  }
  return opened
}

/** An attestation of this commit. Throws a {@link FileRefusal}. */
export function readAttestation(bytes: Uint8Array, open: OpenPlan, commit: Commit | undefined): Opened<Attestation> {
  const opened = readSigned(bytes, ATTESTATION, decodeAttestation, open)
  const { key, transcript } = opened.record
  checkFile(open.plan.witnesses.keys.includes(key), 'CEREMONY_NOT_MEMBER', 'the plan has no such witness')
  checkFile(
    transcript.id === commit?.id,
    'CEREMONY_FILE_FOREIGN',
    'it attests another commit than the one that is here',
  )
  return opened
}

function readSigned<T extends Signed>(
  bytes: Uint8Array,
  type: string,
  decode: (envelope: Envelope) => Opened<T>,
  { id, plan }: OpenPlan,
): Opened<T> {
  const opened = decoded(bytes, decode)
  const { record, envelope } = opened
  checkFile(
    record.plan.id === id,
    'CEREMONY_FILE_FOREIGN',
    `it is for the plan ${record.plan.id}, and this one is ${id}`,
  )
  checkFile(isSignedBy(envelope, type, record.key), 'CEREMONY_SIGNATURE', 'it is not signed by the key that it names')
  checkFile(
    isTimely(plan, record.at),
    'CEREMONY_TIME',
    'it says of itself that it was made outside the time of the plan',
  )
  return opened
}

function decoded<T>(bytes: Uint8Array, decode: (envelope: Envelope) => Opened<T>): Opened<T> {
  try {
    return decode(decodeEnvelope(bytes))
  } catch (error) {
    if (!isVaultError(error)) throw error
    throw new FileRefusal('CEREMONY_FILE_INVALID', reasonOf(error))
  }
}

function isSignedBy(envelope: Envelope, type: string, key: KeyId): boolean {
  try {
    countSigners(envelope, type, { keys: [key], threshold: 1 })
    // Whatever else it carries would be signatures that nobody asked for.
    return envelope.signatures.length === 1
  } catch (error) {
    if (!isVaultError(error, 'SIGNATURE_THRESHOLD')) throw error
    return false
  }
}
