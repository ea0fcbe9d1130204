import type { AbortOptions, Envelope, KeyId, Signer } from '@vault/core'
import type { KeyDirectory } from './key-directory.ts'
import type { Principal } from './principal.ts'
import type { Issuer, Opened, RecordHead } from './record.ts'
import { checkRecord, natural, parseIssuer, recordFormat, secondsOf } from './record.ts'
import { hearingOf } from './signed-records.ts'
import { speak } from './speak.ts'
import { envelopeVoices } from './voices.ts'

/** Says how many others must have approved an act of a kind, each time, before it is done. The last one of a kind counts. */
export interface StandingMandate extends RecordHead<'cap-mandate'>, Issuer {
  /** A verb, as in `migrate`. */
  readonly action: string
  /** Grows with each mandate about this action, from 1. */
  readonly seq: number
  /** So many different people, none of whom does it himself; 0 where nobody has to any more. */
  readonly approvals: number
  /** Seconds since 1970; a claim of the issuer. */
  readonly at: number
}

export type OpenStandingMandate = Opened<StandingMandate>

/** What a new mandate is to say. */
export interface StandingMandateDraft {
  readonly issuer: Principal
  /** With a vault as issuer: the number of the key event whose operators sign. */
  readonly epoch?: number
  readonly action: string
  readonly seq: number
  readonly approvals: number
  readonly at: Date
}

const STANDING_MANDATE = 'cap-mandate'
const MAX_APPROVALS = 64

const format = recordFormat<typeof STANDING_MANDATE, StandingMandate>(
  STANDING_MANDATE,
  ['issuer', 'epoch', 'action', 'seq', 'approvals', 'at'],
  ({ issuer, epoch, action, seq, approvals, at }) => {
    checkRecord(
      typeof action === 'string' && /^[a-z][a-z-]{0,63}$/.test(action),
      STANDING_MANDATE,
      '"action" is no verb of at most 64 small letters and hyphens',
    )
    const most = natural(STANDING_MANDATE, 'approvals', approvals)
    checkRecord(most <= MAX_APPROVALS, STANDING_MANDATE, `"approvals" is more than ${MAX_APPROVALS}`)
    return {
      ...parseIssuer(STANDING_MANDATE, issuer, epoch),
      action,
      seq: natural(STANDING_MANDATE, 'seq', seq),
      approvals: most,
      at: natural(STANDING_MANDATE, 'at', at),
    }
  },
)

/** Signs a mandate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID` before anything is signed. */
export async function createStandingMandate(
  { issuer, epoch, action, seq, approvals, at }: StandingMandateDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  const said = { issuer, epoch: epoch ?? null, action, seq, approvals, at: secondsOf(at) }
  return await format.sign({ type: STANDING_MANDATE, v: 1, ...said }, signers, options)
}

/** Reads a mandate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`. Verifies no signature: see `mandateSigners`. */
export const openStandingMandate: (envelope: Envelope) => OpenStandingMandate = format.open

/** Those who have signed a mandate as its issuer; empty where they are not enough. A vault signs by the operators of any of its events. */
export function mandateSigners(envelope: Envelope, keys: KeyDirectory): readonly KeyId[] {
  const { record } = openStandingMandate(envelope)
  const spoken = speak(record.issuer, hearingOf(record, envelopeVoices(STANDING_MANDATE, envelope), keys))
  return spoken.ok ? spoken.keys : []
}
