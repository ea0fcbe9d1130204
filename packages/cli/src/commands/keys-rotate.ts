import type { KeyRole } from '@vault/embedded'
import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { existingPassphrase, newPassphrase } from '../passphrase.ts'
import type { KeysProgram } from './keys.ts'

interface Options extends StateOptions {
  readonly role: string
  readonly message?: string
  readonly identity?: readonly string[]
  readonly passphraseFile?: string
  readonly newPassphraseFile?: string
  /** `false` for `--no-new-passphrase`. */
  readonly newPassphrase?: boolean
  readonly withoutCertificate?: boolean
}

const ROLES: readonly KeyRole[] = ['identity', 'operators', 'log']

export function addKeysRotate({ keys, action }: KeysProgram): void {
  const command = keys
    .command('rotate <dir>')
    .description('replace keys of a vault by new ones; what the old ones signed stays good')
    .requiredOption('--role <role>', 'identity, operators, log or all')
    .option('--identity <file...>', 'identity keys of the vault that lie elsewhere; default: those in the place')
    .option('--passphrase-file <file>', 'opens the identity key of the vault; asked for at a terminal')
    .option('--new-passphrase-file <file>', 'protects the new keys; default: the same passphrase')
    .option('--no-new-passphrase', 'keep the new keys without a passphrase')
    .option('--without-certificate', 'also where the certificate of the move by which it came can then not be made')
    .option('-m, --message <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      '\nExamples:\n  vaultctl keys rotate ~/vault --role log\n  vaultctl keys rotate ~/vault --role all -m "the old laptop is gone"',
    )
  addStateOption(command)
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { role, message, passphraseFile, identity: files, withoutCertificate = false } = options
    const roles = ROLES.filter((each) => role === 'all' || role === each)
    if (roles.length === 0)
      throw new UsageError(`--role is identity, operators, log or all, not ${JSON.stringify(role)}.`)
    const { isIdentitySealed, openKeyFile } = await import('@vault/embedded')
    let asked: Promise<string | undefined> | undefined
    const passphrase = () => {
      asked ??= existingPassphrase({ ...(passphraseFile !== undefined && { passphraseFile }) }, process)
      return asked
    }
    await using vault = await openVaultAt(dir, { ...options, output }, { signal })
    const forNew = async () => {
      const isSealed = asked !== undefined || (await isIdentitySealed(vault))
      const chosen = await passphraseForNew(options, isSealed ? passphrase : undefined)
      if (chosen === undefined) output.warn(warning(dir))
      return chosen
    }
    const {
      seq,
      head,
      roles: now,
    } = await vault.rotateKeys({
      signal,
      roles,
      passphrase,
      newPassphrase: forNew,
      withoutCertificate,
      ...(files !== undefined && { identity: await Promise.all(files.map((file) => openKeyFile(file, passphrase))) }),
      ...(message !== undefined && { motivation: message }),
    })
    await vault.log.drain()
    const made = Object.fromEntries(roles.map((each) => [each, now[each].keys[0]]))
    await output.result(
      { ok: true, vault: vault.id, sequence: seq, key_event: head, keys: made },
      [
        `Replaced by the key event ${seq} of the vault ${vault.id}:`,
        ...roles.map((each) => `${each.padEnd(9)} ${made[each]}`),
      ].join('\n'),
    )
    return EXIT.ok
  })
}

/** That of the old keys, where they have one and nothing else was chosen. */
async function passphraseForNew(
  { newPassphraseFile, newPassphrase: wanted = true }: Options,
  old: (() => Promise<string | undefined>) | undefined,
): Promise<string | undefined> {
  if (newPassphraseFile !== undefined) {
    if (!wanted) throw new UsageError('--new-passphrase-file and --no-new-passphrase exclude each other.')
    return await newPassphrase({ passphraseFile: newPassphraseFile }, process)
  }
  return wanted ? await old?.() : undefined
}

function warning(dir: string): string {
  return `The vault's new keys in ${dir} are kept WITHOUT a passphrase: who can read that folder can act as this vault.`
}
