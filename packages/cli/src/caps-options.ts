import type { ContentId } from '@vault/core'
import type { Vault } from '@vault/embedded'
import { type AsOptions, actingAs } from './as-options.ts'
import { EXIT, type ExitCode, UsageError } from './exit-code.ts'
import { grantWords } from './grant-text.ts'
import { openKeystore } from './keystore-options.ts'
import type { Output } from './output.ts'
import type { OutputFiles } from './output-files.ts'
import { existingPassphrase } from './passphrase.ts'
import { principalNames } from './principal-names.ts'

/** The word that stands for the vault's own operators instead of a key of one's own. */
export const OPERATORS = 'operators'
/** The words that stand for the vault, and for the key of the place, before a name that they give. */
const [THIS_VAULT, THIS_PLACE] = ['vault', 'place']

/** Who signs a certificate or revocation: keys of one's own, or, without any, the operators of the vault. */
export async function signingBy(
  options: AsOptions,
): Promise<Pick<NonNullable<Parameters<Vault['issueCap']>[1]>, 'signers' | 'passphrase'>> {
  const names = (options.as ?? []).filter((name) => name !== OPERATORS)
  if (names.length > 0 && names.length < (options.as ?? []).length)
    throw new UsageError('The operators of the vault sign alone: name them, or keys of your own.')
  const acting = await actingAs({ ...options, as: names })
  if (acting !== undefined) return { signers: acting.as }
  const file = options.asPassphraseFile
  const from = file === undefined ? {} : { passphraseFile: file }
  return { passphrase: () => existingPassphrase(from, process, "the vault's operators' key") }
}

/** The options with which the vault is opened for that: what is signed by itself needs no other leave. */
export function openingFor<Options extends AsOptions>(options: Options): Options {
  return { ...options, as: (options.as ?? []).filter((name) => name !== OPERATORS) }
}

/** `30d`, `12h`, a date as `2027-01-31`, a time of ISO 8601, or `never`. What is over already is refused: nothing would come of it. */
export function parseExpiry(option: string, text: string, now: Date): Date | null {
  return text === 'never' ? null : parseTime(option, text, now, '30d, 12h or never')
}

/** The same of what cannot be for ever; `why` says so. */
export function parseEnd(option: string, text: string, now: Date, why: string): Date {
  if (text === 'never') throw new UsageError(`${option} takes a time: ${why}.`)
  return parseTime(option, text, now, '30d or 12h')
}

function parseTime(option: string, text: string, now: Date, forms: string): Date {
  const [, count = '', unit = ''] = /^(\d{1,5})([dh])$/.exec(text) ?? []
  const hours = unit === 'd' ? 24 : 1
  const at =
    count === ''
      ? new Date(/^\d{4}-\d\d-\d\d(T.*)?$/.test(text) && isDay(text.slice(0, 10)) ? text : Number.NaN)
      : new Date(now.getTime() + Number(count) * hours * 3_600_000)
  if (Number.isNaN(at.getTime())) throw new UsageError(`${option} takes a date as 2027-01-31, ${forms}, not ${text}.`)
  if (at <= now) throw new UsageError(`${option} takes a time that is to come, and ${text} is over.`)
  return at
}

/** The platform takes a 31st of February for a day in March. */
function isDay(date: string): boolean {
  const day = new Date(date)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date)
}

/** What commands and servers ask leave for. */
export const ACTIONS: readonly string[] = [
  'approve',
  'audit',
  'export',
  'migrate',
  'move-away',
  'read',
  'receive-part',
  'reclaim',
  'recover',
  'repair',
  'restore',
  'rotate-keys',
  'write',
]

/** The verbs of `--action`; `*` stands for all. */
export function actionsOf(text: string): readonly string[] | '*' {
  if (text === '*') return text
  const verbs = text.split(',').map((verb) => verb.trim())
  if (verbs.includes('')) throw new UsageError('--action takes verbs with commas between them, as read,write; or "*".')
  return verbs
}

/** The verb of `--do`. */
export function askedAction(output: Output, verb: string): string {
  if (verb.trim() === '') throw new UsageError('--do takes what somebody wants to do, as read, write or migrate.')
  warnOfActions(output, [verb])
  return verb
}

/** Warns of verbs for which no command asks: a program of one's own may, and a slip of the pen does not. */
export function warnOfActions(output: Output, actions: readonly string[] | '*'): void {
  if (actions === '*') return
  const unknown = actions.filter((verb) => !ACTIONS.includes(verb))
  if (unknown.length === 0) return
  const named = unknown.map((verb) => JSON.stringify(verb)).join(', ')
  output.warn(`Warning: no command asks for ${named}. They ask for ${ACTIONS.join(', ')}.`)
}

/** What `--to` takes. */
export const TO_WHOM =
  'ed25519:…, did:key:…, a name in your keystore, whoever is called so, as vault/accountants or ana/friends, or a threshold as 2-of:K1,K2,K3'

/** For whom it is said: who acts, and in which vault. */
interface IssuedFor {
  readonly vault: Pick<Vault, 'id' | 'place'>
  readonly options: AsOptions
  readonly files?: OutputFiles
  /** The certificate on which it was granted. */
  readonly from?: ContentId
  /** That of the place itself, where it was signed beside. */
  readonly own?: ContentId | undefined
}

/** Says what was issued, to whom, and warns of what may surprise whoever issued it. */
export async function sayIssued(
  output: Output,
  { id, envelope, expires, findings, revives }: Awaited<ReturnType<Vault['issueCap']>>,
  { vault, options, files, from, own }: IssuedFor,
): Promise<ExitCode> {
  const { openCapCert, principalText } = await import('@vault/spki-caps')
  const { subject, tag } = openCapCert(envelope).record
  const [called, words] = [await principalNames(options, vault), await grantWords(vault.id)]
  for (const { message, code } of findings) output.warn(`Warning: ${message} [${code}]`)
  if (revives.length > 0)
    output.warn(
      `Note: with it ${revives.length === 1 ? 'another certificate counts' : `${revives.length} other certificates count`} that did not before: ${revives.join(', ')}. A half counts once it is complete, and what was granted on from one that was taken back goes on with another to the same holder: revoke what is not meant.`,
    )
  const until = expires?.toISOString() ?? null
  const granting = { ...(from !== undefined && { from }), ...(own !== undefined && { place_certificate: own }) }
  const result = { ok: true, id, ...granting, expires: until, findings, revives }
  const granted = `${called(principalText(subject))} may ${words(tag)}`
  const text = `Issued ${id}: ${granted}, ${until === null ? 'for ever' : `until ${until}`}.`
  if (files !== undefined) return await files.report(output, result, text)
  await output.result(result, text)
  return EXIT.ok
}

/** A path in the vault. What is no path below it would be all of it, which is said by leaving the option out. */
export function pathOf(option: string, name: string): readonly string[] {
  if (name === '') throw new UsageError(`${option} names something in the vault. Leave it out for all of it.`)
  return name.split('/')
}

/** The keys of a word: a key, the name of one in the keystore, or several joined by commas. */
export async function keysOf(word: string, options: AsOptions): Promise<readonly Key[]> {
  const keyOf = await keyReader(options)
  return await Promise.all(word.split(',').map(keyOf))
}

type Key = Parameters<Vault['caps']['ask']>[0] extends Iterable<infer One> ? One : never
type Subject = Parameters<Vault['issueCap']>[0]['to']

async function keyReader(options: AsOptions): Promise<(one: string) => Promise<Key>> {
  const { parsePublicKey } = await import('@vault/embedded')
  const keystore = await openKeystore(options)
  return async (one) => (/^(ed25519|did):/.test(one) ? parsePublicKey(one) : (await keystore.find(one)).key)
}

/** Whose names are given in a word: those of a vault, or of the key of a place. */
interface Naming {
  readonly vault?: Vault['id']
  /** Asked for where a word names it. */
  readonly place?: () => Promise<Key>
}

/**
 * To whom is granted: a key or its name; whoever is called so, `vault/accountants` or `hr/accountants`, or of a place `place/movers`; or a
 * threshold of these, `2-of:ana,ben,eva`. Without a vault `vault/…` is nobody.
 */
export async function principalOf(word: string, options: AsOptions, { vault, place }: Naming = {}): Promise<Subject> {
  const { nameOf, thresholdOf, vaultPrincipal } = await import('@vault/embedded')
  const keyOf = await keyReader(options)
  const subjectOf = async (one: string): Promise<Subject> => {
    const [whose = '', ...names] = one.split('/')
    if (names.length === 0) return await keyOf(one)
    if (whose === THIS_PLACE && place !== undefined) return nameOf(await place(), ...names)
    if (whose !== THIS_VAULT) return nameOf(await keyOf(whose), ...names)
    if (vault === undefined) throw new UsageError('The names of a vault mean nothing to a place: name a key.')
    return nameOf(vaultPrincipal(vault), ...names)
  }
  const [, threshold, members] = /^(\d{1,2})-of:(.+)$/.exec(word) ?? []
  const words = (members ?? word).split(',')
  if (new Set(words).size < words.length) throw new UsageError(`Each member is named once, not as in ${word}.`)
  const subjects = await Promise.all(words.map(subjectOf))
  const [subject, ...others] = subjects
  if (threshold !== undefined) return thresholdOf(Number(threshold), subjects)
  if (subject === undefined || others.length > 0)
    throw new UsageError(`One key, a name as vault/accountants, or a threshold as 2-of:K1,K2,K3, not ${word}.`)
  return subject
}
