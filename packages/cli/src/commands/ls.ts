import type { AbortOptions } from '@vault/core'
import type { NamedFile, Vault } from '@vault/embedded'
import { EXIT, UsageError } from '../exit-code.ts'
import { humanBytes } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions, readingAt } from '../open-vault.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'

interface Options extends ReadOptions {
  readonly long?: boolean
}

export function addLs(program: Program): void {
  const command = program.command
    .command('ls <dir> [name]')
    .description('list the files in a vault, or under a folder of it, or one file')
    .option('-l, --long', 'with mode, length and content id')
  addReadOptions(command).addHelpText('after', '\nExamples:\n  vaultctl ls ~/vault\n  vaultctl ls -l ~/vault photos')
  program.action<[string, string | undefined, Options]>(
    command,
    async ({ output, signal }, dir, name = '', options) => {
      const { nameFromPath } = await import('@vault/embedded')
      const intent = readingAt(nameFromPath(name))
      await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', intent, signal })
      await output.list('files', filesOf(vault, name, { signal }), {
        json: (file) => file,
        text: (file) =>
          options.long
            ? `${file.mode.toString(8).padStart(6, '0')}  ${humanBytes(file.size).padStart(9)}  ${file.object}  ${printable(file.name)}`
            : printable(file.name),
      })
      return EXIT.ok
    },
  )
}

/** All files, for an empty vault none; those under a folder; or the one of this name. Throws `VAULT_NAME_UNKNOWN`. */
async function* filesOf(vault: Vault, word: string, options: AbortOptions): AsyncGenerator<readonly NamedFile[]> {
  const { nameFromPath, resolveName } = await import('@vault/embedded')
  const name = nameFromPath(word)
  const found = name === '' ? ({ type: 'folder', name } as const) : await resolveName(vault, word, options)
  if (found.type === 'folder') yield* vault.files(found.name, options)
  else {
    const file = await vault.file(name, options)
    if (file === undefined) throw new UsageError(`${word} is a content id: ls lists names.`)
    yield [file]
  }
}
