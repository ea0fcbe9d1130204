import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { NamedKey, NamedKeys } from '@vault/embedded'
import type { Command } from 'commander'
import { UsageError } from './exit-code.ts'
import type { Output } from './output.ts'
import { existingPassphrase, newPassphrase, type PassphraseOptions } from './passphrase.ts'

/** Options of the commands that use the keys of a person. */
export interface KeystoreOptions {
  readonly keystore?: string
}

/** Options of the commands that bring a key into the keystore. */
export interface NewKeyOptions extends KeystoreOptions, PassphraseOptions {}

/** Gives a command the option of where keys are kept. */
export function addKeystoreOption(command: Command): Command {
  return command.option('--keystore <dir>', 'where your keys are; default: VAULT_KEYSTORE, or the folder for your data')
}

/** The same for a command that brings a key there. */
export function addNewKeyOptions(command: Command): Command {
  return addKeystoreOption(command)
    .option('--passphrase-file <file>', 'protect the key with the passphrase in this file; asked for at a terminal')
    .option('--no-passphrase', 'keep the key without a passphrase')
}

/**
 * The folder of the keystore: the option, `VAULT_KEYSTORE`, or `vault/keys` in the user's folder for data, as the XDG base directory
 * specification says: a relative `XDG_DATA_HOME` counts as none.
 */
function keystoreDirOf({ keystore }: KeystoreOptions, env: NodeJS.ProcessEnv): string {
  const { XDG_DATA_HOME: xdg = '', VAULT_KEYSTORE: own = '' } = env
  if (keystore !== undefined || own !== '') return keystore ?? own
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'share'), 'vault', 'keys')
}

export async function openKeystore(options: KeystoreOptions): Promise<NamedKeys> {
  const { NamedKeys: Keys } = await import('@vault/embedded')
  return new Keys(keystoreDirOf(options, process.env))
}

/** The passphrase for a new key; `undefined` only where `--no-passphrase` says so: a key is a person's, who is there to ask. */
export async function passphraseFor(name: string, options: NewKeyOptions): Promise<string | undefined> {
  const passphrase = await newPassphrase(options, process, `the key ${name}`)
  if (passphrase === undefined && options.passphrase !== false) {
    throw new UsageError(
      'There is no terminal to ask for a passphrase: name a file with --passphrase-file, or keep the key without one with --no-passphrase.',
    )
  }
  return passphrase
}

/** The passphrase of a key that is there. */
export function passphraseOf(name: string, { passphraseFile }: PassphraseOptions): () => Promise<string | undefined> {
  return () =>
    existingPassphrase({ ...(passphraseFile !== undefined && { passphraseFile }) }, process, `the key ${name}`)
}

/** Says which key there is now, and aloud where nothing protects it. */
export async function reportNewKey(output: Output, made: NamedKey, verb: string): Promise<void> {
  const { name, key, form, file } = made
  if (form === 'plain')
    output.warn(`The key ${name} is kept WITHOUT a passphrase: who can read ${file} can sign as its owner.`)
  await output.result({ ok: true, name, key, sealed: form === 'sealed', file }, `${verb} the key ${name}: ${key}`)
}
