import { addLiveOptions, type LiveOptions } from '../live-options.ts'
import { moveOn } from '../move-on.ts'
import { addMoveOptions, type MoveOptions } from '../move-options.ts'
import type { Program } from '../program.ts'
import { rollBackAt } from '../roll-back-at.ts'

interface Options extends MoveOptions, LiveOptions {
  readonly migration?: string
  readonly certificate?: string
  readonly reason?: string
}

interface RollbackOptions extends Options {
  readonly bringNewer?: boolean
  readonly withoutTarget?: boolean
}

export function addResume(program: Program): void {
  const command = program.command
    .command('resume')
    .description('go on with a migration that was interrupted, killed, or failed')
    .requiredOption('--from <dir>', 'the vault')
    .requiredOption('--to <dir>', 'the place it moves to')
    .option('--migration <id>', 'which one; default: the one that has not ended')
    .option('--certificate <file>', 'write the migration certificate into this file, too')
  addLiveOptions(addMoveOptions(command)).addHelpText(
    'after',
    '\nExample:\n  vault-migrate resume --from ~/vault --to /mnt/new/vault',
  )
  program.action<[Options]>(command, (run, options) => moveOn(run, options, 'resume'))
}

export function addRollback(program: Program): void {
  const command = program.command
    .command('rollback')
    .description(
      'take a migration back: the vault is active where it was, and what the target had of it is as it was before',
    )
    .requiredOption('--from <dir>', 'the vault: a folder, or https://HOST:PORT[/vaults/ID], where a server moved it')
    .requiredOption('--to <dir>', 'the place it was moving to: a folder, or https://HOST:PORT')
    .option('--migration <id>', 'which one; default: the latest')
    .option('--reason <text>', 'why, for the audit trail')
    .option('--bring-newer', 'of a complete migration: move the vault back, with everything that was written since')
    .option(
      '--without-target',
      'the place at --to is gone for good: give the migration up without it, before it is signed',
    )
    .option('--certificate <file>', 'with --bring-newer: write the certificate of the way back into this file, too')
  addMoveOptions(command).addHelpText(
    'after',
    '\nPossible until the hand-off is signed, and after it as long as the target has not taken the vault.\nWhat is complete is refused, and what was written since is named: --bring-newer moves the vault back with it, as "run --back" does.\nWith --without-target nothing is asked of the place at --to; what it has received stays there, and cannot become active. Behind the signature that is refused: only its word counts then.\nBetween two servers, the first one takes it back, and goes on with that by itself; the second one moves it back.\n\nExamples:\n  vault-migrate rollback --from ~/vault --to /mnt/new/vault\n  vault-migrate rollback --from ~/vault --to /mnt/new/vault --bring-newer --certificate back.cert\n  vault-migrate rollback --from https://old.example:8443 --from-key ed25519:z6Mk… --to https://new.example:8443 --peer-key ed25519:z6Mk… --as me',
  )
  program.action<[RollbackOptions]>(command, (run, options) => rollBackAt(run, options))
}
