import type { Plan } from '@vault/migration'
import { EXIT, UsageError } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'

interface Options extends StateOptions {
  readonly from: string
  readonly to: string
  readonly reason?: string
}

export function addPlan(program: Program): void {
  const command = program.command
    .command('plan')
    .description('say what moving a vault would do, and change nothing')
    .requiredOption('--from <dir>', 'the vault')
    .requiredOption('--to <dir>', 'the place it moves to; may not exist yet')
    .option('--reason <reason>', 'hardware-failure, provider-change, jurisdiction, performance or cost')
    .addHelpText('after', '\nExample:\n  vault-migrate plan --from ~/vault --to /mnt/new/vault')
  addStateOption(command)
  program.action<[Options]>(command, async ({ output, signal }, options) => {
    const { from, to, reason } = options
    const { lookAtTarget, sourceOf } = await import('@vault/embedded')
    const { MIGRATION_REASONS, planMigration } = await import('@vault/migration')
    const known = MIGRATION_REASONS.find((one) => one === reason)
    if (reason !== undefined && known === undefined)
      throw new UsageError(`--reason is one of ${MIGRATION_REASONS.join(', ')}.`)
    await using vault = await openVaultAt(
      from,
      { ...options, output },
      { mode: 'read', intent: { action: 'migrate' }, signal },
    )
    await using target = await lookAtTarget(to)
    const plan = await planMigration(
      { source: sourceOf(vault), target, authorize: vault.authorize },
      { signal, ...(known && { reason: known }) },
    )
    await output.result({ ok: true, plan }, describePlan(plan))
    return EXIT.ok
  })
}

/** A plan for people. */
export function describePlan(plan: Plan): string {
  const { source, target, verification } = plan
  const { objects, bytes, entries } = source.counts
  return [
    `Migration ${plan.migration_id}`,
    `from      ${source.label}: ${counted(objects, 'object')}, ${humanBytes(bytes)}, ${counted(entries, 'name')}`,
    `to        ${target.label}, ${plan.handoff === undefined ? 'where it becomes a replica' : 'which becomes its active place'}`,
    `verified  ${verification.mode === 'full' ? 'every object read back and hashed, both roots' : `a sample of ${verification.size}, both roots`}`,
  ].join('\n')
}
