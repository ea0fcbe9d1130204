import type { MoveStatus } from '@vault/migration'
import type { SoupReader } from '@vault/soup'
import { type CompleteMove, cannotRollBack, whatCameAbout } from './complete-move.ts'
import { writeEvents } from './event-lines.ts'
import { EXIT, type ExitCode, UsageError } from './exit-code.ts'
import { followMove } from './follow-move.ts'
import { unlessGone } from './gone-target.ts'
import { moveBetween, patienceIn } from './move-between.ts'
import { describeMoved, expectMoveFiles, movedResult } from './move-ending.ts'
import { moveOn } from './move-on.ts'
import type { MoveOptions } from './move-options.ts'
import { type MovingServer, movingServer } from './moving-server.ts'
import type { Run } from './program.ts'
import { remoteStateAs } from './remote-place.ts'

type Options = MoveOptions & {
  readonly migration?: string
  readonly reason?: string
  readonly certificate?: string
  readonly bringNewer?: boolean
  readonly withoutTarget?: boolean
}

/**
 * Has the server that a vault left, or was leaving, take that back. What is complete goes back by a move, which the other server makes, with
 * everything that was written since, where that is asked for; else it is refused, and that is named. Throws `MIGRATION_COMPLETE` and
 * what a move throws.
 */
export async function rollBackBetween(run: Run, options: Options): Promise<ExitCode> {
  const { bringNewer = false, certificate, reason, migration: named, ...rest } = options
  const { signal } = run
  if ((options.route ?? options.routeCommand) !== undefined && !bringNewer)
    throw new UsageError(
      '--route and --route-command are for --bring-newer: a move that is taken back led nobody away.',
    )
  await expectMoveFiles(options)
  await using servers = await movingServer(run, options, 'rollback')
  const { place, vault, from, fromKey, to, toName } = servers
  const moves = await place.moves(vault, { signal })
  const [latest] = moves
  if (options.withoutTarget) return await takeBack(run, servers, { ...options, migration: named ?? null, moves })
  const gone = {
    from,
    to: toName,
    move: async () => moves.find(({ migration_id: id }) => id === (named ?? latest?.migration_id)),
  }
  if (latest?.phase !== 'complete' || (named ?? latest.migration_id) !== latest.migration_id) {
    if (certificate !== undefined)
      throw new UsageError(
        'What is rolled back has no certificate: only a complete migration has one, which --bring-newer moves back.',
      )
    const migration = named ?? latest?.migration_id ?? null
    return await unlessGone(run, gone, () => takeBack(run, servers, { ...options, migration, moves }))
  }
  const since = await unlessGone(run, gone, () => sinceComplete(latest.migration_id, servers, { ...options, signal }))
  if (!bringNewer) {
    if (since === undefined) return await takeBack(run, servers, { ...options, migration: latest.migration_id, moves })
    throw cannotRollBack(since, toName)
  }
  if (reason !== undefined) throw new UsageError('--reason is for a migration that is not complete.')
  const theOtherWay = {
    ...rest,
    to: new URL(from).origin,
    peerKey: fromKey,
    back: false,
    ...(certificate !== undefined && { certificate }),
    ...(since && { returns: { migration: since.migration, newer: since.total } }),
  }
  if (to.url === undefined) {
    await servers[Symbol.asyncDispose]()
    return await moveOn(run, { ...theOtherWay, from: toName }, 'run')
  }
  return await moveBetween(run, { ...theOtherWay, from: `${to.url}/vaults/${vault}`, fromKey: to.key }, 'run')
}

async function takeBack(
  run: Run,
  { place, vault, from, to, toName, signal, passes }: MovingServer,
  {
    migration,
    moves,
    reason,
    events: file,
    withoutTarget = false,
    timeout,
  }: Omit<Options, 'migration'> & { readonly migration: string | null; readonly moves: readonly MoveStatus[] },
): Promise<ExitCode> {
  const { output } = run
  const started = performance.now()
  const asked = { ...(withoutTarget && { withoutTarget }), ...patienceIn(timeout) }
  const request = { to, migration, reason: reason ?? null, ...asked }
  const events = place.takeBack(vault, request, { signal })
  const told = file === undefined ? events : writeEvents(file, events, output)
  const state = await followMove(run, told, { begins: async () => passes() })
  const seconds = (performance.now() - started) / 1000
  const ending = {
    from,
    to: toName,
    certificate: undefined,
    seconds,
    live: undefined,
    returns: undefined,
    stays: {},
    already: moves.some(({ migration_id: id, phase }) => id === state.migration && phase === 'rolled-back'),
  }
  await output.result({ ...movedResult(state, ending), vault }, describeMoved(state, ending))
  return EXIT.ok
}

/** What came about since a move was complete; `undefined` where the vault has come back, and asking for that again only says how it ended. */
async function sinceComplete(
  migration: string,
  servers: MovingServer,
  options: Options & { readonly signal: AbortSignal },
): Promise<CompleteMove | undefined> {
  const { vault, from, fromKey, to, toName } = servers
  const { signal } = options
  // A folder shows the key of its place.
  const shown = { ...options, ...(to.url === undefined && { place: toName }), peerKey: fromKey }
  await using left = await remoteStateAs(new URL(from).origin, vault, shown)
  // On its way back it is received there, until it is active.
  if ((await left.soup.tenure({ signal })).state === 'active') return undefined
  await using reached = await stateReached(servers, options)
  return await whatCameAbout(migration, { left: left.soup, reached: reached.soup }, signal)
}

/** The state of the vault where a move has brought it. */
async function stateReached(
  { vault, to, toName }: MovingServer,
  options: Options & { readonly signal: AbortSignal },
): Promise<{ readonly soup: SoupReader } & AsyncDisposable> {
  if (to.url !== undefined) return await remoteStateAs(to.url, vault, { ...options, peerKey: to.key })
  const { lookAtTarget } = await import('@vault/embedded')
  const target = await lookAtTarget(toName)
  const { soup } = await target.look(vault, options)
  return { soup, [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() }
}
