import type { AbortOptions, Envelope, KeyId, Link, Signer } from '@vault/core'
import type { Opened, RecordHead } from '../record.ts'
import { keyField, natural, recordFormat } from '../record.ts'
import { linkField } from './field.ts'

/** The word of a witness that he verified a whole ceremony, and when. */
export interface Attestation extends RecordHead<'ceremony-attestation'> {
  readonly plan: Link
  /** The id of the commit, which names every document of the ceremony. */
  readonly transcript: Link
  readonly key: KeyId
  /** Seconds since 1970; a claim of the witness. */
  readonly at: number
}

/** The type under which attestations are signed. */
export const ATTESTATION = 'ceremony-attestation'

const format = recordFormat<typeof ATTESTATION, Attestation>(
  ATTESTATION,
  ['plan', 'transcript', 'key', 'at'],
  ({ plan, transcript, key, at }) => ({
    plan: linkField(ATTESTATION, 'plan', plan),
    transcript: linkField(ATTESTATION, 'transcript', transcript),
    key: keyField(ATTESTATION, 'key', key),
    at: natural(ATTESTATION, 'at', at),
  }),
)

export async function signAttestation(
  attestation: Omit<Attestation, 'type' | 'v'>,
  signer: Signer,
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign({ type: ATTESTATION, v: 1, ...attestation }, [signer], options)
}

/** Reads an attestation. Throws `CAPS_RECORD_INVALID`. Verifies nothing. */
export const decodeAttestation: (envelope: Envelope) => Opened<Attestation> = format.open
