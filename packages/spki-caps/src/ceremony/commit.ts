import type { Bytes, ContentId, Envelope, KeyId, Link } from '@vault/core'
import { contentId, decode, encode, encodeEnvelope, hasFields, isLink, isVaultError, link } from '@vault/core'
import type { Opened } from '../record.ts'
import type { Contribution } from './contribution.ts'
import { checkFile } from './error.ts'
import type { OpenPlan } from './open-plan.ts'
import type { Receipt } from './receipt.ts'

/** The end of a ceremony: every document that counts, and what came of them. It has no signature of its own, as it follows from those. */
export interface Commit {
  /** The id of the transcript: what witnesses attest, and what the audit log names. */
  readonly id: ContentId
  readonly bytes: Bytes
  /** Those that it names. */
  readonly documents: Documents
  /** Signed by all who contributed to it; absent where no keys of a vault are replaced. */
  readonly keyEvent?: Envelope
}

/** The documents of a ceremony that count, each by the key of its member. */
export interface Documents {
  readonly contributions: ReadonlyMap<KeyId, Opened<Contribution>>
  readonly receipts: ReadonlyMap<KeyId, Opened<Receipt>>
}

const TYPE = 'ceremony-commit'
const MAX_BYTES = 2 * 1024 * 1024

/** What these documents give; whether they are enough is another question. The same for the same documents. */
export function commitOf({ id, event }: OpenPlan, documents: Documents): Commit {
  const given = inOrder(documents.contributions)
  const signatures = given.flatMap(({ record: { key, event: signature } }) =>
    signature === null ? [] : [{ key, signature }],
  )
  const keyEvent = event && { payload: event.payload, signatures }
  const bytes = encode({
    type: TYPE,
    v: 1,
    plan: link(id),
    contributions: given.map((each) => link(each.id)),
    receipts: inOrder(documents.receipts).map((each) => link(each.id)),
    event: keyEvent === undefined ? null : encodeEnvelope(keyEvent),
  })
  return { id: transcriptId(bytes), bytes, documents, ...(keyEvent && { keyEvent }) }
}

/**
 * The commit in these bytes, which must be exactly what those of these documents give that it names. Throws a `FileRefusal`.
 */
export function readCommit(bytes: Uint8Array, open: OpenPlan, documents: Documents): Commit {
  const { plan, contributions, receipts } = parseCommit(bytes)
  checkFile(plan.id === open.id, 'CEREMONY_FILE_FOREIGN', 'it is of another ceremony')
  const named = {
    contributions: only(documents.contributions, contributions),
    receipts: only(documents.receipts, receipts),
  }
  const commit = commitOf(open, named)
  checkFile(
    commit.id === transcriptId(bytes),
    'CEREMONY_COMMIT_INVALID',
    'it is not what the documents give that it names, or one of them is missing',
  )
  return commit
}

/** The ids of all documents that a commit names. Throws a `FileRefusal`. */
export function namedIn(bytes: Uint8Array): ReadonlySet<ContentId> {
  const { contributions, receipts } = parseCommit(bytes)
  return new Set([...contributions, ...receipts])
}

function parseCommit(bytes: Uint8Array): {
  readonly plan: Link
  readonly contributions: ReadonlySet<ContentId>
  readonly receipts: ReadonlySet<ContentId>
} {
  const value = decodeStrictly(bytes)
  checkFile(
    hasFields(value, 'type', 'v', 'plan', 'contributions', 'receipts', 'event') && value.type === TYPE && value.v === 1,
    'CEREMONY_FILE_INVALID',
    'it is no commit of version 1',
  )
  const { plan, contributions, receipts } = value
  // Whatever else they hold is found out by comparing the whole.
  const ids = (list: unknown) => new Set((Array.isArray(list) ? list : []).map((each: Link) => each?.id))
  checkFile(isLink(plan), 'CEREMONY_FILE_INVALID', 'it names no plan')
  return { plan, contributions: ids(contributions), receipts: ids(receipts) }
}

function decodeStrictly(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { maxBytes: MAX_BYTES })
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    return undefined
  }
}

function only<T>(documents: ReadonlyMap<KeyId, Opened<T>>, ids: ReadonlySet<ContentId>): Map<KeyId, Opened<T>> {
  return new Map([...documents].filter(([, { id }]) => ids.has(id)))
}

function inOrder<T>(documents: ReadonlyMap<KeyId, Opened<T>>): readonly Opened<T>[] {
  return [...documents].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, opened]) => opened)
}

function transcriptId(bytes: Uint8Array): ContentId {
  return contentId(bytes, { hash: 'sha2-256', codec: 'dag-cbor' })
}
