import {
  type AbortOptions,
  type ContentId,
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  hashBytes,
  toHex,
  unlessRefused,
  utf8,
  VaultError,
} from '@vault/core'
import { type Change, declarationKey, type Entry, type SoupReader } from '@vault/soup'
import {
  indexTexts,
  openApproval,
  openProofCert,
  openRevocation,
  openRevocationSet,
  openStandingMandate,
} from '@vault/spki-caps'
import type { CapEntryErrorCode } from './revoke-cap.ts'

/** The key of a certificate in the soup begins so, and goes on with its id. */
export const CAP_PREFIX = 'cap:'
/** That of a revocation. */
export const REVOCATION_PREFIX = 'rev:'
/** That of a set of revocations. */
export const SET_PREFIX = 'rev-set:'
/** Under which a certificate is found by those to whom it grants: a hash, because a threshold of many is a long text. */
const SUBJECT_PREFIX = 'cap-to:'

/** That of an approval, before the id of what is approved and its own. */
export const APPROVAL_PREFIX = 'approval:'
/** That of a mandate, before the action and its number. */
export const MANDATE_PREFIX = 'mandate:'
/** That of a validation, before the certificate and who made it. */
export const VALIDATION_PREFIX = 'cap-valid:'

const CAPABILITY = 'capability'
const SUBJECT = 'capability-subject'
const REVOCATION = 'revocation'
const REVOCATION_SET = 'revocation-set'
const APPROVAL = 'approval'
const MANDATE = 'mandate'
/** The type of validations: the only one of these whose entries change, each to a later one. */
export const VALIDATION = 'capability-validation'
const ALWAYS: readonly string[] = [CAPABILITY, SUBJECT, REVOCATION, REVOCATION_SET]
/** The types of all these entries. */
export const CAP_ENTRY_TYPES: readonly string[] = [...ALWAYS, APPROVAL, MANDATE, VALIDATION]

/** A certificate as it is kept. */
interface KeptCap {
  readonly id: ContentId
  readonly envelope: Envelope
  /** The number of the vault's last key event when it was brought in: an entry of this type never changes. */
  readonly anchor: number
}

/** What the types of these entries declare: they never change and never go. Not every vault has approvals, mandates and validations. */
function declarationsFor(entries: readonly Entry[]): readonly Entry[] {
  const types = new Set([...ALWAYS, ...entries.map(({ type }) => type)])
  return [...types].map((type) => ({
    key: declarationKey(type),
    type: 'type',
    fields: { rollback: type === VALIDATION ? 'snapshot' : 'none' },
  }))
}

/** The change that brings such entries into a vault, with the declarations that it does not have yet. */
export async function bringing(
  entries: readonly Entry[],
  soup: Pick<SoupReader, 'entry'>,
  options: AbortOptions,
): Promise<Pick<Change, 'entries'>> {
  const declarations = declarationsFor(entries)
  const declared = await Promise.all(declarations.map(({ key }) => soup.entry(key, options)))
  return { entries: { put: [...declarations.filter((_, i) => declared[i] === undefined), ...entries] } }
}

/** The entries of a certificate, which grants or names: its own, and one for everybody to whom it grants, or whom it names. */
export function capEntries({ envelope, anchor }: Omit<KeptCap, 'id'>): readonly Entry[] {
  const { id, record } = openProofCert(envelope)
  return [
    { key: `${CAP_PREFIX}${id}`, type: CAPABILITY, fields: { envelope: encodeEnvelope(envelope), anchor } },
    ...indexTexts(record.subject).map((text) => ({ key: `${subjectPrefix(text)}${id}`, type: SUBJECT, fields: {} })),
  ]
}

/** With this the keys of the entries begin that name the certificates which grant to the principal with this text. */
export function subjectPrefix(text: string): string {
  return `${SUBJECT_PREFIX}${toHex(hashBytes('sha2-256', utf8(text)))}/`
}

/** The certificate in an entry; `undefined` where there is none, or another one than its key says: what is not readable grants nothing. */
export function keptCap({ key, fields }: Entry): KeptCap | undefined {
  const { anchor } = fields
  const opened = openedIn(fields.envelope, openProofCert)
  if (opened === undefined || typeof anchor !== 'number' || key !== `${CAP_PREFIX}${opened.id}`) return undefined
  return { id: opened.id, envelope: opened.envelope, anchor }
}

export function revocationEntry(envelope: Envelope): Entry {
  const { id } = openRevocation(envelope)
  return { key: `${REVOCATION_PREFIX}${id}`, type: REVOCATION, fields: { envelope: encodeEnvelope(envelope) } }
}

export function revocationSetEntry(envelope: Envelope): Entry {
  const { id } = openRevocationSet(envelope)
  return { key: `${SET_PREFIX}${id}`, type: REVOCATION_SET, fields: { envelope: encodeEnvelope(envelope) } }
}

export function approvalEntry(envelope: Envelope): Entry {
  const { id, record } = openApproval(envelope)
  const fields = { envelope: encodeEnvelope(envelope) }
  return { key: `${APPROVAL_PREFIX}${record.act.id}/${id}`, type: APPROVAL, fields }
}

export function mandateEntry(envelope: Envelope): Entry {
  const { action, seq } = openStandingMandate(envelope).record
  return { key: `${MANDATE_PREFIX}${action}/${seq}`, type: MANDATE, fields: { envelope: encodeEnvelope(envelope) } }
}

/** The revocation in an entry; `undefined` where there is none, or another one than its key says. */
export function keptRevocation({ key, fields }: Entry): Envelope | undefined {
  const opened = openedIn(fields.envelope, openRevocation)
  return opened !== undefined && key === `${REVOCATION_PREFIX}${opened.id}` ? opened.envelope : undefined
}

/** The set of revocations in an entry; `undefined` as above. */
export function keptRevocationSet({ key, fields }: Entry): Envelope | undefined {
  const opened = openedIn(fields.envelope, openRevocationSet)
  return opened !== undefined && key === `${SET_PREFIX}${opened.id}` ? opened.envelope : undefined
}

/** With one of these the key of every such entry begins, and with no other one. */
export const CAP_ENTRY_PREFIXES: readonly string[] = [
  CAP_PREFIX,
  REVOCATION_PREFIX,
  SET_PREFIX,
  SUBJECT_PREFIX,
  APPROVAL_PREFIX,
  MANDATE_PREFIX,
  VALIDATION_PREFIX,
]

/** Whether an entry is one of these, which come in only by being issued: what they say of their time is relied on. */
function isCapEntry(key: string, type = ''): boolean {
  const isKey = CAP_ENTRY_PREFIXES.some((prefix) => key.startsWith(prefix))
  return isKey || CAP_ENTRY_TYPES.includes(type) || CAP_ENTRY_TYPES.some((name) => key === declarationKey(name))
}

/** Throws `CAPS_RESERVED` for a change that names one of them. */
export function refuseCapEntries({ entries = {} }: Pick<Change, 'entries'>): void {
  const named =
    entries.put?.find(({ key, type }) => isCapEntry(key, type))?.key ?? entries.remove?.find((key) => isCapEntry(key))
  if (named !== undefined) throw reserved(named, 'issue or revoke one instead.')
}

/** Throws `CAPS_RESERVED` where one of them is among entries that are to be taken out of another vault. */
export function screenPart(entries: readonly Entry[]): void {
  const named = entries.find(({ key, type }) => isCapEntry(key, type))?.key
  if (named === undefined) return
  throw reserved(
    named,
    'they are of their vault, and no part of another one. Select less, as only files (--where type=path), and grant there what is to be granted. Nothing was written.',
  )
}

function reserved(key: string, advice: string): VaultError<CapEntryErrorCode> {
  return new VaultError({
    code: 'CAPS_RESERVED',
    message: `The entry ${JSON.stringify(key)} is one of those in which certificates are kept: ${advice}`,
    details: { key },
  })
}

/** What is in the field of an entry; `undefined` where it is not that. */
export function openedIn<T>(value: unknown, open: (envelope: Envelope) => T): T | undefined {
  return value instanceof Uint8Array ? unlessRefused(() => open(decodeEnvelope(value))) : undefined
}
