import { type Bytes, VaultError, type VaultId } from '@vault/core'
import type { MigrationErrorCode, MigrationReason, MoveState, MoveStep, Routing } from '@vault/migration'
import type { HttpPlace, MoveRequest } from '@vault/migration/http'
import { writeEvents } from './event-lines.ts'
import type { ExitCode } from './exit-code.ts'
import { followMove } from './follow-move.ts'
import { type LiveOptions, liveTermsOf } from './live-options.ts'
import { drawLiveMove } from './live-picture.ts'
import {
  describeMoved,
  expectMoveFiles,
  keepCertificate,
  movedResult,
  NOT_DRAWN,
  type Returned,
} from './move-ending.ts'
import { brokenBy, type MoveOptions, routingOf } from './move-options.ts'
import { movingServer } from './moving-server.ts'
import type { Run } from './program.ts'
import { rememberPlace } from './remember-place.ts'
import { isRemote, parseRate, patienceOf } from './remote-end.ts'
import { keysThatStay } from './staying-keys.ts'

type Options = MoveOptions &
  LiveOptions & {
    readonly reread?: boolean
    readonly certificate?: string
    readonly migration?: string
    readonly why?: MigrationReason | undefined
    readonly returns?: Returned
  }

/** Has the server where a vault lies move it to another one, or to a folder here, and says how it ended. */
export async function moveBetween(run: Run, options: Options, verb: 'run' | 'resume'): Promise<ExitCode> {
  const { output } = run
  const started = performance.now()
  const files = await expectMoveFiles(options)
  const { routing } = await routingOf(options)
  const terms: Omit<MoveRequest, 'to'> = {
    live: liveTermsOf(options) ?? null,
    reread: options.reread ?? false,
    allowBroken: [...(await brokenBy(options))] as MoveRequest['allowBroken'],
    ...patienceIn(options.timeout),
    ...(options.why && { reason: options.why }),
    bytesPerSecond: options.bwlimit === undefined ? null : Math.ceil(parseRate(options.bwlimit)),
  }
  await using servers = await movingServer(run, options, verb)
  const { place, vault, from, to, toName, signal } = servers
  if (verb === 'resume') await requireUnfinished(place, vault, options.migration, signal)
  const events = place.move(vault, { to, ...terms }, { signal })
  const told = options.events === undefined ? events : writeEvents(options.events, events, output)
  let already = true
  const begins = async ({ effect }: MoveStep) => {
    already = false
    if (effect === 'sign') servers.passes()
  }
  const state = await followMove(run, told, { begins })
  await routing?.update(await routeOf(state), { signal })
  const certificate = await keepCertificate(state, options.certificate, { to: toName, files })
  const seconds = (performance.now() - started) / 1000
  const live = terms.live === null ? undefined : await place.liveMove(vault, state.migration, { signal })
  if (live !== undefined) await files.write(options.svg, drawLiveMove(live), NOT_DRAWN)
  if (!isRemote(toName)) await rememberPlace(toName, options, { output, signal })
  const stays = await keysThatStay(state)
  const ending = { from, to: toName, certificate, seconds, live, returns: options.returns, already, stays }
  return await files.report(output, { ...movedResult(state, ending), vault }, describeMoved(state, ending))
}

/** Where a finished move leads clients: the servers do not know those of this machine. */
async function routeOf({ vault, migration, plan, handoff }: MoveState): Promise<Parameters<Routing['update']>[0]> {
  const { decodeEnvelope } = await import('@vault/core')
  const { decodePlan, parseHandoff } = await import('@vault/migration')
  const { epoch, from, to } = parseHandoff(decodeEnvelope(handoff as Bytes).payload)
  const { source, target } = decodePlan(plan)
  return {
    vault,
    migration,
    from: { label: source.label, instance: from.instance },
    to: { label: target.label, instance: to.instance },
    epoch,
  }
}

/** How long the first server waits for the second one, where that was said. */
export function patienceIn(timeout: string | undefined): Pick<MoveRequest, 'patience'> {
  const patience = patienceOf(timeout)
  return patience === undefined ? {} : { patience }
}

/** What is to go on must have begun, and not have ended. */
async function requireUnfinished(
  place: HttpPlace,
  vault: VaultId,
  named: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { isEnded } = await import('@vault/migration')
  const open = (await place.moves(vault, { signal })).find(({ phase }) => !isEnded(phase))
  if (open !== undefined && (named ?? open.migration_id) === open.migration_id) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_UNKNOWN',
    message: `No checkpoint found: no migration${named === undefined ? '' : ` ${named}`} of the vault ${vault} is under way there.`,
    details: { vault, ...(named !== undefined && { migration: named }) },
  })
}
