import { EXIT } from '../exit-code.ts'
import { addNewKeyOptions, type NewKeyOptions, openKeystore, passphraseFor, reportNewKey } from '../keystore-options.ts'
import type { KeysProgram } from './keys.ts'

export function addKeysNew({ keys, action }: KeysProgram): void {
  const command = keys
    .command('new <name>')
    .description('make a key of your own, under a passphrase, and keep it by this name')
    .addHelpText(
      'after',
      '\nThe file is an age file under your passphrase: "age -d" opens it without this program.\n\nExamples:\n  vaultctl keys new carol\n  vaultctl keys new ci --passphrase-file /run/secrets/passphrase',
    )
  addNewKeyOptions(command)
  action<[string, NewKeyOptions]>(command, async ({ output }, name, options) => {
    const keystore = await openKeystore(options)
    // Before somebody thinks of a passphrase for nothing.
    await keystore.requireFree(name)
    const passphrase = await passphraseFor(name, options)
    await reportNewKey(output, await keystore.create(name, { passphrase }), 'Made')
    return EXIT.ok
  })
}
