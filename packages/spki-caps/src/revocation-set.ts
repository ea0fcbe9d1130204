import type { AbortOptions, Bytes, ContentId, Envelope, Link, Signer } from '@vault/core'
import { compareIds, isLink, link } from '@vault/core'
import type { Principal } from './principal.ts'
import type { Issuer, Opened, RecordHead } from './record.ts'
import { checkRecord, natural, parseIssuer, recordFormat, secondsOf } from './record.ts'

/**
 * All revocations that its issuer knows, at a time: who has a set that is fresh knows that nothing was left out. The
 * intervals of the sets of one issuer do not overlap, so at every moment at most one of them is the present one.
 */
export interface RevocationSet extends RecordHead<'cap-revocation-set'>, Issuer {
  /** One more than that of the set before. */
  readonly seq: number
  /** The set before; `null` in the first. */
  readonly prev: Link | null
  /** Seconds since 1970: when it was made. */
  readonly from: number
  /** Seconds since 1970: when the next one will have been made; up to then this one is the present one. */
  readonly next: number
  /** The revocations, by the ids of their payloads: distinct, in the order of their bytes. */
  readonly revocations: readonly Link[]
}

export type OpenRevocationSet = Opened<RevocationSet>

/** What a new set is to say. */
export interface RevocationSetDraft {
  readonly issuer: Principal
  readonly epoch?: number
  /** The set before it. */
  readonly previous?: OpenRevocationSet
  readonly from: Date
  readonly next: Date
  /** In any order; those of the previous set with them. */
  readonly revocations: readonly ContentId[]
}

/** The type under which sets of revocations are signed. */
export const REVOCATION_SET = 'cap-revocation-set'

const MAX_REVOCATIONS = 16_384
const LIMITS = { maxBytes: 1024 * 1024, maxItems: 2 * MAX_REVOCATIONS }

const format = recordFormat<typeof REVOCATION_SET, RevocationSet>(
  REVOCATION_SET,
  ['issuer', 'epoch', 'seq', 'prev', 'from', 'next', 'revocations'],
  ({ issuer, epoch, seq, prev, from, next, revocations }) => {
    const number = natural(REVOCATION_SET, 'seq', seq)
    checkRecord(prev === null || isLink(prev), REVOCATION_SET, '"prev" is no link')
    checkRecord((prev === null) === (number === 0), REVOCATION_SET, '"prev" is null in the first and only there')
    const [begin, end] = [natural(REVOCATION_SET, 'from', from), natural(REVOCATION_SET, 'next', next)]
    checkRecord(begin < end, REVOCATION_SET, 'its interval is empty')
    return {
      ...parseIssuer(REVOCATION_SET, issuer, epoch),
      seq: number,
      prev: prev === null ? null : link(prev.id),
      from: begin,
      next: end,
      revocations: parseLinks(revocations),
    }
  },
  LIMITS,
)

/** What is signed in a set, for signers that are not in one place. Throws for contents that no reader takes. */
export const revocationSetPayload: (draft: RevocationSetDraft) => Bytes = (draft) => format.payload(recordOf(draft))

/** Signs a set. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID` before anything is signed. */
export async function createRevocationSet(
  draft: RevocationSetDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign(recordOf(draft), signers, options)
}

/** Reads a set. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`. Verifies no signature. */
export const openRevocationSet: (envelope: Envelope) => OpenRevocationSet = format.open

function recordOf(draft: RevocationSetDraft): RevocationSet {
  const { issuer, epoch = null, previous, from, next, revocations } = draft
  const record: RevocationSet = {
    type: REVOCATION_SET,
    v: 1,
    issuer,
    epoch,
    seq: previous === undefined ? 0 : previous.record.seq + 1,
    prev: previous === undefined ? null : link(previous.id),
    from: secondsOf(from),
    next: secondsOf(next),
    revocations: [...new Set(revocations)].sort(compareIds).map(link),
  }
  if (previous !== undefined) {
    checkRecord(record.from >= previous.record.next, REVOCATION_SET, 'its interval overlaps that of the set before')
    const listed = new Set(revocations)
    const kept = previous.record.revocations.every(({ id }) => listed.has(id))
    checkRecord(kept, REVOCATION_SET, 'it leaves out a revocation of the set before')
  }
  return record
}

function parseLinks(value: unknown): readonly Link[] {
  checkRecord(
    Array.isArray(value) && value.length <= MAX_REVOCATIONS && value.every(isLink),
    REVOCATION_SET,
    `"revocations" is no list of at most ${MAX_REVOCATIONS} links`,
  )
  const links: readonly Link[] = value
  checkRecord(
    links.every(({ id }, i) => i === 0 || compareIds((links[i - 1] as Link).id, id) < 0),
    REVOCATION_SET,
    'its revocations are not distinct and in the order of their bytes',
  )
  return links.map(({ id }) => link(id))
}
