import { EXIT } from '../exit-code.ts'
import { counted, humanCount } from '../human.ts'
import { addStateOption, requireGranted, type StateOptions, stateDirOf } from '../open-vault.ts'
import type { Program } from '../program.ts'

interface Options extends StateOptions {
  readonly withoutMark?: boolean
}

export function addRestoreFromBackup(program: Program): void {
  const command = program.command
    .command('restore-from-backup <dir>')
    .description('say that a folder is an old copy of a vault, put back on purpose, and make it fit to be read')
  addStateOption(command)
    .option('--without-mark', 'take my word for it: nothing on this machine says how far the vault was')
    .addHelpText(
      'after',
      '\nAn old copy that was put back is refused, with exit code 3, until this is said of it. It says what is missing, gives the\nplace a new id and key, and makes the vault a replica in it: it can be read and verified, and receive the vault again from\nwhere it is active ("vault-migrate run --to DIR"); it is never active by itself again, as newer changes may exist elsewhere.\nWhere they are lost for good, get the files out and put them into a new vault.\n\nOn a machine that does not know how far the vault was, nothing shows that it is an old copy: --without-mark says so.\n\nExample:\n  vaultctl restore-from-backup ~/vault',
    )
  program.action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { restoreFromBackup } = await import('@vault/embedded')
    const stateDir = stateDirOf(options, process.env)
    const { withoutMark = false } = options
    await requireGranted(dir, 'restore', { ...options, output })
    const restored = await restoreFromBackup(dir, { stateDir, withoutMark, signal })
    const { vault, place, tenure, size, lost, findings } = restored
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
      `${missing}\nThe place has a new id, ${place.instance}, and the vault is ${state} in it: it can be read, and received again, and is not written any more.`,
    )
    return EXIT.ok
  })
}
