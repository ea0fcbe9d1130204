import { systemRandom, toHex } from '@vault/core'
import { copyEnds } from '../copy-ends.ts'
import { EXIT } from '../exit-code.ts'
import { howChecked } from '../how-checked.ts'
import { counted } from '../human.ts'
import { addStateOption, type StateOptions } from '../open-vault.ts'
import { parseCount } from '../parse-count.ts'
import type { Program } from '../program.ts'
import { addRemoteOptions, type RemoteOptions } from '../remote-end.ts'
import { warnOfFindings } from '../warn-of-findings.ts'

interface Options extends StateOptions, RemoteOptions {
  readonly from: string
  readonly to: string
  readonly sample?: string
  readonly reread?: boolean
}

export function addVerifyMigration(program: Program): void {
  const command = program.command
    .command('verify')
    .description('compare a vault with its copy, and read back every object of the copy')
    .requiredOption('--from <dir>', 'the vault: a folder, or https://HOST:PORT/vaults/ID of "vaultctl serve"')
    .requiredOption('--to <dir>', 'the copy: a folder, or https://HOST:PORT')
    .option('--reread', 'where the copy is at a server: read it over the wire, and do not let the server prove it')
    .option('--sample <n>', 'read back only so many objects; roots are always compared whole')
    .addHelpText(
      'after',
      '\nChanges nothing. What it finds, "vault-migrate run --reread" mends.\n\nExamples:\n  vault-migrate verify --from ~/vault --to /mnt/new/vault\n  vault-migrate verify --from ~/vault --to /mnt/new/vault --sample 1000',
    )
  addRemoteOptions(addStateOption(command))
  program.action<[Options]>(command, async (run, options) => {
    const { output, progress, signal } = run
    const { from, to, sample } = options
    const size = sample === undefined ? undefined : parseCount('--sample', sample)
    const { planMigration, verifyMigration } = await import('@vault/migration')
    await using ends = await copyEnds({ ...options, keepHashes: true, output, signal })
    await using target = await ends.look()
    const { source, authorize } = ends
    const plan = await planMigration({ source, target, authorize }, { signal })
    const report = await verifyMigration(
      plan,
      { source, target },
      {
        signal,
        reread: options.reread ?? false,
        ...(size !== undefined && { sample: { size, seed: toHex(systemRandom(16)) } }),
      },
    )
    progress.clear()
    const { ok, findings, omitted, checked, coverage } = report
    warnOfFindings(
      output,
      findings.map(({ message }) => message),
      omitted,
    )
    await output.result(
      { ok, findings, omitted, checked, coverage, objects: report.statement.counts.objects },
      ok
        ? `${to} holds what ${from} holds: both roots are equal, and ${coverage.mode === 'proven' ? howChecked({ coverage, checked }, from) : `${counted(checked.objects, 'object')} of the copy ${checked.objects === 1 ? 'was' : 'were'} read back and hashed`}.`
        : `${to} does NOT hold what ${from} holds: ${counted(findings.length + omitted, 'finding')}.\n"vault-migrate run --reread" with the same --from and --to reads all of the copy again and mends it.`,
    )
    return ok ? EXIT.ok : EXIT.refused
  })
}
