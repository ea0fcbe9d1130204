import { ceremonyResult } from '../ceremony-result.ts'
import { EXIT } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import type { CeremonyProgram } from './ceremony.ts'

interface Options extends StateOptions {
  readonly to?: string
  readonly message?: string
  readonly withoutCertificate?: boolean
}

export function addCeremonyCommit({ ceremony, action }: CeremonyProgram): void {
  const command = ceremony
    .command('commit <dir>')
    .description(
      'put together what all have given; with --to, make it the keys of the vault, or the vault that is founded',
    )
    .option('--to <dir>', 'the vault whose keys are replaced, or the folder in which one is founded')
    .option('--without-certificate', 'also where the certificate of the move by which it came can then not be made')
    .option('-m, --message <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      '\nUntil then everything is as it was. Where the plan has witnesses, they attest the commit before it is taken into the vault.\n\nExamples:\n  vaultctl ceremony commit council\n  vaultctl ceremony commit council --to ~/vault',
    )
  addStateOption(command)
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { to, message, withoutCertificate = false } = options
    const { CeremonyFolder, fileCommit, foundByCeremony } = await import('@vault/embedded')
    const folder = new CeremonyFolder(dir)
    const committed = await fileCommit(folder)
    const result = ceremonyResult(committed)
    if (to === undefined) {
      await output.result({ ok: true, ...result }, `Committed the ceremony ${committed.id}: ${committed.commit?.id}`)
      return EXIT.ok
    }
    if (committed.event !== undefined && committed.event.before === undefined) {
      const founded = await foundByCeremony(to, folder, { signal })
      await output.result(
        { ok: true, ...ceremonyResult(await folder.read()), dir: to },
        `Made vault ${founded} in ${to}.`,
      )
      return EXIT.ok
    }
    await using vault = await openVaultAt(to, { ...options, output }, { signal })
    const why = message === undefined ? {} : { motivation: message }
    const { seq, head } = await vault.adoptCeremony(folder, { signal, withoutCertificate, ...why })
    await vault.log.drain()
    await output.result(
      { ok: true, ...result, vault: vault.id, sequence: seq, key_event: head },
      `The keys of the vault ${vault.id} are those of the ceremony ${committed.id}, by its key event ${seq}.`,
    )
    return EXIT.ok
  })
}
