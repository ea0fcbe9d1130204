import type { AbortOptions, ContentId, Envelope, Finding, KeyId, Link, Signer } from '@vault/core'
import { contentId, countSigners, encode, hasFields, isLink, link } from '@vault/core'
import type { Opened, RecordHead } from './record.ts'
import { checkRecord, keyField, natural, recordFormat, secondsOf } from './record.ts'

/**
 * Somebody with a key, who says by this key what he has done so far: his statistics are a part of what he signs, so nobody else changes
 * them. It is a checkpoint: what was done since lies elsewhere, unsigned, until the next one.
 */
export interface PrincipalObject extends RecordHead<'principal'> {
  readonly name: string
  /** Signs it. */
  readonly key: KeyId
  /** A day, as `2026-01-06`. */
  readonly created: string
  /** Grows with each checkpoint, from 1. */
  readonly seq: number
  /** The checkpoint before; `null` in the first. */
  readonly prev: Link | null
  readonly stats: PrincipalStats
}

/** What a principal counts; none of it ever goes down. */
export interface PrincipalStats {
  readonly signaturesIssued: number
  readonly delegationsGranted: number
  /** Seconds since 1970. */
  readonly lastActive: number
}

export type OpenPrincipalObject = Opened<PrincipalObject>

/** What a new checkpoint is to say. */
export interface PrincipalDraft extends Omit<PrincipalStats, 'lastActive'> {
  readonly lastActive: Date
  /** Who it is about, in the first checkpoint; or the one before. */
  readonly of: { readonly name: string; readonly created: string } | OpenPrincipalObject
}

/** The `code` of the findings about two checkpoints. */
export type PrincipalFindingCode =
  /** They are about different principals: of another name, key or day. */
  | 'CAPS_OBJECT_FOREIGN'
  /** The second is not the later one, or says that another one was before it: something was put back, or two were made of one. */
  | 'CAPS_OBJECT_ORDER'
  /** A number is lower than it was. `subject`: which. */
  | 'CAPS_OBJECT_LOWER'

const PRINCIPAL = 'principal'
const MAX_NAME = 256

const format = recordFormat<typeof PRINCIPAL, PrincipalObject>(
  PRINCIPAL,
  ['name', 'key', 'created', 'seq', 'prev', 'stats'],
  ({ name, key, created, seq, prev, stats }) => {
    checkRecord(
      typeof name === 'string' && name.length > 0 && name.length <= MAX_NAME,
      PRINCIPAL,
      `"name" is no text of 1 to ${MAX_NAME}`,
    )
    checkRecord(typeof created === 'string' && isDay(created), PRINCIPAL, '"created" is no day')
    const number = natural(PRINCIPAL, 'seq', seq)
    checkRecord(prev === null || isLink(prev), PRINCIPAL, '"prev" is neither null nor a link')
    checkRecord(
      number > 0 && (number === 1) === (prev === null),
      PRINCIPAL,
      '"prev" is null in the first, and only there',
    )
    return {
      name,
      key: keyField(PRINCIPAL, 'key', key),
      created,
      seq: number,
      prev: prev === null ? null : link(prev.id),
      stats: parseStats(stats),
    }
  },
)

/**
 * Signs a checkpoint, the first or the next. Throws `CAPS_RECORD_INVALID` before anything is signed, and a `RangeError` where a number is
 * lower than in the one before.
 */
export async function createPrincipalObject(
  { of, signaturesIssued, delegationsGranted, lastActive }: PrincipalDraft,
  signer: Signer,
  options?: AbortOptions,
): Promise<Envelope> {
  const before = 'record' in of ? of : undefined
  const { name, created } = 'record' in of ? of.record : of
  const { key } = signer
  const seq = (before?.record.seq ?? 0) + 1
  const prev = before === undefined ? null : link(before.id)
  const stats = { signaturesIssued, delegationsGranted, lastActive: secondsOf(lastActive) }
  const record: PrincipalObject = { type: PRINCIPAL, v: 1, name, key, created, seq, prev, stats }
  const fault = before && faultsBetween(before.record, record)[0]
  if (fault !== undefined) throw new RangeError(fault.message)
  return await format.sign(record, [signer], options)
}

/** Reads a checkpoint. Throws `CAPS_RECORD_INVALID`. Verifies no signature: see `verifyPrincipalObject`. */
export const openPrincipalObject: (envelope: Envelope) => OpenPrincipalObject = format.open

/** Reads a checkpoint that its principal has signed. Throws `CAPS_RECORD_INVALID`, and `SIGNATURE_THRESHOLD` for any that was changed since. */
export function verifyPrincipalObject(envelope: Envelope): OpenPrincipalObject {
  const opened = openPrincipalObject(envelope)
  countSigners(envelope, PRINCIPAL, { keys: [opened.record.key], threshold: 1 })
  return opened
}

/** What stays the same in all checkpoints of a principal: the content id of its name, key and day. */
export function principalIdentity({
  name,
  key,
  created,
}: Pick<PrincipalObject, 'name' | 'key' | 'created'>): ContentId {
  const core = encode({ type: `${PRINCIPAL}-core`, v: 1, name, key, created })
  return contentId(core, { hash: 'sha2-256', codec: 'dag-cbor' })
}

/**
 * Why a checkpoint does not follow another one; empty where it does. Both are verified. What is found is evidence that something was put
 * back, signed by the principal itself: keep both.
 */
export function followsPrincipal(before: OpenPrincipalObject, after: OpenPrincipalObject): readonly Finding[] {
  const say = (message: string): Finding => ({ code: 'CAPS_OBJECT_ORDER' satisfies PrincipalFindingCode, message })
  const [from, to] = [before.record, after.record]
  const order =
    to.seq <= from.seq
      ? [say(`The checkpoint ${to.seq} does not come after ${from.seq}.`)]
      : to.seq === from.seq + 1 && to.prev?.id !== before.id
        ? [say(`The checkpoint ${to.seq} follows another one than this ${from.seq}.`)]
        : []
  return [...order, ...faultsBetween(from, to)]
}

function faultsBetween(before: PrincipalObject, after: PrincipalObject): readonly Finding[] {
  if (principalIdentity(before) !== principalIdentity(after)) {
    const code = 'CAPS_OBJECT_FOREIGN' satisfies PrincipalFindingCode
    return [{ code, message: `${after.name} with the key ${after.key} is another principal than ${before.name}.` }]
  }
  const names = ['signaturesIssued', 'delegationsGranted', 'lastActive'] as const
  return names
    .filter((name) => after.stats[name] < before.stats[name])
    .map((name) => ({
      code: 'CAPS_OBJECT_LOWER' satisfies PrincipalFindingCode,
      message: `${name} was ${before.stats[name]} and is ${after.stats[name]}: it never goes down.`,
      subject: name,
    }))
}

function parseStats(value: unknown): PrincipalStats {
  const names = ['signaturesIssued', 'delegationsGranted', 'lastActive'] as const
  checkRecord(hasFields<string>(value, ...names), PRINCIPAL, '"stats" is no map of its three fields')
  const [signaturesIssued, delegationsGranted, lastActive] = names.map((name) => natural(PRINCIPAL, name, value[name]))
  return { signaturesIssued, delegationsGranted, lastActive } as PrincipalStats
}

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
