import type { MigrationReason, Plan } from '@vault/migration'
import { type AskedApprovals, askedApprovals } from './asked-approvals.ts'
import { copyEnds } from './copy-ends.ts'
import { UsageError } from './exit-code.ts'
import { endsOf, type MoveOptions } from './move-options.ts'
import type { Run } from './program.ts'
import { isRemote } from './remote-end.ts'
import { twoServers } from './two-servers.ts'

type Options = MoveOptions & {
  /** `false` for `--no-handoff`. */
  readonly handoff: boolean
}

/** What a run would do, and who has to approve that, where the vault is of this machine. */
export interface PlannedEnds {
  readonly plan: Plan
  readonly asked?: AskedApprovals
}

/** What `run` would do between two ends, which are only looked at. Throws what a run would be refused with before its first byte. */
export async function planEnds(run: Run, options: Options, reason?: MigrationReason): Promise<PlannedEnds> {
  if (!options.handoff || !isRemote(endsOf(options).from)) return await planHere(run, options, reason)
  if (reason !== undefined) throw new UsageError('--reason is for a vault of this machine: a server is not told of it.')
  // The server where the vault lies looks at the other one.
  await using servers = await twoServers(options, run.signal)
  return { plan: await servers.place.planMove(servers.vault, servers.to, { signal: run.signal }) }
}

async function planHere({ output, signal }: Run, options: Options, reason?: MigrationReason): Promise<PlannedEnds> {
  const { from, to } = endsOf(options)
  const { isEnded, listMoves, movedKeys, planMigration } = await import('@vault/migration')
  await using ends = await copyEnds({ ...options, from, to, keepHashes: false, output, signal })
  await using target = await ends.look()
  const { source, authorize } = ends
  const plan = await planMigration(
    { source, target, authorize },
    {
      signal,
      ...(reason && { reason }),
      ...(options.handoff && { handoff: { keys: await movedKeys(source, { signal }) } }),
    },
  )
  // Nobody has to approve a copy.
  if (ends.vault === undefined || !options.handoff) return { plan }
  const { id, place } = ends.vault
  const moves = await listMoves(place.soups.records, { signal, vault: id })
  const open = moves.find(({ phase }) => !isEnded(phase))
  if (open !== undefined) {
    output.note(
      `The migration ${open.migration} is ${open.phase}: "run" goes on with that, and does not begin this one.`,
    )
  }
  return { plan, asked: await askedApprovals(ends.vault, from, { ...options, signal }) }
}
