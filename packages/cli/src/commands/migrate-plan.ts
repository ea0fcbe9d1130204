import type { PlannedKeys } from '@vault/migration'
import { EXIT } from '../exit-code.ts'
import { counted, humanBytes } from '../human.ts'
import { REASONS, reasonOf } from '../move-reason.ts'
import { addStateOption } from '../open-vault.ts'
import { type PlannedEnds, planEnds } from '../plan-ends.ts'
import type { Program } from '../program.ts'
import { addRemoteOptions } from '../remote-end.ts'
import { addPlaceOption, type RemotePlaceOptions } from '../remote-place.ts'
import { stayingLines } from '../staying-keys.ts'

interface Options extends RemotePlaceOptions {
  readonly from: string
  readonly fromKey?: string
  readonly to: string
  readonly handoff: boolean
  readonly reason?: string
}

export function addPlan(program: Program): void {
  const command = program.command
    .command('plan')
    .description('say what "run" would do, and change nothing')
    .requiredOption('--from <dir>', 'the vault: a folder, or https://HOST:PORT[/vaults/ID] of "vaultctl serve"')
    .requiredOption('--to <dir>', 'the place it moves to: a folder, which may not exist yet, or https://HOST:PORT')
    .option('--no-handoff', 'plan a copy: the vault stays active where it is')
    .option('--reason <reason>', REASONS)
    .addHelpText(
      'after',
      '\nBetween two servers the first one looks at the second one; and at a folder that comes for its vault, which then is a place already, over connections of the folder.\n\nExamples:\n  vault-migrate plan --from ~/vault --to /mnt/new/vault\n  vault-migrate plan --from https://old.example:8443 --from-key ed25519:z6Mk… --to https://new.example:8443 --peer-key ed25519:z6Mk… --as me',
    )
  addPlaceOption(addRemoteOptions(addStateOption(command))).option(
    '--from-key <key>',
    'where both ends are https://…: the key of the server at --from; where --to is a folder, --peer-key is that',
  )
  program.action<[Options]>(command, async (run, options) => {
    const planned = await planEnds(run, options, await reasonOf(options.reason))
    if (planned === undefined) return EXIT.ok
    await run.output.result({ ok: true, plan: planned.plan, ...planned.asked?.members }, describePlan(planned, options))
    return EXIT.ok
  })
}

const KEYS: Readonly<Record<PlannedKeys, string>> = {
  new: 'new ones, which are made there',
  'new-identity': 'a new identity and log key, which are made there; the operators stay who they are',
  keep: 'a new log key, which is made there; identity and operators stay as they are',
}

/** A plan for people. The ends are as they call them. */
export function describePlan(
  { plan, asked }: PlannedEnds,
  { from, to }: { readonly from: string; readonly to: string },
): string {
  const { source, verification, handoff } = plan
  const { objects, bytes, entries } = source.counts
  return [
    `Migration ${plan.migration_id}`,
    `from      ${from}: ${counted(objects, 'object')}, ${humanBytes(bytes)}, ${counted(entries, 'entry')}`,
    `to        ${to}, ${handoff === undefined ? 'where it becomes a replica' : 'which becomes its active place'}`,
    `verified  ${verification.mode === 'full' ? 'every object read back and hashed, both roots' : `a sample of ${verification.size}, both roots`}`,
    ...(handoff === undefined ? [] : [`keys      ${KEYS[handoff.keys]}`]),
    ...stayingLines(handoff ?? {}, from),
    ...(asked?.lines ?? []),
  ].join('\n')
}
