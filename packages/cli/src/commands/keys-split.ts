import { EXIT, UsageError } from '../exit-code.ts'
import { addKeystoreOption, type KeystoreOptions, openKeystore, passphraseOf } from '../keystore-options.ts'
import { parseCount } from '../parse-count.ts'
import type { PassphraseOptions } from '../passphrase.ts'
import type { KeysProgram } from './keys.ts'

interface Options extends KeystoreOptions, PassphraseOptions {
  readonly shares: string
  readonly threshold: string
  readonly out: string
  readonly to?: readonly string[]
}

export function addKeysSplit({ keys, action }: KeysProgram): void {
  const command = keys
    .command('split <name>')
    .description('split a key into shares, so many of which give it back and fewer give nothing')
    .requiredOption('--shares <n>', 'how many shares: 2 to 64')
    .requiredOption('--threshold <k>', 'how many of them give the key back: at least 2')
    .requiredOption('--out <dir>', 'where to write them, a file each')
    .option('--to <recipient...>', 'encrypt each share for one of these recipients of age, in their order')
    .option('--passphrase-file <file>', 'opens the key; asked for at a terminal')
    .addHelpText(
      'after',
      '\nThe key stays where it is. Whoever has enough shares has the key: with --to, a share is for its holder alone.\n\nExamples:\n  vaultctl keys split carol --shares 3 --threshold 2 --out shares\n  vaultctl keys split carol --shares 2 --threshold 2 --out shares --to age1… age1…',
    )
  addKeystoreOption(command)
  action<[string, Options]>(command, async ({ output }, name, options) => {
    const shares = parseCount('--shares', options.shares)
    const threshold = parseCount('--threshold', options.threshold)
    const { to: recipients, out: dir } = options
    const { splitKey } = await import('@vault/embedded')
    const keystore = await openKeystore(options)
    const key = await keystore.open(name, passphraseOf(name, options))
    const how = { name, shares, threshold, dir, ...(recipients !== undefined && { recipients }) }
    const { split, files } = await splitKey(key, how).catch((error: unknown) => {
      throw error instanceof RangeError ? new UsageError(error.message) : error
    })
    if (recipients === undefined)
      output.warn(`The shares in ${dir} are NOT encrypted: who has ${threshold} of them has the key ${name}.`)
    await output.result(
      { ok: true, name, key: key.signer.key, split, shares, threshold, files },
      `Split the key ${name} into ${shares} shares, of which ${threshold} give it back:\n${files.map(({ file }) => file).join('\n')}`,
    )
    return EXIT.ok
  })
}
