import type { VaultId } from '@vault/core'
import type { MoveStatus } from '@vault/migration'
import { approvalLines, toldApprovals } from '../approval-lines.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { describeStatus } from '../follow-move.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { type PrincipalNames, principalNames } from '../principal-names.ts'
import { printable } from '../printable.ts'
import type { Program, Run } from '../program.ts'
import { addRemoteOptions, isRemote } from '../remote-end.ts'
import { addPlaceOption, type RemotePlaceOptions, remotePlace, remoteVault } from '../remote-place.ts'

type Options = ReadOptions & RemotePlaceOptions

export function addMigrateStatus(program: Program): void {
  const command = program.command
    .command('status <vault>')
    .description('say which migrations left this place, how far each has come, and what is left to do')
    .addHelpText(
      'after',
      '\nWorks while one is running, and changes nothing.\n\nExamples:\n  vault-migrate status ~/vault\n  vault-migrate status https://old.example:8443 --peer-key ed25519:z6Mk… --as me',
    )
  addPlaceOption(addRemoteOptions(addReadOptions(command)))
  program.action<[string, Options]>(command, async (run, from, options) => {
    return isRemote(from) ? await remoteStatus(run, from, options) : await localStatus(run, from, options)
  })
}

async function localStatus({ output, signal }: Run, dir: string, options: ReadOptions): Promise<ExitCode> {
  const { moveStatuses } = await import('@vault/embedded')
  await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
  const migrations = await moveStatuses(vault.place, { signal })
  const { state, migration } = await vault.soup.tenure({ signal })
  const ends = { where: vault.place.dir, dir, called: await principalNames(options, vault) }
  return await report(output, { vault: vault.id, state, migration }, ends, migrations)
}

async function remoteStatus({ output, signal }: Run, url: string, options: Options): Promise<ExitCode> {
  await using place = await remotePlace(url, options)
  const vault = await remoteVault(url, place, { signal })
  const migrations = await place.moves(vault, { signal })
  const { state, migration } = (await place.vaults({ signal })).find((each) => each.vault === vault) ?? {
    state: 'none',
    migration: null,
  }
  const ends = { where: url, dir: 'DIR', called: await principalNames(options) }
  return await report(output, { vault, state, migration: migration ?? undefined }, ends, migrations)
}

async function report(
  output: Run['output'],
  {
    vault,
    state,
    migration,
  }: { readonly vault: VaultId; readonly state: string; readonly migration: string | undefined },
  { where, dir, called }: { readonly where: string; readonly dir: string; readonly called: PrincipalNames },
  migrations: readonly MoveStatus[],
): Promise<ExitCode> {
  const told = migrations.map(({ approvals, ...status }) => ({
    ...status,
    ...(approvals && { approvals: toldApprovals(approvals, dir) }),
  }))
  const standing = `The vault is ${state} in ${where}${migration === undefined ? '' : ` (migration ${migration})`}.`
  await output.result(
    { ok: true, vault, state, ...(migration !== undefined && { migration }), migrations: told },
    [
      printable(standing),
      ...told.flatMap(({ approvals, ...status }) => [
        describeStatus(status, where),
        ...(approvals === undefined ? [] : approvalLines(approvals, called).map((line) => `  ${line}`)),
      ]),
    ].join('\n'),
  )
  return EXIT.ok
}
