import type { NamedKey } from '@vault/embedded'
import { EXIT } from '../exit-code.ts'
import { addKeystoreOption, type KeystoreOptions, openKeystore } from '../keystore-options.ts'
import type { KeysProgram } from './keys.ts'

const FORMS: Readonly<Record<NamedKey['form'], string>> = {
  sealed: 'yours, under a passphrase',
  plain: 'yours, WITHOUT a passphrase',
  trusted: "somebody else's",
}

export function addKeysList({ keys, action }: KeysProgram): void {
  const command = keys
    .command('list')
    .description('list your keys, and those of others that you trust')
    .addHelpText('after', '\nExample:\n  vaultctl keys list')
  addKeystoreOption(command)
  action<[KeystoreOptions]>(command, async ({ output }, options) => {
    const keystore = await openKeystore(options)
    async function* pages(): AsyncGenerator<readonly NamedKey[]> {
      yield await keystore.list()
    }
    await output.list('keys', pages(), {
      json: ({ name, key, form, file }) => ({ name, key, own: form !== 'trusted', sealed: form === 'sealed', file }),
      text: ({ name, key, form }) => `${key}  ${name}  (${FORMS[form]})`,
    })
    return EXIT.ok
  })
}
