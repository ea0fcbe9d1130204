import { toHex } from '@vault/core'
import { EXIT } from '../exit-code.ts'
import { counted } from '../human.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { parseCount } from '../parse-count.ts'
import type { Program } from '../program.ts'
import { warnOfFindings } from '../warn-of-findings.ts'

interface Options extends StateOptions {
  readonly from: string
  readonly to: string
  readonly sample?: string
}

export function addVerifyMigration(program: Program): void {
  const command = program.command
    .command('verify')
    .description('compare a vault with its copy, and read back every object of the copy')
    .requiredOption('--from <dir>', 'the vault')
    .requiredOption('--to <dir>', 'the copy')
    .option('--sample <n>', 'read back only so many objects; roots are always compared whole')
    .addHelpText(
      'after',
      '\nChanges nothing. What it finds, "vault-migrate run --reread" mends.\n\nExamples:\n  vault-migrate verify --from ~/vault --to /mnt/new/vault\n  vault-migrate verify --from ~/vault --to /mnt/new/vault --sample 1000',
    )
  addStateOption(command)
  program.action<[Options]>(command, async ({ output, progress, signal }, options) => {
    const { from, to, sample } = options
    const size = sample === undefined ? undefined : parseCount('--sample', sample)
    const { lookAtTarget, sourceOf } = await import('@vault/embedded')
    const { planMigration, verifyMigration } = await import('@vault/migration')
    await using vault = await openVaultAt(
      from,
      { ...options, output },
      { mode: 'read', intent: { action: 'migrate' }, keepHashes: true, signal },
    )
    await using target = await lookAtTarget(to)
    const source = sourceOf(vault)
    const plan = await planMigration({ source, target, authorize: vault.authorize }, { signal })
    const report = await verifyMigration(
      plan,
      { source, target },
      { signal, ...(size !== undefined && { sample: { size, seed: toHex(vault.random(16)) } }) },
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
        ? `${to} holds what ${from} holds: both roots are equal, and ${counted(checked.objects, 'object')} of the copy ${checked.objects === 1 ? 'was' : 'were'} read back and hashed.`
        : `${to} does NOT hold what ${from} holds: ${counted(findings.length + omitted, 'finding')}.\n"vault-migrate run --reread" with the same --from and --to reads all of the copy again and mends it.`,
    )
    return ok ? EXIT.ok : EXIT.refused
  })
}
