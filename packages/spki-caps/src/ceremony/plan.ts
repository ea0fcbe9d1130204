import type {
  AbortOptions,
  Bytes,
  ContentParameters,
  Envelope,
  KeyEventContext,
  KeyEventReason,
  KeyId,
  NextKeys,
  Roles,
  Signer,
  Threshold,
} from '@vault/core'
import {
  hasFields,
  isVaultError,
  parseContent,
  parseContext,
  parseWitnesses as parseKeyWitnesses,
  parseNextKeys,
  parseRoles,
} from '@vault/core'
import { invalidRecord } from '../error.ts'
import type { Opened, RecordHead } from '../record.ts'
import { checkRecord, keyField, natural, recordFormat } from '../record.ts'
import type { Software } from './field.ts'
import { bytesField, checkAscending, keysField, listField, MAX_KEYS, nameField, softwareField } from './field.ts'

/** What a ceremony is to do, and who has which part in it. Whoever takes part signs its id, so nothing of it can be changed. */
export interface CeremonyPlan extends RecordHead<'ceremony-plan'> {
  /** 16 unpredictable bytes: the same ceremony planned twice is two. */
  readonly nonce: Bytes
  /** Seconds since 1970: from when until when its documents may be made. The key event, if any, says `created`. */
  readonly created: number
  readonly expires: number
  /** Who planned it and signs the plan. */
  readonly proposer: KeyId
  readonly software: Software
  /** Everybody who has a part, by key, with what people call him. The names prove nothing. */
  readonly members: readonly CeremonyMember[]
  /** The keys of a vault that are replaced, or those with which one is founded. */
  readonly change: KeyChange | KeyFounding | null
  /** The keys that are split into shares, by key. */
  readonly splits: readonly KeySplit[]
  /** Who attests the whole, and how many must; none with a threshold of 0. */
  readonly witnesses: Threshold
}

export interface CeremonyMember {
  readonly key: KeyId
  readonly name: string
}

/** A key event that is to be made together. */
export interface KeyChange {
  /** All key events of the vault so far, as envelopes: whoever has the plan needs nothing else to verify. */
  readonly history: readonly Bytes[]
  readonly why: KeyEventReason
  readonly roles: Roles
  /** With `migrate`: its new keys lie at the place that receives, and sign there. */
  readonly context?: KeyEventContext
  /** Who witnesses key events from this one on; none with a threshold of 0. Default: as before. Others than the plan's, who attest the ceremony. */
  readonly witnesses?: Threshold
  /** The keys of the identity that may follow; `null` is any. Default: as before where the identity stays, else any. */
  readonly next?: NextKeys | null
}

/** A vault that is to be founded together: its inception has the nonce of the plan. */
export interface KeyFounding {
  readonly why: 'inception'
  readonly roles: Roles
  readonly content: ContentParameters
}

/** A key that is to be split. Whoever has it makes the shares, and nobody counts on them before every holder has his. */
export interface KeySplit {
  readonly key: KeyId
  /** So many of the holders give the key back. */
  readonly threshold: number
  /** In the order of the shares. */
  readonly holders: readonly ShareHolder[]
}

export interface ShareHolder {
  /** Signs the receipt. */
  readonly key: KeyId
  /** For which the share is encrypted: a recipient of age. */
  readonly recipient: string
}

/** The type under which plans are signed. */
export const PLAN = 'ceremony-plan'

// 1,024 key events, each signed by as many as there may be.
const LIMITS = { maxBytes: 2 * 1024 * 1024, maxItems: 8_192 }
const MAX_EVENTS = 1_024
const MAX_MEMBERS = 512
/** What a change says where it has something to say. */
const MORE = ['context', 'witnesses', 'next'] as const
const FIELDS = [
  ...(['nonce', 'created', 'expires', 'proposer', 'software', 'members', 'change', 'splits', 'witnesses'] as const),
]

const format = recordFormat<typeof PLAN, CeremonyPlan>(
  PLAN,
  FIELDS,
  (fields) => ({
    nonce: bytesField(PLAN, 'nonce', fields.nonce, 16),
    created: natural(PLAN, 'created', fields.created),
    expires: natural(PLAN, 'expires', fields.expires),
    proposer: keyField(PLAN, 'proposer', fields.proposer),
    software: softwareField(PLAN, fields.software),
    members: parseMembers(fields.members),
    change: fields.change === null ? null : parseChange(fields.change),
    splits: parseSplits(fields.splits),
    witnesses: parseWitnesses(fields.witnesses),
  }),
  LIMITS,
)

/** Signs a plan. Throws `CAPS_RECORD_INVALID` for what no reader takes. */
export async function signPlan(
  plan: Omit<CeremonyPlan, 'type' | 'v'>,
  proposer: Signer,
  options?: AbortOptions,
): Promise<Envelope> {
  return await format.sign({ type: PLAN, v: 1, ...plan }, [proposer], options)
}

/** Reads a plan. Throws `CAPS_RECORD_INVALID`. Verifies nothing. */
export const decodePlan: (envelope: Envelope) => Opened<CeremonyPlan> = format.open

function parseMembers(value: unknown): readonly CeremonyMember[] {
  const members = listField(PLAN, 'members', value, MAX_MEMBERS).map((member) => {
    checkRecord(hasFields(member, 'key', 'name'), PLAN, 'a member is not a map of key and name')
    return { key: keyField(PLAN, 'key', member.key), name: nameField(PLAN, 'name', member.name) }
  })
  checkAscending(
    PLAN,
    'members',
    members.map(({ key }) => key),
  )
  const names = new Set(members.map(({ name }) => name))
  checkRecord(names.size === members.length, PLAN, 'two members have the same name')
  return members
}

function parseChange(value: unknown): KeyChange | KeyFounding {
  if (hasFields(value, 'why', 'roles', 'content')) {
    const { why, roles, content } = value
    checkRecord(why === 'inception', PLAN, 'content stands with "inception" and only there')
    return {
      why,
      roles: eventField('roles', () => parseRoles(roles)),
      content: eventField('content', () => parseContent(content)),
    }
  }
  const fields = value as Partial<KeyChange> | null
  const more = MORE.filter((name) => fields?.[name] !== undefined)
  checkRecord(
    hasFields(value, 'history', 'why', 'roles', ...more),
    PLAN,
    '"change" is neither null nor a map of history, why, roles, nor one of why, roles, content',
  )
  const { history, why, roles } = value
  checkRecord(
    why === 'rotate' || why === 'recover' || why === 'migrate' || why === 'reshare' || why === 'retire',
    PLAN,
    '"why" is none of rotate, recover, migrate, reshare and retire',
  )
  const { context, witnesses, next } = value as { readonly [name in (typeof MORE)[number]]?: unknown }
  checkRecord((context !== undefined) === (why === 'migrate'), PLAN, '"context" stands with "migrate" and only there')
  return {
    history: listField(PLAN, 'history', history, MAX_EVENTS).map((event) => bytesField(PLAN, 'history', event)),
    why,
    roles: eventField('roles', () => parseRoles(roles)),
    ...(context !== undefined && { context: eventField('context', () => parseContext(context)) }),
    ...(witnesses !== undefined && { witnesses: eventField('witnesses', () => parseKeyWitnesses(witnesses)) }),
    ...(next !== undefined && { next: eventField('next', () => parseNextKeys(next)) }),
  }
}

/** A field of key events. */
function eventField<T>(name: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalidRecord(PLAN, `"${name}" is none of a key event`, cause)
  }
}

function parseSplits(value: unknown): readonly KeySplit[] {
  const splits = listField(PLAN, 'splits', value, MAX_KEYS).map((split): KeySplit => {
    checkRecord(
      hasFields(split, 'key', 'threshold', 'holders'),
      PLAN,
      'a split is not a map of key, threshold and holders',
    )
    const holders = listField(PLAN, 'holders', split.holders, MAX_KEYS).map(parseHolder)
    const threshold = natural(PLAN, 'threshold', split.threshold)
    checkRecord(threshold >= 2 && threshold <= holders.length, PLAN, 'a threshold of shares is not 2 to their number')
    checkDistinct(
      holders.map(({ key }) => key),
      'a holder is named twice for one key',
    )
    checkDistinct(
      holders.map(({ recipient }) => recipient),
      'two holders of one key have the same recipient',
    )
    return { key: keyField(PLAN, 'key', split.key), threshold, holders }
  })
  checkAscending(
    PLAN,
    'splits',
    splits.map(({ key }) => key),
  )
  return splits
}

function parseHolder(value: unknown): ShareHolder {
  checkRecord(hasFields(value, 'key', 'recipient'), PLAN, 'a holder is not a map of key and recipient')
  const { key, recipient } = value
  checkRecord(
    typeof recipient === 'string' && /^age1[a-z0-9]{1,4096}$/.test(recipient),
    PLAN,
    '"recipient" is none of age',
  )
  return { key: keyField(PLAN, 'key', key), recipient }
}

function checkDistinct(texts: readonly string[], reason: string): void {
  checkRecord(new Set(texts).size === texts.length, PLAN, reason)
}

function parseWitnesses(value: unknown): Threshold {
  checkRecord(hasFields(value, 'keys', 'threshold'), PLAN, '"witnesses" is not a map of keys and threshold')
  const keys = keysField(PLAN, 'witnesses', value.keys)
  const threshold = natural(PLAN, 'threshold', value.threshold)
  checkRecord(
    keys.length === 0 ? threshold === 0 : threshold >= 1 && threshold <= keys.length,
    PLAN,
    'the threshold of the witnesses is not between 1 and their number, or 0 where there are none',
  )
  return { keys, threshold }
}
