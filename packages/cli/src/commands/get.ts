import type { AbortOptions } from '@vault/core'
import type { Vault } from '@vault/embedded'
import { EXIT, UsageError } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions, readingAt } from '../open-vault.ts'
import type { Program } from '../program.ts'

interface Options extends ReadOptions {
  readonly output?: string
  readonly force?: boolean
}

export function addGet(program: Program): void {
  const command = program.command
    .command('get <dir> <name>')
    .description('get a file or a folder out of a vault, by its name or content id')
    .option('-o, --output <path>', 'write here; without it, a file goes to stdout')
    .option('-f, --force', 'replace files that are there')
  addReadOptions(command).addHelpText(
    'after',
    '\nEvery byte is checked against its content id on the way out. A folder needs --output.\n\nExamples:\n  vaultctl get ~/vault notes.txt\n  vaultctl get ~/vault photos -o /tmp/photos\n  vaultctl get ~/vault . -o /tmp/everything',
  )
  program.action<[string, string, Options]>(command, async ({ output, progress, signal }, dir, name, options) => {
    const { nameFromPath, resolveName } = await import('@vault/embedded')
    const intent = readingAt(nameFromPath(name))
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', intent, signal })
    if (nameFromPath(name) === '' && (await isEmpty(vault, { signal }))) {
      await output.result({ ok: true, files: 0, bytes: 0 }, `${dir} is empty: there is nothing to get.`)
      return EXIT.ok
    }
    const found = await resolveName(vault, name, { signal })
    const replace = options.force ?? false
    if (options.output === undefined) {
      if (found.type === 'folder') throw new UsageError(`${name} is a folder: say where to write it with --output.`)
      if (output.json)
        throw new UsageError('With --json the content needs a place: say where to write it with --output.')
      for await (const piece of vault.read(found.file.object, { signal })) await output.raw(piece)
      return EXIT.ok
    }
    let total = { files: 0, bytes: 0 }
    if (found.type === 'file') {
      const bytes = await vault.extract(found.file, { path: options.output, replace }, { signal })
      total = { files: 1, bytes }
    } else {
      for await (const now of vault.extractFolder(found.name, { dir: options.output, replace }, { signal })) {
        total = now
        progress.show({ label: 'Getting', done: now.files, bytes: now.bytes })
      }
    }
    progress.clear()
    await output.result(
      { ok: true, ...total, output: options.output },
      `Wrote ${counted(total.files, 'file')} (${humanBytes(total.bytes)}) to ${options.output}.`,
    )
    return EXIT.ok
  })
}

async function isEmpty(vault: Vault, options: AbortOptions): Promise<boolean> {
  for await (const page of vault.files('', options)) if (page.length > 0) return false
  return true
}
