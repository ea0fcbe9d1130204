import { EXIT } from '../exit-code.ts'
import { describeStatus } from '../follow-move.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import type { Program } from '../program.ts'

export function addMigrateStatus(program: Program): void {
  const command = program.command
    .command('status <dir>')
    .description('say which migrations left this place, how far each has come, and what is left to do')
    .addHelpText(
      'after',
      '\nWorks while one is running, and changes nothing.\n\nExample:\n  vault-migrate status ~/vault',
    )
  addReadOptions(command)
  program.action<[string, ReadOptions]>(command, async ({ output, signal }, dir, options) => {
    const { listMoves, moveStatus, readMoveCheckpoint, readMovePace } = await import('@vault/migration')
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const { records } = vault.place.soups
    const migrations = []
    for (const state of await listMoves(records, { signal })) {
      const { migration } = state
      const checkpoint = await readMoveCheckpoint(records, migration, { signal })
      migrations.push(moveStatus(state, checkpoint, await readMovePace(records, migration, { signal })))
    }
    const { state, migration } = await vault.soup.tenure({ signal })
    const standing = `The vault is ${state} in ${vault.place.dir}${migration === undefined ? '' : ` (migration ${migration})`}.`
    await output.result(
      { ok: true, vault: vault.id, state, ...(migration !== undefined && { migration }), migrations },
      [standing, ...migrations.map(describeStatus)].join('\n'),
    )
    return EXIT.ok
  })
}
