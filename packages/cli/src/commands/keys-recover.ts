import { EXIT, UsageError } from '../exit-code.ts'
import { addNewKeyOptions, type NewKeyOptions, openKeystore, passphraseFor, reportNewKey } from '../keystore-options.ts'
import type { KeysProgram } from './keys.ts'

interface Options extends NewKeyOptions {
  readonly from: readonly string[]
}

export function addKeysRecover({ keys, action }: KeysProgram): void {
  const command = keys
    .command('recover [name]')
    .description('put a key together from its shares, and keep it by this name')
    .requiredOption('--from <file...>', 'the shares')
    .addHelpText(
      'after',
      '\nEvery share is checked, and that what comes out is the key that they name. A share that is encrypted for its holder is\ndecrypted first: age -d -i IDENTITY FILE\n\nExample:\n  vaultctl keys recover carol --from shares/carol-*.share',
    )
  addNewKeyOptions(command)
  action<[string | undefined, Options]>(command, async ({ output }, given, options) => {
    // An option of several words takes the name as well, where that comes last.
    const name = given ?? options.from.at(-1)
    const files = given === undefined ? options.from.slice(0, -1) : options.from
    if (name === undefined || files.length === 0)
      throw new UsageError('Say by which name to keep the key, and give its shares.')
    const { recoverKey } = await import('@vault/embedded')
    const keystore = await openKeystore(options)
    await keystore.requireFree(name)
    const { secret } = await recoverKey(files)
    const passphrase = await passphraseFor(name, options)
    await reportNewKey(output, await keystore.add(name, secret, { passphrase }), 'Recovered')
    return EXIT.ok
  })
}
