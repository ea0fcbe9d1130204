import type { MigrationEvent, Summary } from '@vault/migration'
import { EXIT } from '../exit-code.ts'
import { counted, humanBytes, humanSeconds } from '../human.ts'
import type { Program, Run } from '../program.ts'
import { describePlan } from './migrate-plan.ts'

interface Options {
  readonly from: string
  readonly to: string
  readonly reread?: boolean
  readonly dryRun?: boolean
}

const LABELS: Readonly<Record<string, string>> = { transfer: 'Transferring', verify: 'Verifying' }

export function addRun(program: Program): void {
  const command = program.command
    .command('run')
    .description(
      'copy a vault to another place, read everything back there, and leave a replica; run again, it sends and reads back what changed',
    )
    .requiredOption('--from <dir>', 'the vault; nothing is written to it')
    .requiredOption('--to <dir>', 'the place it moves to; made if it does not exist')
    .option('--reread', 'read back all of a replica again, not only what is sent to it, and mend what is damaged there')
    .option('-n, --dry-run', 'say what would be done, and change nothing')
    .addHelpText(
      'after',
      '\nIt ends by itself. Interrupted or killed, the same command goes on: what has arrived is not sent again.\nRun again on a replica, it brings it up to date, and does not read again what was there before: --reread does that,\nand "vault-migrate verify" without changing anything.\n\nExamples:\n  vault-migrate run --from ~/vault --to /mnt/new/vault\n  vault-migrate run --from ~/vault --to /mnt/new/vault --reread',
    )
  program.action<[Options]>(command, async (run, { from, to, dryRun, reread = false }) => {
    const { output, signal } = run
    const started = performance.now()
    const { lookAtTarget, openTarget, openVault, owner, sourceOf } = await import('@vault/embedded')
    const { planMigration, runMigration } = await import('@vault/migration')
    await using vault = await openVault(from, { mode: 'read', keepHashes: !dryRun })
    const source = sourceOf(vault)
    // Looked at first: what is refused leaves not even an empty place behind.
    const plan = await (async () => {
      await using target = await lookAtTarget(to)
      return await planMigration({ source, target, authorize: owner }, { signal })
    })()
    const common = { source: from, target: to, migration_id: plan.migration_id }
    if (dryRun) {
      const { objects, bytes } = plan.source.counts
      await output.result({ ok: true, dry_run: true, phase: 'planned', ...common, objects, bytes }, describePlan(plan))
      return EXIT.ok
    }
    await using target = await openTarget(to)
    const summary = await follow(run, runMigration(plan, { source, target, authorize: owner }, { signal, reread }))
    const seconds = (performance.now() - started) / 1000
    const { statement, sent, verification } = summary
    await output.result(
      {
        ok: true,
        phase: summary.phase,
        ...common,
        objects: statement.counts.objects,
        bytes: statement.counts.bytes,
        entries: statement.counts.entries,
        seconds,
        sent: sent.objects,
        sent_bytes: sent.bytes,
        rounds: summary.rounds,
        objects_root: statement.roots.objects,
        soup_root: statement.roots.soup,
        verified: { coverage: verification.coverage, ...verification.checked },
        state: summary.tenure.state,
      },
      describe(summary, from, to, seconds),
    )
    return EXIT.ok
  })
}

async function follow({ output, progress }: Run, events: AsyncIterable<MigrationEvent>): Promise<Summary> {
  for await (const event of events) {
    if (event.type === 'summary') {
      progress.clear()
      return event.summary
    }
    if (event.type === 'finding') {
      progress.clear()
      output.warn(event.finding.message)
    } else if (event.type === 'repaired')
      output.note(`Sent ${counted(event.ids.length, 'object')} again that did not read back.`)
    else if (event.type === 'batch' || event.type === 'checked') {
      const { phase, objects, bytes } = event.progress
      progress.show({
        label: LABELS[phase] ?? phase,
        ...objects,
        bytes: bytes.done,
        ...(bytes.total !== undefined && { totalBytes: bytes.total }),
      })
    }
  }
  throw new Error('The run ended without a summary.')
}

function describe({ statement, sent, verification }: Summary, from: string, to: string, seconds: number): string {
  const { objects, bytes } = statement.counts
  const rate = sent.bytes > 0 && seconds > 0 ? `, ${humanBytes(sent.bytes / seconds)}/s` : ''
  const sending = `Sent ${counted(sent.objects, 'object')} (${humanBytes(sent.bytes)}) in ${humanSeconds(seconds)}${rate}`
  const updated = verification.coverage.mode === 'difference'
  return [
    `${to} now holds the same vault as ${from}: ${counted(objects, 'object')}, ${humanBytes(bytes)}.`,
    `${sending}; ${updated ? 'that' : 'every object'} was read back and hashed; both roots are equal.`,
    updated
      ? 'Brought up to date; what was there before was not read again: "vault-migrate verify" does that.'
      : 'It is a replica: it can be read and verified there, and is written here. Run again to bring it up to date.',
  ].join('\n')
}
