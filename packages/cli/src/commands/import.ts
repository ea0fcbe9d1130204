import { type ContentId, isContentId } from '@vault/core'
import { EXIT, UsageError } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'

interface Options extends StateOptions {
  readonly message?: string
  readonly name?: string
  readonly root?: readonly string[]
  readonly force?: boolean
}

export function addImport(program: Program): void {
  const command = program.command
    .command('import <dir> <file>')
    .description('read a CAR file, verify it whole, and put what it holds into a vault; "-" is stdin')
    .option(
      '--name <name>',
      'the name of the file or folder; without it, a folder goes to the top, a file is named by its id',
    )
    .option('--root <id...>', 'what must be in it, whole; without it, the roots that it states itself')
    .option('-f, --force', 'replace names that stand for something else')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(command).addHelpText(
    'after',
    '\nNothing comes into the vault before every block was hashed and everything that the roots lead to is there. Of several\nroots each is named by its id, below --name.\n\nExamples:\n  vaultctl import ~/vault photos.car --name photos\n  vaultctl import ~/vault letter.car --name letter.txt',
  )
  program.action<[string, string, Options]>(command, async ({ output, progress, signal }, dir, file, options) => {
    const { nameFromPath, readPiecesOf } = await import('@vault/embedded')
    const { name, root, force: replace = false, message } = options
    const chunks = file === '-' ? process.stdin : readPiecesOf(file)
    await using vault = await openVaultAt(dir, { ...options, output }, { signal })
    const given = {
      signal,
      replace,
      ...(message !== undefined && { motivation: message }),
      ...(name !== undefined && { name: nameFromPath(name) }),
      ...(root !== undefined && { roots: root.map(idOf) }),
    }
    for await (const event of vault.importCar(chunks, given)) {
      if (event.type === 'stored') {
        progress.show({ label: 'Importing', done: event.blocks, bytes: event.bytes })
        continue
      }
      progress.clear()
      await vault.log.drain()
      const { roots, files, objects, added, bytes, unreachable } = event
      if (unreachable > 0)
        output.note(`Note: no root leads to ${counted(unreachable, 'block')} of it: left out of the vault.`)
      await output.result(
        { ok: true, roots, files, objects, added, bytes, unreachable },
        `Imported ${counted(files, 'file')} (${humanBytes(bytes)}): ${counted(added, 'new object')}, ${counted(objects - added, 'object')} there already.\n${roots.map((root) => rootLine(root)).join('\n')}`,
      )
    }
    return EXIT.ok
  })
}

function idOf(text: string): ContentId {
  if (isContentId(text)) return text
  throw new UsageError(`${JSON.stringify(text)} is no content id: --root takes what "vaultctl export" printed.`)
}

function rootLine({ id, type, name }: { readonly id: string; readonly type: string; readonly name: string }): string {
  if (type === 'object') return `${id}  neither a file nor a folder: it has no name`
  return `${id}  ${name === '' ? '.' : printable(name)}`
}
