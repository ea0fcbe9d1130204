import { EXIT } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import type { Program } from '../program.ts'

interface Options {
  readonly dryRun?: boolean
  readonly again?: boolean
}

export function addPut(program: Program): void {
  const command = program.command
    .command('put <dir> <path...>')
    .description('put files and folders into a vault, under their paths as given')
    .option('-n, --dry-run', 'say what would be stored, and change nothing')
    .option('--again', 'write everything again, also what is there already: heals damaged objects')
    .addHelpText(
      'after',
      '\nNames are paths without a leading "/" or "..": put DIR ../a/b is named a/b. Symbolic links are kept as links.\n\nExamples:\n  vaultctl put ~/vault photos\n  vaultctl put ~/vault notes.txt report.pdf',
    )
  program.action<[string, string[], Options]>(command, async ({ output, progress, signal }, dir, paths, options) => {
    const { openVault } = await import('@vault/embedded')
    const dryRun = options.dryRun ?? false
    await using vault = await openVault(dir, { mode: dryRun ? 'read' : 'write' })
    let total = { files: 0, objects: 0, added: 0, bytes: 0 }
    let skipped = 0
    for await (const event of vault.putFiles(paths, { signal, dryRun, again: options.again ?? false })) {
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
    const { files, objects, added, bytes } = total
    await output.result(
      { ok: true, files, added, objects, bytes, skipped, ...(dryRun && { dry_run: true }) },
      `${dryRun ? 'Would put' : 'Put'} ${counted(files, 'file')} (${humanBytes(bytes)}): ${counted(added, 'new object')}, ${counted(objects - added, 'object')} there already.`,
    )
    return EXIT.ok
  })
}
