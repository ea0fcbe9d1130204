import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { existingPassphrase } from '../passphrase.ts'
import type { Program } from '../program.ts'

interface Options extends StateOptions {
  readonly reason: string
  readonly identity?: readonly string[]
  readonly passphraseFile?: string
}

export function addRecover(program: Program): void {
  const command = program.command
    .command('recover <dir>')
    .description('make a place active because the other one was lost for ever in the middle of a hand-off')
    .requiredOption('--reason <text>', 'what happened to the other place; it stands in the audit trail')
    .option('--identity <file...>', 'identity keys of the vault that lie elsewhere; default: those in this place')
    .option('--passphrase-file <file>', 'opens the identity key; asked for at a terminal')
    .addHelpText(
      'after',
      '\nOnly after "vault-migrate run" was stopped between "the source gives the vault away" and "the target takes it", and\nonly when the other place is gone: if it comes back, both were active, and what it has is evidence of a fork.\n\nExample:\n  vault-migrate recover /mnt/new/vault --identity identity.age --reason "the old machine burnt"',
    )
  addStateOption(command)
  program.action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { reason, identity: files, passphraseFile } = options
    const { openKeyFile, seatOf } = await import('@vault/embedded')
    const { keyStateAt, recoverVault } = await import('@vault/migration')
    await using vault = await openVaultAt(dir, { ...options, output }, { signal })
    const passphrase = () => existingPassphrase({ ...(passphraseFile !== undefined && { passphraseFile }) }, process)
    const seat = await seatOf(vault.place, { passphrase })
    const identity = await (async () => {
      if (files === undefined) {
        const { roles } = await keyStateAt(seat, vault.id, { signal })
        return await seat.keys.signers('identity', roles.identity, { signal })
      }
      return await Promise.all(files.map((file) => openKeyFile(file, passphrase)))
    })()
    if (identity.length === 0)
      throw new UsageError('The identity key of the vault is not here: name it with --identity.')
    const tenure = await recoverVault(seat, { vault: vault.id, identity, reason }, { signal })
    await output.result(
      { ok: true, vault: vault.id, state: tenure.state, epoch: tenure.epoch },
      `The vault is active in ${dir} now, in epoch ${tenure.epoch}. The hand-off that was lost counts nowhere any more.`,
    )
    return EXIT.ok
  })
}
