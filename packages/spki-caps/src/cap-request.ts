import type { AbortOptions, Bytes, ContentId, Envelope, Link, Signer } from '@vault/core'
import { copyBytes, isLink, link } from '@vault/core'
import { parseTag } from './parse-tag.ts'
import type { Opened, RecordHead } from './record.ts'
import { checkRecord, natural, recordFormat, secondsOf } from './record.ts'
import type { Tag } from './tag.ts'
import { ANY } from './tag.ts'

/** Asks for one thing, once. Signed by as many keys as it needs. */
export interface CapRequest extends RecordHead<'cap-request'> {
  /** The vault or place that is asked. Another one refuses. */
  readonly audience: Link
  /** A verb, as in `migrate`. */
  readonly action: string
  readonly object: Tag
  /** What the limits of a grant are held against, by position. */
  readonly args: readonly Tag[]
  /** 16 unpredictable bytes: the same request is taken once. */
  readonly nonce: Bytes
  /** Seconds since 1970. */
  readonly at: number
  /** At most a day after `at`: for so long whoever is asked remembers it. */
  readonly expires: number
}

export type OpenCapRequest = Opened<CapRequest>

/** What a new request is to say. */
export interface CapRequestDraft {
  readonly audience: ContentId
  readonly action: string
  readonly object: Tag
  readonly args?: readonly Tag[]
  /** 16 bytes, drawn at random. */
  readonly nonce: Uint8Array
  readonly at: Date
  readonly expires: Date
}

/** The type under which requests are signed. */
export const CAP_REQUEST = 'cap-request'
const NONCE_LENGTH = 16
const MAX_ARGS = 64
const MAX_ACTION = 256
const MAX_SECONDS = 24 * 60 * 60

const format = recordFormat<typeof CAP_REQUEST, CapRequest>(
  CAP_REQUEST,
  ['audience', 'action', 'object', 'args', 'nonce', 'at', 'expires'],
  ({ audience, action, object, args, nonce, at, expires }) => {
    checkRecord(isLink(audience), CAP_REQUEST, '"audience" is no link')
    checkRecord(isAction(action), CAP_REQUEST, `"action" is not a word of at most ${MAX_ACTION} characters`)
    checkRecord(Array.isArray(args) && args.length <= MAX_ARGS, CAP_REQUEST, `"args" is no list of at most ${MAX_ARGS}`)
    checkRecord(
      nonce instanceof Uint8Array && nonce.length === NONCE_LENGTH,
      CAP_REQUEST,
      `"nonce" is not ${NONCE_LENGTH} bytes`,
    )
    const [from, until] = [natural(CAP_REQUEST, 'at', at), natural(CAP_REQUEST, 'expires', expires)]
    checkRecord(from < until && until - from <= MAX_SECONDS, CAP_REQUEST, 'it does not expire within a day')
    return {
      audience: link(audience.id),
      action,
      object: parseTag(object),
      args: args.map(parseTag),
      nonce: copyBytes(nonce),
      at: from,
      expires: until,
    }
  },
)

/** What is signed in a request, for signers that are not in one place. Throws for contents that no reader takes. */
export const capRequestPayload: (draft: CapRequestDraft) => Bytes = (draft) => format.payload(recordOf(draft))

/** Signs a request. Throws `CAPS_RECORD_INVALID`, `CAPS_TAG_INVALID` before anything is signed. */
export async function createCapRequest(
  draft: CapRequestDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign(recordOf(draft), signers, options)
}

/** Reads a request. Throws `CAPS_RECORD_INVALID`, `CAPS_TAG_INVALID`. Verifies no signature. */
export const openCapRequest: (envelope: Envelope) => OpenCapRequest = format.open

function recordOf({ audience, action, object, args = [], nonce, at, expires }: CapRequestDraft): CapRequest {
  return {
    type: CAP_REQUEST,
    v: 1,
    audience: link(audience),
    action,
    object,
    args,
    nonce: copyBytes(nonce),
    at: secondsOf(at),
    expires: secondsOf(expires),
  }
}

function isAction(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ACTION && value !== ANY
}
