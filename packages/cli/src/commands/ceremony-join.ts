import type { KeyId } from '@vault/core'
import type { JoinOptions, OpenKey } from '@vault/embedded'
import type { Ceremony } from '@vault/spki-caps/ceremony'
import { ceremonyResult } from '../ceremony-result.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { addKeystoreOption, type KeystoreOptions, openKeystore, passphraseOf } from '../keystore-options.ts'
import { openVaultAt, type StateDirOptions } from '../open-vault.ts'
import type { Output } from '../output.ts'
import { existingPassphrase, type PassphraseOptions } from '../passphrase.ts'
import { thisSoftware } from '../software.ts'
import type { CeremonyProgram } from './ceremony.ts'

interface Options extends KeystoreOptions, PassphraseOptions, StateDirOptions {
  readonly as?: string
  readonly vault?: string
  readonly plan?: string
  readonly ageIdentity?: readonly string[]
  readonly keep?: string
}

export function addCeremonyJoin({ ceremony, action }: CeremonyProgram): void {
  const command = ceremony
    .command('join <dir>')
    .description('do all that a key still owes: contribute, keep and acknowledge its shares, attest')
    .option('--as <name>', 'with this key of your keystore')
    .option('--vault <dir>', 'with the keys that lie in this vault')
    .option('--plan <id>', 'only where the plan is the one that was agreed upon')
    .option('--age-identity <file...>', 'decrypts the shares for you: a file of age-keygen')
    .option('--keep <dir>', 'where to keep these shares, encrypted as they came')
    .option('--passphrase-file <file>', 'opens the key; asked for at a terminal')
    .addHelpText(
      'after',
      '\nIt takes the folder and your key, and nothing else. Done again, it does what has come up since.\n\nExamples:\n  vaultctl ceremony join council --as ana\n  vaultctl ceremony join council --vault ~/vault\n  vaultctl ceremony join council --as eva --age-identity eva.age --keep shares',
    )
  addKeystoreOption(command)
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { CeremonyFolder, joinCeremony, openAgeIdentities } = await import('@vault/embedded')
    const { isContentId, systemClock } = await import('@vault/core')
    const { describePlan } = await import('@vault/spki-caps/ceremony')
    const { plan, ageIdentity, keep } = options
    if (plan !== undefined && !isContentId(plan)) throw new UsageError(`--plan takes the id of a plan, not ${plan}.`)
    const folder = new CeremonyFolder(dir)
    const before = await folder.read()
    for (const line of describePlan(before)) output.note(line)
    const keys = await keysFor(before, options, output)
    const how: Omit<JoinOptions, 'key'> = {
      software: thisSoftware(),
      clock: systemClock,
      ...(plan !== undefined && { plan }),
      ...(ageIdentity !== undefined && { identities: await openAgeIdentities(ageIdentity) }),
      ...(keep !== undefined && { shareDir: keep }),
    }
    const did: { readonly key: KeyId; readonly what: string }[] = []
    const awaits = new Set<KeyId>()
    for (const key of keys) {
      const joined = await joinCeremony(folder, { ...how, key, signal })
      for (const what of joined.did) did.push({ key: key.signer.key, what })
      for (const each of joined.awaits) awaits.add(each)
    }
    const after = await folder.read()
    const lines = did.map(({ key, what }) => `${what} of ${key}`)
    await output.result(
      { ok: true, did, awaits: [...awaits], ...ceremonyResult(after) },
      [
        lines.length === 0 ? 'Nothing is owed now.' : `Done: ${lines.join('; ')}`,
        `The ceremony is ${after.phase}.`,
      ].join('\n'),
    )
    return EXIT.ok
  })
}

async function keysFor(ceremony: Ceremony, options: Options, output: Output): Promise<readonly OpenKey[]> {
  const { as, vault, passphraseFile } = options
  if ((as === undefined) === (vault === undefined)) throw new UsageError('Say who you are: either --as or --vault.')
  if (as !== undefined) return [await (await openKeystore(options)).open(as, passphraseOf(as, options))]
  let asked: Promise<string | undefined> | undefined
  const passphrase = () => {
    asked ??= existingPassphrase({ ...(passphraseFile !== undefined && { passphraseFile }) }, process)
    return asked
  }
  const { openMemberKeys, openPlace } = await import('@vault/embedded')
  // The vault that is founded is not there yet.
  if (ceremony.event?.before === undefined) {
    await using place = await openPlace(vault as string, { mode: 'read' })
    return await openMemberKeys(place.dir, ceremony, passphrase)
  }
  await using opened = await openVaultAt(vault as string, { ...options, as: [], output }, { mode: 'read' })
  return await openMemberKeys(opened.place.dir, ceremony, passphrase)
}
