import { EXIT, UsageError } from '../exit-code.ts'
import { counted } from '../human.ts'
import { addStateOption, openVaultAt, readingAt, type StateOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'

interface Options extends StateOptions {
  readonly message?: string
  readonly recursive?: boolean
  readonly dryRun?: boolean
}

export function addRm(program: Program): void {
  const command = program.command
    .command('rm <dir> <name...>')
    .description('remove names; an object that nothing names any more leaves the vault with them')
    .option('-r, --recursive', 'remove folders with all that is in them')
    .option('-n, --dry-run', 'say what would be removed, and change nothing')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(command).addHelpText(
    'after',
    '\nExamples:\n  vaultctl rm ~/vault notes.txt\n  vaultctl rm -r ~/vault photos/2019',
  )
  program.action<[string, string[], Options]>(command, async ({ output, signal }, dir, names, options) => {
    const { nameFromPath, resolveName } = await import('@vault/embedded')
    await using vault = await openVaultAt(
      dir,
      { ...options, output },
      { mode: options.dryRun ? 'read' : 'write', signal },
    )
    // Who may not remove them is not told which of them there are.
    for (const name of options.dryRun ? [] : names)
      await vault.require('write', { ...readingAt(nameFromPath(name)), signal })
    const files = new Set<string>()
    const folders = new Set<string>()
    for (const name of names) {
      const found = await resolveName(vault, name, { signal })
      if (found.type === 'folder' && !options.recursive)
        throw new UsageError(`${name} is a folder: use -r to remove all that is in it.`)
      if (found.type === 'folder') folders.add(found.name)
      else if (found.file.name !== undefined) files.add(found.file.name)
      else throw new UsageError(`${name} is a content id: objects leave the vault when nothing names them any more.`)
    }
    let removed = 0
    if (options.dryRun) {
      removed = files.size
      for (const folder of folders) for await (const page of vault.files(folder, { signal })) removed += page.length
    } else {
      const given = { signal, ...(options.message !== undefined && { motivation: options.message }) }
      if (files.size > 0) await vault.remove([...files], given)
      removed = files.size
      for (const folder of folders) removed += await vault.removeFolder(folder, given)
      await vault.log.drain()
    }
    await output.result(
      { ok: true, removed, ...(options.dryRun && { dry_run: true }) },
      `${options.dryRun ? 'Would remove' : 'Removed'} ${counted(removed, 'name')}.`,
    )
    return EXIT.ok
  })
}
