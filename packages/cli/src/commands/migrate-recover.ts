import type { VaultId } from '@vault/core'
import type { OpenOptions } from '@vault/embedded'
import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { existingPassphrase } from '../passphrase.ts'
import type { Program } from '../program.ts'

interface Options extends StateOptions {
  readonly reason: string
  readonly taken?: boolean
  readonly vault?: string
  readonly identity?: readonly string[]
  readonly passphraseFile?: string
}

export function addRecover(program: Program): void {
  const command = program.command
    .command('recover <dir>')
    .description('make a place active because the other one was lost for ever in the middle of a hand-off')
    .requiredOption('--reason <text>', 'what happened to the other place; it stands in the audit trail')
    .option('--vault <id>', 'which vault; default: the one that is prepared here, or was given away from here')
    .option('--identity <file...>', 'identity keys of the vault that lie elsewhere; default: those in this place')
    .option(
      '--taken',
      'the other place had taken the vault already, and was lost before the move was complete: what was written there is lost with it',
    )
    .option('--passphrase-file <file>', 'opens the identity key; asked for at a terminal')
    .addHelpText(
      'after',
      '\nOnly after "vault-migrate run" was stopped between "the source gives the vault away" and "the target takes it", and\nonly when the other place is gone: if that has taken the vault and comes back, both were active, and what it has is evidence of a fork.\nWhere it has not, the next "vault-migrate run" to it, or "vault-migrate rollback" of the migration, has it give up what it received.\n\nExample:\n  vault-migrate recover /mnt/new/vault --identity identity.age --reason "the old machine burnt"',
    )
  addStateOption(command)
  program.action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { reason, identity: files, passphraseFile, taken = false } = options
    const { openKeyFile, seatOf } = await import('@vault/embedded')
    const { keyStateAt, readMove, recoverVault } = await import('@vault/migration')
    const { isContentId } = await import('@vault/core')
    const { vault: named } = options
    if (named !== undefined && !isContentId(named)) throw new UsageError(`--vault takes the id of a vault: ${named}`)
    const choose = named === undefined ? lostVault : () => named
    await using vault = await openVaultAt(dir, { ...options, output }, { choose, signal })
    await vault.require('recover', { signal })
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
    const tenure = await recoverVault(seat, { vault: vault.id, identity, reason, taken }, { signal })
    // It went past the vault, straight into the soup.
    await vault.log.drain()
    const { state, epoch, migration = '' } = tenure
    const left = (await readMove(seat.store.records, migration, { signal }))?.next === 'decline'
    await output.result(
      { ok: true, vault: vault.id, state, epoch, ...(left && { migration_id: migration, left_at_target: true }) },
      [
        `The vault is active in ${dir} now, in epoch ${epoch}. The hand-off that was lost counts nowhere any more.`,
        ...(taken
          ? [
              `What was written at the other place since is not here. Should that place come back, the vault is active at both: "vault-migrate plan --from ${dir} --to PLACE" says so, and nothing is given up by itself.`,
            ]
          : []),
        ...(left && !taken
          ? [
              `Where the other place comes back and has not taken the vault, "vault-migrate rollback --migration ${migration} --from ${dir} --to PLACE", or the next "vault-migrate run" to it, has it give up what it received.`,
            ]
          : []),
      ].join('\n'),
    )
    return EXIT.ok
  })
}

type Tenures = Parameters<NonNullable<OpenOptions['choose']>>[0]

/** The vault that waits in a place, or was given away there; the empty one that the place was made with is none to choose. */
function lostVault(tenures: Tenures): VaultId | undefined {
  const used = tenures.filter(({ state, sequence }) => state === 'active' && sequence > 0)
  const lost = tenures.filter(({ state }) => state === 'prepared' || state === 'retired')
  if (lost.length > 0 && lost.length + used.length > 1) {
    const ids = [...lost, ...used].map(({ vault, state }) => `${vault} (${state})`)
    throw new UsageError(`Several vaults lie there: say which with --vault: ${ids.join(', ')}.`)
  }
  return lost[0]?.vault
}
