import type { KeyId, Roles, Threshold } from '@vault/core'
import type { KeyChange, KeyFounding, KeySplit, PlanDraft } from '@vault/spki-caps/ceremony'
import { ceremonyResult } from '../ceremony-result.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { KeyBook } from '../key-book.ts'
import { addKeystoreOption, type KeystoreOptions, openKeystore, passphraseOf } from '../keystore-options.ts'
import { addStateDirOption, openVaultAt, type StateDirOptions } from '../open-vault.ts'
import type { Output } from '../output.ts'
import { parseCount } from '../parse-count.ts'
import type { PassphraseOptions } from '../passphrase.ts'
import { thisSoftware } from '../software.ts'
import type { CeremonyProgram } from './ceremony.ts'

interface Options extends KeystoreOptions, PassphraseOptions, StateDirOptions {
  readonly out: string
  readonly as: string
  readonly identity?: string
  readonly operators?: string
  readonly log?: string
  readonly recover?: boolean
  readonly found?: boolean
  readonly reshare?: boolean
  readonly retire?: boolean
  readonly eventWitnesses?: string
  readonly next?: string
  readonly split?: string
  readonly threshold?: string
  readonly holder?: readonly string[]
  readonly witness?: string
  readonly days: string
  readonly softwareDigest?: string
}

const ROLES = ['identity', 'operators', 'log'] as const
const DAY = 24 * 60 * 60 * 1000

export function addCeremonyPlan({ ceremony, action }: CeremonyProgram): void {
  const command = ceremony
    .command('plan [dir]')
    .description('begin a ceremony: who will have which keys of a vault, or shares of a key, and who witnesses it')
    .requiredOption('--out <dir>', 'the new folder of the ceremony')
    .requiredOption('--as <name>', 'your key, which signs the plan')
    .option('--identity <keys>', 'the new identity, as 2:ana,ben,eva: any two of these three')
    .option('--operators <keys>', 'the new operators, likewise')
    .option('--log <keys>', 'the new log key; "new" makes one in the vault')
    .option('--found', 'found a new vault in this folder, which is empty or new; its log key is made there')
    .option('--recover', 'keys were lost or stolen: what the old ones granted counts no more unless it is anchored')
    .option('--reshare', 'the keys stay, and the one that is split is shared out anew')
    .option('--retire', 'the vault ends for ever')
    .option(
      '--event-witnesses <keys>',
      'who witnesses the key event and those after it, as 1:tom,mia; "none" is nobody',
    )
    .option('--next <keys>', 'commit to the identity that follows, as 2:ana,ben; "none" to none')
    .option('--split <key>', 'split this key into shares')
    .option('--threshold <k>', 'how many of the shares give the key back')
    .option('--holder <name=recipient...>', 'who gets a share, and the recipient of age that it is encrypted for')
    .option('--witness <keys>', 'who attests the ceremony, as 2:tom,mia,lea')
    .option('--days <n>', 'when it expires', '30')
    .option('--software-digest <sha256>', 'of the software that all are to use')
    .option('--passphrase-file <file>', 'opens your key; asked for at a terminal')
    .addHelpText(
      'after',
      '\nA key is a name of your keystore, or ed25519:…, did:key:…. Roles that are not named stay as they are.\n\nExamples:\n  vaultctl ceremony plan ~/vault --out council --as ana --identity 2:ana,ben,eva --witness tom\n  vaultctl ceremony plan ~/new --found --out founding --as ana --identity 2:ana,ben,eva --operators 2:ana,ben,eva\n  vaultctl ceremony plan --out backup --as ana --split ana --threshold 2 --holder ben=age1… eva=age1…',
    )
  addKeystoreOption(addStateDirOption(command))
  action<[string | undefined, Options]>(command, async ({ output }, dir, options) => {
    const { CeremonyFolder } = await import('@vault/embedded')
    const { systemRandom } = await import('@vault/core')
    const { createPlan, describePlan } = await import('@vault/spki-caps/ceremony')
    const keystore = await openKeystore(options)
    const book = await KeyBook.of(keystore)
    const now = new Date()
    const expires = new Date(now.getTime() + parseCount('--days', options.days) * DAY)
    requireVault(dir, options)
    const { softwareDigest = null } = options
    if (softwareDigest !== null && !/^[0-9a-f]{64}$/.test(softwareDigest))
      throw new UsageError('--software-digest takes a SHA-256, 64 hexadecimal digits in small letters.')
    const change = dir === undefined ? undefined : await changeOf(dir, options, book, output)
    const splits = splitsOf(options, book)
    const draft: PlanDraft = {
      ...(change !== undefined && { change }),
      ...(options.witness !== undefined && { witnesses: book.threshold(options.witness) }),
      splits,
      names: book.names,
      software: thisSoftware(softwareDigest),
      now,
      expires,
      random: systemRandom,
    }
    const { signer } = await keystore.open(options.as, passphraseOf(options.as, options))
    const folder = await CeremonyFolder.create(options.out, await createPlan(draft, signer))
    const planned = await folder.read()
    await output.result({ ok: true, dir: options.out, ...ceremonyResult(planned) }, describePlan(planned).join('\n'))
    return EXIT.ok
  })
}

/** What is said of a vault that is not named would be left out without a word. */
function requireVault(dir: string | undefined, options: Options): void {
  const { identity, operators, log, recover, found, reshare, retire, eventWitnesses, next } = options
  const said = [identity, operators, log, recover, found, reshare, retire, eventWitnesses, next]
  if (dir === undefined && said.some((each) => each !== undefined))
    throw new UsageError('Name the folder of the vault: without one, a ceremony only splits a key (--split).')
}

async function changeOf(
  dir: string,
  options: Options,
  book: KeyBook,
  output: Output,
): Promise<KeyChange | KeyFounding> {
  if (options.found === true) return await foundingIn(dir, options, book)
  const named = ROLES.filter((role) => options[role] !== undefined)
  const stays = options.retire === true ? 'retire' : 'reshare'
  const isKept = options.retire === true || options.reshare === true
  const more = await witnessedBy(options, book)
  const isNamed = named.length > 0 || Object.keys(more).length > 0
  if (isKept && (isNamed || options.recover === true || options.retire === options.reshare))
    throw new UsageError('--reshare and --retire stand alone: they replace no keys.')
  if (!isNamed && !isKept)
    throw new UsageError(
      'Say which roles get other keys: --identity, --operators, --log; or who follows or sees it: --next, --event-witnesses.',
    )
  const { createRoleKeys } = await import('@vault/embedded')
  const { copyBytes, systemRandom } = await import('@vault/core')
  await using vault = await openVaultAt(
    dir,
    { ...options, as: [], output },
    { mode: options.log === 'new' ? 'write' : 'read' },
  )
  const { roles } = await vault.keys()
  const history = (await vault.place.soups.tenures.keyEvents(vault.id)).map(copyBytes)
  const next: Record<keyof Roles, Threshold> = { ...roles }
  for (const role of named) {
    if (role === 'log' && options.log === 'new') {
      const parts = { dir: vault.place.dir, roles: ['log'] as const, passphrase: undefined, random: systemRandom }
      next.log = { keys: [(await createRoleKeys(parts)).log.key], threshold: 1 }
    } else next[role] = book.threshold(options[role] as string)
  }
  for (const role of ROLES) book.callRole(role, [...roles[role].keys, ...next[role].keys])
  const replaces = options.recover === true ? 'recover' : 'rotate'
  return { history, why: isKept ? stays : replaces, roles: next, ...more }
}

/** What the key event says of the events after it. */
async function witnessedBy(
  { eventWitnesses, next }: Options,
  book: KeyBook,
): Promise<Pick<KeyChange, 'witnesses' | 'next'>> {
  const { NO_WITNESSES, nextKeyDigest } = await import('@vault/core')
  const named = (text: string) => (text === 'none' ? undefined : book.threshold(text))
  const witnesses = eventWitnesses === undefined ? undefined : (named(eventWitnesses) ?? NO_WITNESSES)
  const following = next === undefined ? undefined : named(next)
  const committed = following && { digests: following.keys.map(nextKeyDigest), threshold: following.threshold }
  return { ...(witnesses && { witnesses }), ...(next !== undefined && { next: committed ?? null }) }
}

/** The place is made before the vault, because its log key signs the inception. */
async function foundingIn(dir: string, options: Options, book: KeyBook): Promise<KeyFounding> {
  const { identity, operators, log, recover, eventWitnesses, next } = options
  if (eventWitnesses !== undefined || next !== undefined)
    throw new UsageError('--event-witnesses and --next are for a vault that is there: an inception names none.')
  if (identity === undefined || operators === undefined || recover === true || (log ?? 'new') !== 'new')
    throw new UsageError('--found takes --identity and --operators; the log key is made in the folder.')
  const { createRoleKeys, openOrCreatePlace } = await import('@vault/embedded')
  const { DEFAULT_CONTENT, systemRandom } = await import('@vault/core')
  const keys = { identity: book.threshold(identity), operators: book.threshold(operators) }
  await using place = await openOrCreatePlace(dir)
  const parts = { dir: place.dir, roles: ['log'] as const, passphrase: undefined, random: systemRandom }
  const { key } = (await createRoleKeys(parts)).log
  book.callRole('log', [key])
  return { why: 'inception', roles: { ...keys, log: { keys: [key], threshold: 1 } }, content: DEFAULT_CONTENT }
}

function splitsOf({ split, threshold, holder = [] }: Options, book: KeyBook): readonly KeySplit[] {
  if (split === undefined) {
    if (threshold === undefined && holder.length === 0) return []
    throw new UsageError('--threshold and --holder are for --split, which names the key.')
  }
  if (threshold === undefined || holder.length < 2)
    throw new UsageError('--split takes --threshold, and --holder for everybody who gets a share.')
  const holders = holder.map((text) => {
    const at = text.lastIndexOf('=')
    if (at < 0) throw new UsageError(`--holder is a key and a recipient, as eva=age1…, not ${JSON.stringify(text)}.`)
    return { key: book.key(text.slice(0, at)), recipient: text.slice(at + 1) }
  })
  return [{ key: book.key(split) satisfies KeyId, threshold: parseCount('--threshold', threshold), holders }]
}
