import type { MigrationReason, Plan } from '@vault/migration'
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

/** What `run` would do between two ends, which are only looked at. Throws what a run would be refused with before its first byte. */
export async function planEnds(run: Run, options: Options, reason?: MigrationReason): Promise<Plan> {
  if (!options.handoff || !isRemote(endsOf(options).from)) return await planHere(run, options, reason)
  if (reason !== undefined) throw new UsageError('--reason is for a vault of this machine: a server is not told of it.')
  // The server where the vault lies looks at the other one.
  await using servers = await twoServers(options, run.signal)
  return await servers.place.planMove(servers.vault, servers.to, { signal: run.signal })
}

async function planHere({ output, signal }: Run, options: Options, reason?: MigrationReason): Promise<Plan> {
  const { from, to } = endsOf(options)
  const { movedKeys, planMigration } = await import('@vault/migration')
  await using ends = await copyEnds({ ...options, from, to, keepHashes: false, output, signal })
  await using target = await ends.look()
  const { source, authorize } = ends
  return await planMigration(
    { source, target, authorize },
    {
      signal,
      ...(reason && { reason }),
      ...(options.handoff && { handoff: { keys: await movedKeys(source, { signal }) } }),
    },
  )
}
