import { EXIT, UsageError } from '../exit-code.ts'
import { addKeystoreOption, type KeystoreOptions, openKeystore } from '../keystore-options.ts'
import type { KeysProgram } from './keys.ts'

interface Options extends KeystoreOptions {
  readonly remove?: boolean
}

export function addKeysTrust({ keys, action }: KeysProgram): void {
  const command = keys
    .command('trust <name> [key]')
    .description("keep somebody else's public key by a name: ed25519:…, did:key:…, or a line of OpenSSH in quotes")
    .option('--remove', 'forget it')
    .addHelpText(
      'after',
      '\nExamples:\n  vaultctl keys trust bob ed25519:z6Mk…\n  vaultctl keys trust bob "$(cat bob.pub)"\n  vaultctl keys trust bob --remove',
    )
  addKeystoreOption(command)
  action<[string, string | undefined, Options]>(command, async ({ output }, name, text, options) => {
    const { remove = false } = options
    if (remove !== (text === undefined)) throw new UsageError('Name a key to trust, or --remove and none.')
    const keystore = await openKeystore(options)
    if (text === undefined) {
      const { key } = await keystore.distrust(name)
      await output.result({ ok: true, name, key, removed: true }, `The key ${name} is trusted no more: ${key}`)
      return EXIT.ok
    }
    const { parsePublicKey } = await import('@vault/embedded')
    const { key, file } = await keystore.trust(name, parsePublicKey(text))
    await output.result({ ok: true, name, key, file }, `Trusted as ${name}: ${key}`)
    return EXIT.ok
  })
}
