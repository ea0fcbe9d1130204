import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { existingPassphrase } from '../passphrase.ts'
import type { KeysProgram } from './keys.ts'

interface Options extends StateOptions {
  readonly confirm: string
  readonly message?: string
  readonly identity?: readonly string[]
  readonly passphraseFile?: string
}

export function addKeysRetire({ keys, action }: KeysProgram): void {
  const command = keys
    .command('retire <dir>')
    .description('end a vault for ever: it can be read and copied, and changes nowhere any more')
    .requiredOption('--confirm <vault>', 'the id of the vault, because nothing takes this back')
    .option('--identity <file...>', 'identity keys of the vault that lie elsewhere; default: those in the place')
    .option('--passphrase-file <file>', 'opens the identity key of the vault; asked for at a terminal')
    .option('-m, --message <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      '\nWhere several people hold the identity, they do it together: "vaultctl ceremony plan DIR --retire".\n\nExample:\n  vaultctl keys retire ~/vault --confirm bafy… -m "all of it is in the archive"',
    )
  addStateOption(command)
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { confirm, message, passphraseFile, identity: files } = options
    const { openKeyFile } = await import('@vault/embedded')
    let asked: Promise<string | undefined> | undefined
    const passphrase = () => {
      asked ??= existingPassphrase({ ...(passphraseFile !== undefined && { passphraseFile }) }, process)
      return asked
    }
    await using vault = await openVaultAt(dir, { ...options, output }, { signal })
    // Who may not is not told which vault it is.
    await vault.require('rotate-keys', { signal })
    if (confirm !== vault.id) throw new UsageError(`The vault in ${dir} is ${vault.id}, not ${confirm}.`)
    const { seq, head } = await vault.retire({
      signal,
      passphrase,
      ...(files !== undefined && { identity: await Promise.all(files.map((file) => openKeyFile(file, passphrase))) }),
      ...(message !== undefined && { motivation: message }),
    })
    await vault.log.drain()
    await output.result(
      { ok: true, vault: vault.id, sequence: seq, key_event: head },
      `The vault ${vault.id} has ended, by its key event ${seq}.`,
    )
    return EXIT.ok
  })
}
