import type { Plan } from '@vault/migration'
import { askedApprovals } from '../asked-approvals.ts'
import { copyEnds } from '../copy-ends.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addStateOption, type StateOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'
import { addRemoteOptions, type RemoteOptions } from '../remote-end.ts'

interface Options extends StateOptions, RemoteOptions {
  readonly from: string
  readonly to: string
  readonly reason?: string
}

export function addPlan(program: Program): void {
  const command = program.command
    .command('plan')
    .description('say what moving a vault would do, and change nothing')
    .requiredOption('--from <dir>', 'the vault: a folder, or https://HOST:PORT/vaults/ID of "vaultctl serve"')
    .requiredOption('--to <dir>', 'the place it moves to: a folder, which may not exist yet, or https://HOST:PORT')
    .option('--reason <reason>', 'hardware-failure, provider-change, jurisdiction, performance or cost')
    .addHelpText('after', '\nExample:\n  vault-migrate plan --from ~/vault --to /mnt/new/vault')
  addRemoteOptions(addStateOption(command))
  program.action<[Options]>(command, async ({ output, signal }, options) => {
    const { reason } = options
    const { MIGRATION_REASONS, planMigration } = await import('@vault/migration')
    const known = MIGRATION_REASONS.find((one) => one === reason)
    if (reason !== undefined && known === undefined)
      throw new UsageError(`--reason is one of ${MIGRATION_REASONS.join(', ')}.`)
    await using ends = await copyEnds({ ...options, keepHashes: false, output, signal })
    await using target = await ends.look()
    const plan = await planMigration(
      { source: ends.source, target, authorize: ends.authorize },
      { signal, ...(known && { reason: known }) },
    )
    const asked = ends.vault && (await askedApprovals(ends.vault, options.from, { ...options, signal }))
    await output.result({ ok: true, plan, ...asked?.members }, [describePlan(plan), ...(asked?.lines ?? [])].join('\n'))
    return EXIT.ok
  })
}

/** A plan for people. */
export function describePlan(plan: Plan): string {
  const { source, target, verification } = plan
  const { objects, bytes, entries } = source.counts
  return [
    `Migration ${plan.migration_id}`,
    `from      ${source.label}: ${counted(objects, 'object')}, ${humanBytes(bytes)}, ${counted(entries, 'entry')}`,
    `to        ${target.label}, ${plan.handoff === undefined ? 'where it becomes a replica' : 'which becomes its active place'}`,
    `verified  ${verification.mode === 'full' ? 'every object read back and hashed, both roots' : `a sample of ${verification.size}, both roots`}`,
  ].join('\n')
}
