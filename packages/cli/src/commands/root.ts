import { EXIT } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'

export function addRoot(program: Program): void {
  const command = program.command
    .command('root <dir>')
    .description('print the two roots: hashes of everything that is in the vault')
  addReadOptions(command).addHelpText(
    'after',
    '\nTwo vaults with the same roots hold the same objects and the same entries, byte for byte.\n\nExample:\n  vaultctl root ~/vault --json',
  )
  program.action<[string, ReadOptions]>(command, async ({ output, signal }, dir, options) => {
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', keepHashes: true, signal })
    const { roots, counts, sequence } = await vault.roots({ signal })
    await output.result(
      { ok: true, vault: vault.id, objects_root: roots.objects, soup_root: roots.soup, ...counts, sequence },
      `objects  ${roots.objects}  ${counted(counts.objects, 'object')}, ${humanBytes(counts.bytes)}\nsoup     ${roots.soup}  ${counted(counts.entries, 'name')}`,
    )
    return EXIT.ok
  })
}
