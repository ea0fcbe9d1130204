import type { ReclaimReport } from '@vault/embedded'
import { EXIT, UsageError } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'
import { warnOfFindings } from '../warn-of-findings.ts'

interface Options extends StateOptions {
  readonly message?: string
  readonly dryRun?: boolean
  readonly maxUnused: string
}

const HELP = `
Removing a name frees no room by itself: the bytes stay in their pack files until this command. It rewrites a pack where
enough of it is unused, puts many small ones together, and may run while others use the vault. Interrupted, it can be run again.
With much still in use it needs free room for what it writes anew: up to 256 MiB at a time.

Examples:
  vaultctl reclaim ~/vault --dry-run
  vaultctl reclaim ~/vault --max-unused 0`

export function addReclaim(program: Program): void {
  const command = program.command
    .command('reclaim <dir>')
    .description('free the room of what was removed and is needed by nothing any more')
    .option('-n, --dry-run', 'say what would be freed, and change nothing')
    .option('--max-unused <percent>', 'of all bytes, the share that may stay although unused', '5')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(command).addHelpText('after', HELP)
  program.action<[string, Options]>(command, async ({ output, progress, signal }, dir, options) => {
    const { dryRun = false, message } = options
    const maxUnused = parsePercent(options.maxUnused)
    const { reclaimFolder } = await import('@vault/embedded')
    const opening = { mode: dryRun ? 'read' : 'write', intent: { action: 'reclaim' }, signal } as const
    const open = () => openVaultAt(dir, { ...options, output }, opening)
    const motivation = message === undefined ? {} : { motivation: message }
    let report: ReclaimReport | undefined
    for await (const event of reclaimFolder(dir, open, { signal, dryRun, maxUnused, ...motivation })) {
      if (event.type === 'progress') {
        const label = event.phase === 'survey' ? 'Looking at packs' : 'Rewriting packs'
        progress.show({ label, done: event.done, total: event.of })
      } else report = event
    }
    progress.clear()
    if (report === undefined) throw new Error('Reclaiming ended without a report.')
    const { segments, objects, bytesFreed, copied, kept, findings } = report
    warnOfFindings(
      output,
      findings.map(({ subject, message }) => `${subject}: ${message}`),
    )
    const ok = findings.length === 0
    const anew = `; ${counted(copied.objects, 'object')} (${humanBytes(copied.bytes)}) written anew`
    const stays = `${humanBytes(kept.unused)} unused in ${counted(kept.segments, 'pack')} that ${kept.segments === 1 ? 'stays' : 'stay'}`
    const { segments: written, bytes } = kept.unfinished
    const unfinished = ` In ${counted(written, 'pack')} of them (${humanBytes(bytes)}) a write is under way or was never finished, and they stay.`
    await output.result(
      {
        ok,
        segments,
        objects,
        bytes_freed: bytesFreed,
        copied,
        kept,
        findings,
        ...(dryRun && { dry_run: true }),
      },
      `${dryRun ? 'Would free' : 'Freed'} ${humanBytes(bytesFreed)}: ${counted(segments, 'pack')} with ${counted(objects, 'unused object')}${copied.objects === 0 ? '' : anew}. ${stays}.${written === 0 ? '' : unfinished}`,
    )
    return ok ? EXIT.ok : EXIT.refused
  })
}

/** The share of 0 to 1 that a percentage says. */
function parsePercent(text: string): number {
  const percent = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(percent <= 100))
    throw new UsageError(`--max-unused takes a percentage from 0 to 100, not ${JSON.stringify(text)}.`)
  return percent / 100
}
