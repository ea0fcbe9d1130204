import type { VaultId } from '@vault/core'
import type { PausedMove } from '@vault/migration/http'
import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import type { Program, Run } from '../program.ts'
import { addRemoteOptions, isRemote } from '../remote-end.ts'
import { addPlaceOption, type RemotePlaceOptions, remotePlace, remoteVault } from '../remote-place.ts'

interface Options extends StateOptions, RemotePlaceOptions {
  readonly migration?: string
}

export function addPause(program: Program): void {
  const command = program.command
    .command('pause <vault>')
    .description('let a migration of this vault stop behind its next batch, wherever it runs; "resume" goes on')
    .option('--migration <id>', 'which one; default: the one that has not ended')
    .addHelpText(
      'after',
      '\nThe run that is under way ends with exit code 4. What it sent stays, and the vault takes changes meanwhile.\nRefused once the vault is about to be handed off: nobody may be kept waiting then.\n\nExample:\n  vault-migrate pause ~/vault',
    )
  addPlaceOption(addRemoteOptions(addStateOption(command)))
  program.action<[string, Options]>(command, async (run, from, options) => {
    const { vault, migration, phase, next } = isRemote(from)
      ? await pauseThere(run, from, options)
      : await pauseHere(run, from, options)
    await run.output.result(
      { ok: true, vault, migration_id: migration, phase, next },
      `The migration ${migration} is paused before or in "${next}". "vault-migrate resume" goes on with it, and "rollback" takes it back.`,
    )
    return EXIT.ok
  })
}

type Paused = PausedMove & { readonly vault: VaultId }

async function pauseHere({ output, signal }: Run, dir: string, options: Options): Promise<Paused> {
  const { isEnded, listMoves, pauseMove } = await import('@vault/migration')
  await using vault = await openVaultAt(dir, { ...options, output }, { signal })
  await vault.require('migrate', { signal })
  const { records } = vault.place.soups
  const moves = await listMoves(records, { signal, vault: vault.id })
  const open = moves.find(({ phase }) => !isEnded(phase))
  const migration = options.migration ?? open?.migration
  if (migration === undefined) throw new UsageError(`No migration of the vault in ${dir} is under way.`)
  return await pauseMove(records, migration, { signal })
}

async function pauseThere({ signal }: Run, url: string, options: Options): Promise<Paused> {
  await using place = await remotePlace(url, options)
  const vault = await remoteVault(url, place, { signal })
  return { vault, ...(await place.pauseMove(vault, options.migration, { signal })) }
}
