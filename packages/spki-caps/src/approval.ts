import type { AbortOptions, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { isLink, link } from '@vault/core'
import type { Opened, RecordHead } from './record.ts'
import { checkRecord, keyField, natural, recordFormat, secondsOf } from './record.ts'
import { envelopeVoices } from './voices.ts'

/** Says that somebody approves one act, before it is done: a plan by its id. Signed by him. */
export interface Approval extends RecordHead<'cap-approval'> {
  /** The vault that is acted on. */
  readonly vault: Link
  /** A verb, as in `migrate`. */
  readonly action: string
  /** What is approved: this plan, and no other. */
  readonly act: Link
  /** Who approves it. */
  readonly approver: KeyId
  /** Seconds since 1970; a claim of who signs. */
  readonly at: number
  /** It counts for what is done before this, in seconds since 1970. */
  readonly expires: number
}

export type OpenApproval = Opened<Approval>

/** What a new approval is to say. */
export interface ApprovalDraft {
  readonly vault: ContentId
  readonly action: string
  readonly act: ContentId
  readonly at: Date
  readonly expires: Date
}

const APPROVAL = 'cap-approval'
const MAX_ACTION = 256

const format = recordFormat<typeof APPROVAL, Approval>(
  APPROVAL,
  ['vault', 'action', 'act', 'approver', 'at', 'expires'],
  ({ vault, action, act, approver, at, expires }) => {
    checkRecord(isLink(vault) && isLink(act), APPROVAL, '"vault" or "act" is no link')
    checkRecord(
      typeof action === 'string' && action.length > 0 && action.length <= MAX_ACTION,
      APPROVAL,
      `"action" is not a word of at most ${MAX_ACTION} characters`,
    )
    const [from, until] = [natural(APPROVAL, 'at', at), natural(APPROVAL, 'expires', expires)]
    checkRecord(from < until, APPROVAL, 'it expires before it is made')
    return {
      vault: link(vault.id),
      action,
      act: link(act.id),
      approver: keyField(APPROVAL, 'approver', approver),
      at: from,
      expires: until,
    }
  },
)

/** Signs an approval. Throws `CAPS_RECORD_INVALID` before anything is signed. */
export async function createApproval(
  { vault, action, act, at, expires }: ApprovalDraft,
  signer: Signer,
  options?: AbortOptions,
): Promise<Envelope> {
  const record = {
    type: APPROVAL,
    v: 1,
    vault: link(vault),
    action,
    act: link(act),
    approver: signer.key,
    at: secondsOf(at),
    expires: secondsOf(expires),
  } as const
  return await format.sign(record, [signer], options)
}

/** Reads an approval. Throws `CAPS_RECORD_INVALID`. Verifies no signature: see `isApproved`. */
export const openApproval: (envelope: Envelope) => OpenApproval = format.open

/** Whether an approval is signed by whom it names. Throws as {@link openApproval}. */
export function isApproved(envelope: Envelope): boolean {
  return envelopeVoices(APPROVAL, envelope).has(openApproval(envelope).record.approver)
}
