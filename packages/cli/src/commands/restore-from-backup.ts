import { EXIT } from '../exit-code.ts'
import { counted, humanCount } from '../human.ts'
import { addStateOption, type StateOptions, stateDirOf } from '../open-vault.ts'
import type { Program } from '../program.ts'

export function addRestoreFromBackup(program: Program): void {
  const command = program.command
    .command('restore-from-backup <dir>')
    .description('say that a folder is an old copy of a vault, put back on purpose, and make it fit to be read')
  addStateOption(command).addHelpText(
    'after',
    '\nAn old copy that was put back is refused, with exit code 3, until this is said of it. It says what is missing, gives the\nplace a new id and key, and retires the vault in it: it can be read and verified, and receive the vault again from where\nit is active; it is not written any more, as newer changes may exist elsewhere. Where they are lost for good, get the\nfiles out and put them into a new vault.\n\nExample:\n  vaultctl restore-from-backup ~/vault',
  )
  program.action<[string, StateOptions]>(command, async ({ output, signal }, dir, options) => {
    const { restoreFromBackup } = await import('@vault/embedded')
    const stateDir = stateDirOf(options, process.env)
    const { vault, place, tenure, size, lost, findings } = await restoreFromBackup(dir, { stateDir, signal })
    const { state, epoch, sequence } = tenure
    const missing = lost
      ? `Missing here: ${counted(lost.changes, 'change')} after number ${humanCount(sequence)}, and ${lost.entries === 0 ? 'no' : humanCount(lost.entries)} entries of the log from ${humanCount(size)} on.`
      : 'This machine does not know how far the vault was: whether anything is missing here cannot be said.'
    await output.result(
      {
        ok: true,
        vault,
        dir,
        instance: place.instance,
        state,
        epoch,
        sequence,
        log: { entries: size },
        ...(lost && { lost }),
        findings,
      },
      `${missing}\nThe place has a new id, ${place.instance}, and the vault is ${state} in it: it can be read, and is not written any more.`,
    )
    return EXIT.ok
  })
}
