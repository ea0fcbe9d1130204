import { EXIT } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'

interface Options extends StateOptions {
  readonly message?: string
  readonly dryRun?: boolean
  readonly again?: boolean
  readonly reread?: boolean
  readonly allowSecrets?: boolean
}

export function addPut(program: Program): void {
  const command = program.command
    .command('put <dir> <path...>')
    .description('put files and folders into a vault, under their paths as given')
    .option('-n, --dry-run', 'say what would be stored, and change nothing')
    .option('--again', 'write everything again, also what is there already: heals damaged objects')
    .option('--reread', 'read also files that look as they did when they were put: by number, length, mode and times')
    .option('--allow-secrets', 'put private keys as well, which are otherwise refused')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(command).addHelpText(
    'after',
    '\nNames are paths without a leading "/" or "..": put DIR ../a/b is named a/b. Symbolic links are kept as links.\n\nExamples:\n  vaultctl put ~/vault photos\n  vaultctl put ~/vault notes.txt report.pdf',
  )
  program.action<[string, string[], Options]>(command, async ({ output, progress, signal }, dir, paths, options) => {
    const { dryRun = false, again = false, reread = false, allowSecrets = false, message } = options
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: dryRun ? 'read' : 'write', signal })
    let total = { files: 0, objects: 0, added: 0, bytes: 0, unchanged: 0 }
    let skipped = 0
    for await (const event of vault.putFiles(paths, {
      signal,
      dryRun,
      again,
      reread,
      allowSecrets,
      ...(message !== undefined && { motivation: message }),
    })) {
      if (event.type === 'skipped') {
        skipped++
        progress.clear()
        output.note(`Skipped ${event.path}: ${event.reason}.`)
      } else {
        total = event
        progress.show({ label: 'Putting', done: event.files, bytes: event.bytes })
      }
    }
    progress.clear()
    if (!dryRun) await vault.log.drain()
    const { files, objects, added, bytes, unchanged } = total
    await output.result(
      { ok: true, files, added, objects, bytes, unchanged, skipped, ...(dryRun && { dry_run: true }) },
      `${dryRun ? 'Would put' : 'Put'} ${counted(files, 'file')} (${humanBytes(bytes)}): ${counted(added, 'new object')}, ${counted(objects - added, 'object')} there already.${unchanged === 0 ? '' : ` ${counted(unchanged, 'file')} looked as before and ${unchanged === 1 ? 'was' : 'were'} not read.`}`,
    )
    return EXIT.ok
  })
}
