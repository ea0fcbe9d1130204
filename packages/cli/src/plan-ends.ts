import { isVaultError } from '@vault/core'
import type { MigrationReason, Plan } from '@vault/migration'
import { type AskedApprovals, askedApprovals } from './asked-approvals.ts'
import { copyEnds } from './copy-ends.ts'
import { endsOf, type MoveOptions } from './move-options.ts'
import { movingServer } from './moving-server.ts'
import type { Run } from './program.ts'
import { isRemote } from './remote-end.ts'

type Options = MoveOptions & {
  /** `false` for `--no-handoff`. */
  readonly handoff: boolean
}

/** What a run would do, and who has to approve that, where the vault is of this machine. */
export interface PlannedEnds {
  readonly plan: Plan
  readonly asked?: AskedApprovals
}

/**
 * What `run` would do between two ends, which are only looked at; `undefined` where it has been done, and that has been said. Throws what a run would
 * be refused with before its first byte.
 */
export async function planEnds(run: Run, options: Options, reason?: MigrationReason): Promise<PlannedEnds | undefined> {
  try {
    return await planned(run, options, reason)
  } catch (error) {
    if (!isVaultError(error, 'MIGRATION_COMPLETE')) throw error
    await sayMoved(run, options, String(error.details.migration))
    return undefined
  }
}

async function sayMoved({ output }: Run, options: Options, migration: string): Promise<void> {
  const { from, to } = endsOf(options)
  const ends = { migration_id: migration, source: from, target: to }
  await output.result(
    { ok: true, already: true, phase: 'complete', state: 'active', ...ends },
    `The vault has moved already: it is active in ${to}, by the migration ${migration}. ${from} refuses changes.`,
  )
}

async function planned(run: Run, options: Options, reason?: MigrationReason): Promise<PlannedEnds> {
  if (!options.handoff || !isRemote(endsOf(options).from)) return await planHere(run, options, reason)
  // The server where the vault lies looks at the place that it goes to.
  await using servers = await movingServer(run, options, 'plan')
  return {
    plan: await servers.place.planMove(servers.vault, servers.to, {
      signal: servers.signal,
      ...(reason && { reason }),
    }),
  }
}

async function planHere({ output, signal }: Run, options: Options, reason?: MigrationReason): Promise<PlannedEnds> {
  const { from, to } = endsOf(options)
  const { plannedKeys } = await import('@vault/embedded')
  const { isEnded, listMoves, planMigration, requireNotArrived } = await import('@vault/migration')
  await using ends = await copyEnds({ ...options, from, to, keepHashes: false, output, signal })
  await using target = await ends.look()
  const { source, authorize, vault } = ends
  if (options.handoff && vault !== undefined) {
    const left = { soup: vault.soup, records: vault.place.soups.records, vault: vault.id }
    await requireNotArrived(left, target, { signal })
  }
  const plan = await planMigration(
    { source: { ...source, ...(vault && { instance: vault.place.info.instance }) }, target, authorize },
    {
      signal,
      ...(reason && { reason }),
      ...(options.handoff && vault !== undefined && { handoff: await plannedKeys(vault, { signal }) }),
    },
  )
  // Nobody has to approve a copy.
  if (vault === undefined || !options.handoff) return { plan }
  const { id, place } = vault
  const moves = await listMoves(place.soups.records, { signal, vault: id })
  const open = moves.find(({ phase }) => !isEnded(phase))
  if (open !== undefined) {
    output.note(
      `The migration ${open.migration} is ${open.phase}: "run" goes on with that, and does not begin this one.`,
    )
  }
  return { plan, asked: await askedApprovals(vault, from, { ...options, signal }) }
}
