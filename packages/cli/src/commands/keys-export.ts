import type { PublicKeyForm } from '@vault/embedded'
import { EXIT, UsageError } from '../exit-code.ts'
import { addKeystoreOption, type KeystoreOptions, openKeystore } from '../keystore-options.ts'
import type { KeysProgram } from './keys.ts'

interface Options extends KeystoreOptions {
  readonly format: string
}

const FORMATS: readonly string[] = ['ed25519', 'did', 'openssh'] satisfies PublicKeyForm[]

export function addKeysExport({ keys, action }: KeysProgram): void {
  const command = keys
    .command('export <name>')
    .description('print the public key; a private key is never printed')
    .option('--format <form>', 'ed25519, did (did:key:…) or openssh (a line of authorized_keys)', 'ed25519')
    .addHelpText('after', '\nExamples:\n  vaultctl keys export carol\n  vaultctl keys export carol --format openssh')
  addKeystoreOption(command)
  action<[string, Options]>(command, async ({ output }, name, options) => {
    const { format } = options
    if (!isForm(format))
      throw new UsageError(`--format is one of ${FORMATS.join(', ')}, not ${JSON.stringify(format)}.`)
    const { formatPublicKey } = await import('@vault/embedded')
    const { key } = await (await openKeystore(options)).find(name)
    const text = formatPublicKey(key, format, name)
    await output.result({ ok: true, name, key, format, public_key: text }, text)
    return EXIT.ok
  })
}

function isForm(text: string): text is PublicKeyForm {
  return FORMATS.includes(text)
}
