import { EXIT } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import type { Program } from '../program.ts'

export function addStatus(program: Program): void {
  const command = program.command
    .command('status <dir>')
    .description('say which vault this is, what it may do here, and how much it holds')
    .addHelpText('after', '\nExample:\n  vaultctl status ~/vault')
  program.action<[string]>(command, async ({ output, signal }, dir) => {
    const { openVault } = await import('@vault/embedded')
    await using vault = await openVault(dir, { mode: 'read' })
    const { tenure, place, objects, bytes, entries } = await vault.status({ signal })
    const { state, epoch, sequence, migration } = tenure
    await output.result(
      {
        ok: true,
        vault: vault.id,
        dir: vault.place.dir,
        instance: place.instance,
        state,
        epoch,
        sequence,
        ...(migration !== undefined && { migration }),
        objects,
        bytes,
        entries,
      },
      [
        `vault     ${vault.id}`,
        `place     ${vault.place.dir} (instance ${place.instance})`,
        `state     ${state}, epoch ${epoch}, change ${sequence}`,
        `content   ${counted(objects, 'object')}, ${humanBytes(bytes)}; ${counted(entries, 'name')}`,
      ].join('\n'),
    )
    return EXIT.ok
  })
}
