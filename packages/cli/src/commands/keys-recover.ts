import { EXIT, UsageError } from '../exit-code.ts'
import { addNewKeyOptions, type NewKeyOptions, openKeystore, passphraseFor, reportNewKey } from '../keystore-options.ts'
import type { KeysProgram } from './keys.ts'

interface Options extends NewKeyOptions {
  readonly from: readonly string[]
  readonly ageIdentity?: readonly string[]
}

export function addKeysRecover({ keys, action }: KeysProgram): void {
  const command = keys
    .command('recover [name]')
    .description('put a key together from its shares, and keep it by this name')
    .requiredOption('--from <file...>', 'the shares')
    .option('--age-identity <file...>', 'decrypts shares that are encrypted for their holders: files of age-keygen')
    .addHelpText(
      'after',
      '\nEvery share is checked, and that what comes out is the key that they name. A share that is encrypted for its holder takes\nhis identity of age; without it, give what "age -d -i IDENTITY FILE" makes of it.\n\nExamples:\n  vaultctl keys recover carol --from shares/carol-*.share\n  vaultctl keys recover carol --from shares/carol-*.age --age-identity ben.age eva.age',
    )
  addNewKeyOptions(command)
  action<[string | undefined, Options]>(command, async ({ output }, given, options) => {
    // An option of several words takes the name as well, where that comes last.
    const name = given ?? options.from.at(-1)
    const files = given === undefined ? options.from.slice(0, -1) : options.from
    if (name === undefined || files.length === 0)
      throw new UsageError('Say by which name to keep the key, and give its shares.')
    const { openAgeIdentities, recoverKey } = await import('@vault/embedded')
    const keystore = await openKeystore(options)
    await keystore.requireFree(name)
    const { ageIdentity } = options
    const how = ageIdentity === undefined ? {} : { identities: await openAgeIdentities(ageIdentity) }
    const { secret } = await recoverKey(files, how)
    const passphrase = await passphraseFor(name, options)
    await reportNewKey(output, await keystore.add(name, secret, { passphrase }), 'Recovered')
    return EXIT.ok
  })
}
