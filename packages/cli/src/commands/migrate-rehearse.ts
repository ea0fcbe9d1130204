import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { HandoffRehearsal } from '@vault/embedded'
import type { Rehearsal } from '@vault/migration'
import { writeEvents } from '../event-lines.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { followRehearsal } from '../follow-move.ts'
import { counted, humanBytes } from '../human.ts'
import { addLiveOptions, type LiveOptions, liveTermsOf } from '../live-options.ts'
import { moveEnd } from '../move-end.ts'
import { expectMoveFiles } from '../move-ending.ts'
import { addMoveOptions, brokenBy, type MoveOptions, seatsOf } from '../move-options.ts'
import { openVaultAt } from '../open-vault.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import { isRemote } from '../remote-end.ts'

type Options = Omit<MoveOptions, 'to'> & LiveOptions & { readonly to?: string }

export function addRehearse(program: Program): void {
  const command = program.command
    .command('rehearse')
    .description('do all of a move that can be taken back, take it back, and hand a throw-away copy off')
    .requiredOption('--from <dir>', 'the vault, which stays active there')
    .option('--to <dir>', 'where it would move to; default: a folder beside the vault, removed afterwards')
    .addHelpText(
      'after',
      '\nFirst the vault itself: keys are made and sign, everything is copied and read back, it takes no changes for a moment, its audit trail goes\nover, and the target says that it is ready. Then all of that is taken back: the vault is never handed off, and the target is as it was.\nThe audit trail says that a migration began and was rolled back.\nThen a copy of its files, a vault of its own that nobody could take for this one, is handed off beside the target, and removed: there has\nto be room for two more copies.\nNot rehearsed: routing.\n\nExample:\n  vault-migrate rehearse --from ~/vault --to /mnt/new/vault',
    )
  addLiveOptions(addMoveOptions(command))
  program.action<[Options]>(command, async (run, options) => {
    const { output, signal } = run
    const { from } = options
    if (isRemote(from))
      throw new UsageError(`A vault is moved by the machine that it lies on: run this where ${from} is.`)
    if ((options.back ?? options.route ?? options.routeCommand) !== undefined)
      throw new UsageError('--back, --route and --route-command are for the move itself.')
    await expectMoveFiles(options)
    const live = liveTermsOf(options)
    const allowBroken = await brokenBy(options)
    const { isIdentitySealed, moveSourceOf, plannedKeys, rehearseHandoff } = await import('@vault/embedded')
    const { planMigration, rehearseMove } = await import('@vault/migration')
    await using vault = await openVaultAt(from, { ...options, output }, { signal })
    const beside = options.to === undefined || isRemote(options.to) ? vault.place.dir : options.to
    await using scratch = await throwAway(beside)
    const to = options.to ?? join(scratch.dir, 'target')
    const seats = seatsOf({ ...options, to }, await isIdentitySealed(vault), output)
    const source = await moveSourceOf(vault, seats.source)
    const end = moveEnd(to, { ...options, vault, seat: seats.target, signal })
    const { authorize } = vault
    const plan = await (async () => {
      await using target = await end.look()
      const handoff = await plannedKeys(vault, { signal })
      return await planMigration({ source, target, authorize }, { signal, handoff })
    })()
    await source.unlock({ signal })
    await using target = await end.open()
    const events = rehearseMove(plan, { source, target, authorize, allowBroken, ...(live && { live }) }, { signal })
    const told = options.events === undefined ? events : writeEvents(options.events, events, output)
    const rehearsal = await followRehearsal(run, told)
    if (rehearsal.ok) output.note('hand-off     a throw-away copy is handed off')
    const copy = rehearsal.ok ? await rehearseHandoff(vault, scratch.dir, { signal }) : undefined
    const ok = copy?.certified ?? false
    await output.result(resultOf(ok, rehearsal, copy, { from, to: options.to }), describe(rehearsal, copy, from))
    return ok ? EXIT.ok : EXIT.refused
  })
}

/** A folder beside the place that a vault would move to, on the same disk. */
async function throwAway(place: string): Promise<{ readonly dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(dirname(resolve(place)), '.vault-rehearsal-'))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) }
}

function resultOf(
  ok: boolean,
  { migration, failed, steps, pauseMs, state }: Rehearsal,
  copy: HandoffRehearsal | undefined,
  { from, to }: { readonly from: string; readonly to: string | undefined },
): Readonly<Record<string, unknown>> {
  return {
    ok,
    migration_id: migration,
    phase: 'rolled-back',
    source: from,
    target: to ?? null,
    ...(failed && { failed }),
    steps,
    pause_ms: pauseMs,
    sent: state.sent.objects,
    sent_bytes: state.sent.bytes,
    ...(copy && {
      handoff: { objects: copy.objects, bytes: copy.bytes, ms: copy.handoffMs, certified: copy.certified },
    }),
  }
}

function describe(
  { failed, steps, pauseMs, state }: Rehearsal,
  copy: HandoffRehearsal | undefined,
  from: string,
): string {
  const times = steps.map(({ effect, ms }) => `  ${effect.padEnd(12)} ${ms} ms`)
  if (failed !== undefined) {
    const where = failed.effect === null ? '' : ` in "${failed.effect}"`
    return [
      printable(`The move would have FAILED${where}: ${failed.message} [${failed.code}]`),
      `It was taken back; the vault is active in ${from}.`,
      ...times,
    ].join('\n')
  }
  const { objects, bytes } = state.sent
  return [
    `Rehearsed with the vault itself and its keys: ${counted(objects, 'object')} (${humanBytes(bytes)}) sent, read back and hashed; both roots equal; the trail verified; the target was ready.`,
    `It was taken back before the hand-off was signed. The vault is active in ${from}, and took no changes for ${pauseMs} ms.`,
    ...(copy === undefined
      ? []
      : [
          copy.certified
            ? `Rehearsed with a throw-away copy of its files, under keys of its own: handed off in ${copy.handoffMs} ms, its certificate verified, and removed.`
            : 'The throw-away copy was handed off, and its certificate does NOT hold.',
        ]),
    'Not rehearsed: routing, and that the hand-off of this vault would be signed; only the move itself does that.',
    ...times,
  ].join('\n')
}
