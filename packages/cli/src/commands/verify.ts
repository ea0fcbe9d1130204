import type { ScrubReport } from '@vault/embedded'
import { about, damageLine } from '../damage-lines.ts'
import { EXIT, type ExitCode, UsageError } from '../exit-code.ts'
import { counted, humanCount } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions, requireGranted } from '../open-vault.ts'
import type { Output } from '../output.ts'
import { parseCount } from '../parse-count.ts'
import type { Program, Run } from '../program.ts'
import { repairDamage } from '../repair-damage.ts'
import { warnOfFindings } from '../warn-of-findings.ts'

interface Options extends ReadOptions {
  readonly sample?: string
  readonly repair?: boolean
  readonly from?: string
}

const HELP = `
Changes nothing without --repair. Exit code 1 on any damage, also in derived files.

With --repair, what is derived is made anew, and with --from, objects and files of the log are fetched from another place
that holds the same vault; nothing is taken that does not prove itself. What was damaged is kept in DIR/damaged. Then
everything is read again: exit code 0 where all is sound, 1 where something stays damaged. Killed, it can be run again.

Examples:
  vaultctl verify ~/vault
  vaultctl verify ~/vault --sample 1000
  vaultctl verify ~/vault --repair --from /mnt/replica`

export function addVerify(program: Program): void {
  const command = program.command
    .command('verify <dir>')
    .description('read back every object, every file and the log of a vault and name, or repair, what is damaged')
    .option('--sample <n>', 'read only so many objects, picked at random')
    .option('--repair', 'heal what is damaged')
    .option('--from <dir>', 'another place that holds the same vault, to heal from')
  addReadOptions(command).addHelpText('after', HELP)
  program.action<[string, Options]>(command, async (run, dir, options) => {
    if (options.from !== undefined && options.repair !== true) throw new UsageError('--from is for --repair.')
    if (options.repair !== true) return await verify(run, dir, options)
    if (options.sample !== undefined) throw new UsageError('--repair reads everything: leave --sample out.')
    if (options.ignoreMark) throw new UsageError('--repair changes the vault: leave --ignore-mark out.')
    await requireGranted(dir, 'repair', { ...options, output: run.output })
    if (options.from !== undefined) await requireGranted(options.from, 'read', { ...options, output: run.output })
    return await repairDamage(run, dir, options)
  })
}

async function verify({ output, progress, signal }: Run, dir: string, options: Options): Promise<ExitCode> {
  const { scrubFolder } = await import('@vault/embedded')
  const sample = options.sample === undefined ? undefined : parseCount('--sample', options.sample)
  const open = () => openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
  for await (const event of scrubFolder(dir, open, { signal, ...(sample !== undefined && { sample }) })) {
    if (event.type === 'progress') {
      progress.show({ label: 'Verifying', done: event.checked, total: sample ?? event.objects, bytes: event.bytes })
      continue
    }
    progress.clear()
    await report(output, event)
    return event.ok ? EXIT.ok : EXIT.refused
  }
  throw new Error('The scrub ended without a report.')
}

async function report(
  output: Output,
  { ok, objects, checked, entries, damaged, notes, sample }: ScrubReport,
): Promise<void> {
  for (const note of notes) output.note(`Note: ${about(note)}`)
  warnOfFindings(output, damaged.map(damageLine))
  const chance = sample && `${(sample.missProbability * 100).toPrecision(3)} %`
  await output.result(
    {
      ok,
      objects,
      checked,
      entries,
      damaged,
      notes,
      ...(sample && { sample: { size: sample.size, miss_probability: sample.missProbability } }),
    },
    ok
      ? `Sound: ${chance ? `${counted(checked, 'object')} of ${humanCount(objects)}, a sample that misses a single damaged object with a probability of ${chance}` : `every file, every object (${humanCount(objects)}), and the log (${counted(entries, 'entry')})`}.`
      : `DAMAGED: ${counted(damaged.length, 'finding')}.`,
  )
}
