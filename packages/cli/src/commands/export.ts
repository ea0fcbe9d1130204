import { EXIT, UsageError } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'

interface Options extends ReadOptions {
  readonly output?: string
  readonly force?: boolean
}

export function addExport(program: Program): void {
  const command = program.command
    .command('export <dir> <name...>')
    .description('write files and folders as a CAR file, which other vaults and software of IPLD read')
    .option('-o, --output <path>', 'write here; without it, the CAR goes to stdout')
    .option('-f, --force', 'replace a file that is there')
  addReadOptions(command).addHelpText(
    'after',
    '\nEach name, folder or content id is a root of the CAR. A folder keeps its names, a single file does not; "." is everything.\n\nExamples:\n  vaultctl export ~/vault photos -o photos.car\n  vaultctl export ~/vault . | ssh elsewhere vaultctl import vault -',
  )
  program.action<[string, string[], Options]>(command, async ({ output, progress, signal }, dir, names, options) => {
    const { writePieces } = await import('@vault/embedded')
    const { output: path, force: replace = false } = options
    if (path === undefined && output.json)
      throw new UsageError('With --json the CAR needs a place: say where to write it with --output.')
    if (path === undefined && output.isTerminal)
      throw new UsageError('A CAR is not for a terminal: say where to write it with --output, or pipe it.')
    await using vault = await openVaultAt(
      dir,
      { ...options, output },
      { mode: 'read', intent: { action: 'export' }, signal },
    )
    const { roots, chunks } = await vault.exportCar(names, { signal })
    if (path === undefined) {
      for await (const chunk of chunks) await output.raw(chunk)
      return EXIT.ok
    }
    async function* shown(): AsyncGenerator<Uint8Array> {
      let bytes = 0
      for await (const chunk of chunks) {
        yield chunk
        bytes += chunk.length
        progress.show({ label: 'Exporting', done: bytes, bytes })
      }
    }
    const bytes = await writePieces(shown(), { path, replace })
    progress.clear()
    await output.result(
      { ok: true, roots: roots.map(({ word, id, type }) => ({ name: word, id, type })), bytes, output: path },
      `Wrote ${counted(roots.length, 'root')} (${humanBytes(bytes)}) to ${path}:\n${roots.map(({ word, id }) => `${id}  ${word}`).join('\n')}`,
    )
    return EXIT.ok
  })
}
