import { resolve } from 'node:path'
import { VaultError, type VaultId } from '@vault/core'
import type {
  MigrationErrorCode,
  MigrationReason,
  MoveEvent,
  MoveParts,
  MoveState,
  Plan,
  PlanParts,
} from '@vault/migration'
import { writeEvents } from './event-lines.ts'
import type { ExitCode } from './exit-code.ts'
import { followMove } from './follow-move.ts'
import { type LiveOptions, liveTermsOf } from './live-options.ts'
import { drawLiveMove } from './live-picture.ts'
import { moveBetween } from './move-between.ts'
import { type MoveEnd, moveEnd } from './move-end.ts'
import {
  describeMoved,
  expectMoveFiles,
  keepCertificate,
  movedResult,
  NOT_DRAWN,
  type Returned,
} from './move-ending.ts'
import { brokenBy, ceremonyOf, endsOf, type MoveOptions, routingOf, seatsOf } from './move-options.ts'
import { openVaultAt } from './open-vault.ts'
import type { Run } from './program.ts'
import { rememberPlace } from './remember-place.ts'
import { isRemote, serverKey } from './remote-end.ts'
import { requireParent } from './require-parent.ts'
import { keysThatStay } from './staying-keys.ts'

/** `run` begins a move or goes on with one; `resume` only goes on; `rollback` goes back. */
export type MoveVerb = 'run' | 'resume' | 'rollback'

/** Does a move from a folder to another one or to a server, or has two servers do it, as far as it is asked, and says how it ended. */
export async function moveOn(
  run: Run,
  options: MoveOptions &
    LiveOptions & {
      readonly reread?: boolean
      readonly certificate?: string
      readonly migration?: string
      /** Of a rollback. */
      readonly reason?: string
      /** Of a move that begins. */
      readonly why?: MigrationReason | undefined
      /** A complete move that this one takes back. */
      readonly returns?: Returned
    },
  verb: MoveVerb,
): Promise<ExitCode> {
  const { output, signal } = run
  const started = performance.now()
  const { from, to } = endsOf(options)
  const { why } = options
  if (isRemote(from) && verb !== 'rollback') return await moveBetween(run, options, verb)
  const files = await expectMoveFiles(options)
  const live = liveTermsOf(options)
  const allowBroken = await brokenBy(options)
  const { isIdentitySealed, moveSourceOf, plannedKeys, publishEvents } = await import('@vault/embedded')
  const {
    arrivedMove,
    cleanTarget,
    decodePlan,
    givenUpAt,
    isEnded,
    listMoves,
    moveVault,
    planMigration,
    readLiveMove,
    requireArrived,
    requireMoved,
    requireTakenBack,
    resumeMove,
    rollBackMove,
  } = await import('@vault/migration')
  await using vault = await openVaultAt(from, { ...options, output }, { signal })
  const moves = await listMoves(vault.place.soups.records, { signal, vault: vault.id })
  const open = moves.find(({ phase }) => !isEnded(phase))
  const known = options.migration ?? (verb === 'rollback' ? (open ?? moves[0]) : open)?.migration
  // Who takes a move over, or back, must have been granted it before anything is written down. Behind the signature the vault is active
  // nowhere until it has ended, so whoever can, ends it.
  const isAsked = open?.phase !== 'handoff-signed' && open?.phase !== 'activated'
  const acting = isAsked ? { actor: await vault.actorFor('migrate', { signal }) } : {}
  if (verb !== 'run' && known === undefined) throw noneToGoOnWith(verb, { from, vault: vault.id })
  const seats = seatsOf(options, await isIdentitySealed(vault), output)
  const source = await moveSourceOf(vault, { ...seats.source, ...acting, ...(await ceremonyOf(options)) })
  const end = moveEnd(to, { ...options, vault, seat: { ...seats.target, ...acting }, signal })
  const planFor = async (target: PlanParts['target']): Promise<Plan> => {
    const handoff = await plannedKeys(vault, { signal })
    return await planMigration(
      { source, target, authorize: vault.authorize },
      { signal, handoff, ...(why && { reason: why }) },
    )
  }
  const report = async (state: MoveState, already: boolean): Promise<ExitCode> => {
    const seconds = (performance.now() - started) / 1000
    const certificate = await keepCertificate(state, options.certificate, { to, files })
    const record = await readLiveMove(source.records, state.migration, { signal })
    if (record !== undefined) await files.write(options.svg, drawLiveMove(record), NOT_DRAWN)
    const stays = await keysThatStay(state)
    const ending = { from, to, certificate, seconds, live: record, returns: options.returns, already, stays }
    return await files.report(output, movedResult(state, ending), describeMoved(state, ending))
  }
  const named = async () => {
    if (isRemote(to)) return { key: serverKey(options.peerKey) }
    await using found = await end.look()
    return { instance: found.instance }
  }
  const arrived = verb === 'run' && open === undefined ? await arrivedMove(source, named, { signal }) : undefined
  if (arrived !== undefined) {
    await using target = await end.open()
    await requireArrived(arrived, target, { signal })
    return await report(arrived, true)
  }
  const looked = await (async () => {
    if (verb !== 'run' || known !== undefined) return undefined
    if (!isRemote(to)) await requireParent(to)
    // Looked at first: what is refused leaves not even an empty place behind.
    {
      await using found = await end.look()
      if (givenUpAt(moves, found.instance).length === 0) return await planFor(found)
    }
    await using target = await end.open()
    await cleanTarget({ source, target, authorize: vault.authorize }, { signal })
    return await planFor(target)
  })()
  const accepted = moves.find(({ migration, acceptance }) => migration === known && acceptance !== null)
  if (accepted !== undefined && !isRemote(to)) {
    await requirePlace(end, { migration: accepted.migration, label: decodePlan(accepted.plan).target.label, to })
  }
  // A wrong passphrase is said before the target has keys under it.
  if (looked !== undefined || (verb !== 'rollback' && open?.next === 'accept')) await source.unlock({ signal })
  await using target = await end.open()
  // A folder is a place with a name of its own only now, and whoever approves a plan approves where it leads.
  const plan = looked !== undefined && looked.target.instance === undefined ? await planFor(target) : looked
  const parts: MoveParts = {
    source,
    target,
    authorize: vault.authorize,
    address: isRemote(to) ? to : resolve(to),
    allowBroken,
    ...(live && { live }),
    ...(options.reread && { reread: true }),
    ...(await routingOf(options)),
  }
  const events = ((): AsyncIterable<MoveEvent> => {
    if (plan !== undefined) return moveVault(plan, parts, { signal })
    const migration = known ?? 'unknown'
    if (verb === 'rollback') {
      return rollBackMove(migration, parts, { signal, ...(options.reason !== undefined && { reason: options.reason }) })
    }
    if (open !== undefined) output.note(`Going on with the migration ${migration}, which is ${open.phase}.`)
    return resumeMove(migration, parts, { signal })
  })()
  const published = publishEvents(plan?.migration_id ?? known ?? 'unknown', events)
  const told = options.events === undefined ? published : writeEvents(options.events, published, output)
  // From its signature on, an old copy of the source would be a second active place: it is known as one at once.
  const state = await followMove(run, told, {
    begins: async ({ effect }) => {
      if (effect === 'activate') await rememberPlace(from, options, run)
    },
  })
  if (state.phase === 'complete' && !isRemote(to)) await rememberPlace(to, options, run)
  if (verb === 'rollback') requireTakenBack(state, to)
  else requireMoved(state)
  return await report(
    state,
    moves.some(({ migration, phase }) => migration === state.migration && phase === 'rolled-back'),
  )
}

/** What began with a place goes on with it, and no other one is made in its stead. Throws `MIGRATION_PLAN_MISMATCH`. */
async function requirePlace(
  end: MoveEnd,
  { migration, label, to }: { readonly migration: string; readonly label: string; readonly to: string },
): Promise<void> {
  await using found = await end.look()
  if (found.instance !== undefined) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PLAN_MISMATCH',
    message: `The migration ${migration} goes to ${label}, and in ${to} is no place now.`,
    details: { migration },
  })
}

/** There is no move of which this could be done. */
export function noneToGoOnWith(
  verb: 'resume' | 'rollback',
  { from, vault }: { readonly from: string; readonly vault: VaultId },
): VaultError<MigrationErrorCode> {
  const what = verb === 'resume' ? 'no migration from here is under way' : 'nothing has moved from here, nor begun to'
  return new VaultError({
    code: 'MIGRATION_UNKNOWN',
    message: `No checkpoint found: of the vault in ${from}, ${what}.`,
    details: { vault },
  })
}
