import type { MigrationReason } from '@vault/migration'
import { copyPart } from '../copy-part.ts'
import { copyVault } from '../copy-vault.ts'
import { EXIT, type ExitCode, UsageError } from '../exit-code.ts'
import { addLiveOptions, type LiveOptions, liveTermsOf } from '../live-options.ts'
import { moveOn } from '../move-on.ts'
import { addMoveOptions, endsOf, type MoveOptions } from '../move-options.ts'
import { REASONS, reasonOf } from '../move-reason.ts'
import { planEnds } from '../plan-ends.ts'
import type { Program, Run } from '../program.ts'
import { isRemote } from '../remote-end.ts'
import { repeatable } from '../repeatable.ts'
import { stayingKeys } from '../staying-keys.ts'
import { describePlan } from './migrate-plan.ts'

interface Options extends MoveOptions, LiveOptions {
  /** `false` for `--no-handoff`. */
  readonly handoff: boolean
  readonly certificate?: string
  readonly reread?: boolean
  readonly dryRun?: boolean
  readonly reason?: string
  readonly kind?: string
  readonly where?: readonly string[]
}

export function addRun(program: Program): void {
  const command = program.command
    .command('run')
    .description('move a vault to another place: all of it, verified; afterwards it is active there, and here no more')
    .requiredOption(
      '--from <dir>',
      'the vault: a folder, or https://HOST:PORT[/vaults/ID] of "vaultctl serve", which then moves it to the server at --to, or into the folder there, which comes for it',
    )
    .requiredOption(
      '--to <dir>',
      'the place it moves to: a folder, made if it does not exist, or https://HOST:PORT of "vaultctl serve"',
    )
    .option('--no-handoff', 'leave the vault active here, and a verified copy there')
    .option('--certificate <file>', 'write the migration certificate into this file, too')
    .option(
      '--reread',
      'read back all of a copy again, and mend what is damaged there; where --to is a server: over the wire, and not by the server',
    )
    .option(
      '--kind <kind>',
      'full, the default; or partial: a copy of what --where selects, into the active vault at --to',
    )
    .option(
      '-w, --where <condition>',
      'with --kind partial: what comes with all that it links to; as in "vaultctl find"; all have to hold',
      repeatable,
    )
    .option('--reason <reason>', `why it moves, for its plan and the audit trail: ${REASONS}`)
    .option('-n, --dry-run', 'say what would be done, and change nothing')
  addLiveOptions(addMoveOptions(command)).addHelpText(
    'after',
    '\nIt ends by itself. Interrupted or killed, the same command goes on where it was: of what has arrived,\nat most the last 64 MiB are sent again, and on a slow line less.\nWith --live, those who write to it go on, wait for a moment when it passes over, and are led to the new place.\nUntil the hand-off is signed, "vault-migrate rollback" takes it back; afterwards the way back is "run --back".\nThe certificate proves the move to strangers, without a network: "vault-migrate verify-cert".\n\nExamples:\n  vault-migrate run --from ~/vault --to /mnt/new/vault --certificate moved.cert\n  vault-migrate run --from ~/vault --to /mnt/new/vault --back\n  vault-migrate run --from ~/vault --to /mnt/copy/vault --no-handoff\n  vault-migrate run --kind partial --where \'key~path:photos/*\' --from ~/vault --to ~/family\n  vault-migrate run --from ~/vault --to https://new.example:8443 --peer-key ed25519:z6Mk…\n  vault-migrate run --from https://old.example:8443 --from-key ed25519:z6Mk… --to https://new.example:8443 --peer-key ed25519:z6Mk… --as me\n  vault-migrate run --from https://old.example:8443 --peer-key ed25519:z6Mk… --to ~/vault',
  )
  program.action<[Options]>(command, async (run, { reason, ...options }) => {
    const why = await reasonOf(reason)
    if (why !== undefined && (!options.handoff || options.kind === 'partial'))
      throw new UsageError('--reason is for moves: of a copy nothing is kept that would say it.')
    if (options.bwlimit !== undefined && !Object.values(endsOf(options)).some(isRemote))
      throw new UsageError('--bwlimit is for servers: between folders nothing is sent.')
    if (isPartial(options)) {
      const ends = endsOf(options)
      if (isRemote(ends.from) && isRemote(ends.to))
        throw new UsageError('Of the copy of a part, one end is a folder: run this where one of both vaults is.')
      return await copyPart(run, { ...options, ...ends, where: options.where ?? [] })
    }
    if (options.dryRun) return await dryRun(run, options, why)
    if (options.handoff) {
      if (options.reread && !isRemote(endsOf(options).to))
        throw new UsageError('--reread is for copies, and for servers: a folder is always read back.')
      return await moveOn(run, { ...options, why }, 'run')
    }
    if (options.certificate !== undefined) throw new UsageError('A copy has no certificate: leave out --no-handoff.')
    if (liveTermsOf(options)) throw new UsageError('--live is for moves: a copy keeps nobody waiting.')
    return await copyVault(run, { ...options, ...endsOf(options), reread: options.reread ?? false })
  })
}

/** Throws a `UsageError` for options that do not go together. */
function isPartial(options: Options): boolean {
  const { kind = 'full', where, dryRun, certificate, reread } = options
  if (kind !== 'full' && kind !== 'partial') throw new UsageError('--kind is full or partial.')
  if (kind === 'full') {
    if (where !== undefined) throw new UsageError('--where selects a part: use it with --kind partial.')
    return false
  }
  if (where === undefined) throw new UsageError('--kind partial needs --where, which says what comes along.')
  if (dryRun || reread || certificate !== undefined) {
    throw new UsageError('--dry-run, --reread and --certificate are for whole vaults.')
  }
  if (!options.handoff) throw new UsageError('--no-handoff is for whole vaults: a part is always a copy.')
  if (liveTermsOf(options)) throw new UsageError('--live is for moves: a copy keeps nobody waiting.')
  return true
}

async function dryRun(run: Run, options: Options, why: MigrationReason | undefined): Promise<ExitCode> {
  const { from, to } = endsOf(options)
  const planned = await planEnds(run, options, why)
  if (planned === undefined) return EXIT.ok
  const { plan, asked } = planned
  const { objects, bytes } = plan.source.counts
  const result = {
    ok: true,
    dry_run: true,
    phase: 'planned',
    source: from,
    target: to,
    migration_id: plan.migration_id,
  }
  await run.output.result(
    { ...result, objects, bytes, ...stayingKeys(plan.handoff), ...asked?.members },
    describePlan(planned, { from, to }),
  )
  return EXIT.ok
}
