import { type Signer, VaultError } from '@vault/core'
import type { Command } from 'commander'
import { addKeystoreOption, type KeystoreOptions, openKeystore, passphraseOf } from './keystore-options.ts'

/** Options of the commands that may act with somebody's own keys. */
export interface AsOptions extends KeystoreOptions {
  readonly as?: readonly string[]
  readonly asPassphraseFile?: string
  /** Where a command has it for keys of the vault, it opens these too, unless the one above is named. */
  readonly passphraseFile?: string
}

/** Those who act, and how they are called. */
export interface Acting {
  readonly as: readonly Signer[]
  readonly actor: { readonly name: string; readonly key: Signer['key'] }
}

/** Gives a command the options of who acts. */
export function addAsOptions(command: Command): Command {
  command.option('--as <name>', 'act with this key of yours, as far as it was granted; may be repeated', collect)
  command.option('--as-passphrase-file <file>', 'opens the keys named with --as; asked for at a terminal')
  return command.options.some(({ long }) => long === '--keystore') ? command : addKeystoreOption(command)
}

/** Opens the keys that are to act; `undefined` where none is named: then it is the place itself. */
export async function actingAs(options: AsOptions): Promise<Acting | undefined> {
  const names = [...new Set(options.as ?? [])]
  if (names.length === 0) return undefined
  const keystore = await openKeystore(options)
  const file = options.asPassphraseFile ?? options.passphraseFile
  const as: Signer[] = []
  for (const name of names) {
    const passphrase = passphraseOf(name, file === undefined ? {} : { passphraseFile: file })
    as.push((await keystore.open(name, passphrase)).signer)
  }
  const [first] = as
  if (first === undefined) throw new VaultError({ code: 'KEY_UNKNOWN', message: 'No key was named.' })
  return { as, actor: { name: names.join('+'), key: first.key } }
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}
