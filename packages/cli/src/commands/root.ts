import { EXIT } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import type { Program } from '../program.ts'

export function addRoot(program: Program): void {
  const command = program.command
    .command('root <dir>')
    .description('print the two roots: hashes of everything that is in the vault')
    .addHelpText(
      'after',
      '\nTwo vaults with the same roots hold the same objects and the same entries, byte for byte.\n\nExample:\n  vaultctl root ~/vault --json',
    )
  program.action<[string]>(command, async ({ output, signal }, dir) => {
    const { openVault } = await import('@vault/embedded')
    await using vault = await openVault(dir, { mode: 'read', keepHashes: true })
    const { roots, counts, sequence } = await vault.roots({ signal })
    await output.result(
      { ok: true, vault: vault.id, objects_root: roots.objects, soup_root: roots.soup, ...counts, sequence },
      `objects  ${roots.objects}  ${counted(counts.objects, 'object')}, ${humanBytes(counts.bytes)}\nsoup     ${roots.soup}  ${counted(counts.entries, 'name')}`,
    )
    return EXIT.ok
  })
}
