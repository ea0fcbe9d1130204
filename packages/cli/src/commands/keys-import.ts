import { EXIT } from '../exit-code.ts'
import { addNewKeyOptions, type NewKeyOptions, openKeystore, passphraseFor, reportNewKey } from '../keystore-options.ts'
import { readSmall } from '../read-small.ts'
import type { KeysProgram } from './keys.ts'

export function addKeysImport({ keys, action }: KeysProgram): void {
  const command = keys
    .command('import <name> <file>')
    .description(
      'take a private key that other software made: an unencrypted Ed25519 key of OpenSSH or PKCS #8; "-" is stdin',
    )
    .addHelpText(
      'after',
      '\nWhat "age -d" makes of a key file of a keystore, or of a vault, is taken too.\n\nExamples:\n  vaultctl keys import carol ~/.ssh/id_ed25519\n  openssl genpkey -algorithm ed25519 | vaultctl keys import carol - --passphrase-file passphrase',
    )
  addNewKeyOptions(command)
  action<[string, string, NewKeyOptions]>(command, async ({ output }, name, file, options) => {
    const { parseSecretKey } = await import('@vault/embedded')
    const keystore = await openKeystore(options)
    await keystore.requireFree(name)
    const secret = parseSecretKey(await readSmall(file))
    const passphrase = await passphraseFor(name, options)
    await reportNewKey(output, await keystore.add(name, secret, { passphrase }), 'Imported')
    return EXIT.ok
  })
}
