import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { VaultError } from '@vault/core'
import type { LiveRecord, MigrationErrorCode, MoveEvent, MoveParts, MoveState } from '@vault/migration'
import { writeEvents } from './event-lines.ts'
import { EXIT, type ExitCode, UsageError } from './exit-code.ts'
import { followMove } from './follow-move.ts'
import { howChecked } from './how-checked.ts'
import { counted, humanBytes, humanSeconds } from './human.ts'
import { type LiveOptions, liveTermsOf } from './live-options.ts'
import { drawLiveMove } from './live-picture.ts'
import { moveEnd } from './move-end.ts'
import { brokenBy, ceremonyOf, endsOf, type MoveOptions, routingOf, seatsOf } from './move-options.ts'
import { movedKeys } from './moved-keys.ts'
import { openVaultAt } from './open-vault.ts'
import type { Run } from './program.ts'
import { isRemote } from './remote-end.ts'

/** `run` begins a move or goes on with one; `resume` only goes on; `rollback` goes back. */
export type MoveVerb = 'run' | 'resume' | 'rollback'

/** A complete move that is taken back, and in how many objects and entries the place differs that the vault comes back from. */
export interface Returned {
  readonly migration: string
  readonly newer: number
}

/** Does a move between two folders, as far as it is asked, and says how it ended. */
export async function moveOn(
  run: Run,
  options: MoveOptions &
    LiveOptions & {
      readonly reread?: boolean
      readonly certificate?: string
      readonly migration?: string
      readonly reason?: string
      /** A complete move that this one takes back. */
      readonly returns?: Returned
    },
  verb: MoveVerb,
): Promise<ExitCode> {
  const { output, signal } = run
  const started = performance.now()
  const { from, to } = endsOf(options)
  if (isRemote(from))
    throw new UsageError(`A vault is moved by the machine that it lies on: run this where ${from} is.`)
  const live = liveTermsOf(options)
  const allowBroken = await brokenBy(options)
  const { isIdentitySealed, moveSourceOf, publishEvents } = await import('@vault/embedded')
  const { isEnded, listMoves, moveVault, planMigration, readLiveMove, resumeMove, rollBackMove } = await import(
    '@vault/migration'
  )
  await using vault = await openVaultAt(from, { ...options, output }, { signal })
  const moves = (await listMoves(vault.place.soups.records, { signal })).filter((move) => move.vault === vault.id)
  const open = moves.find(({ phase }) => !isEnded(phase))
  const known = options.migration ?? (verb === 'rollback' ? (open ?? moves[0]) : open)?.migration
  // Who takes a move over, or back, must have been granted it before anything is written down. Behind the signature the vault is active
  // nowhere until it has ended, so whoever can, ends it.
  const isAsked = open?.phase !== 'handoff-signed' && open?.phase !== 'activated'
  const acting = isAsked ? { actor: await vault.actorFor('migrate', { signal }) } : {}
  const seats = seatsOf(options, await isIdentitySealed(vault), output)
  const source = await moveSourceOf(vault, { ...seats.source, ...acting, ...(await ceremonyOf(options)) })
  const end = moveEnd(to, { ...options, vault, seat: { ...seats.target, ...acting }, signal })
  const plan = await (async () => {
    if (verb !== 'run' || known !== undefined) return undefined
    // Looked at first: what is refused leaves not even an empty place behind.
    await using target = await end.look()
    const keys = await movedKeys(source, { signal })
    return await planMigration({ source, target, authorize: vault.authorize }, { signal, handoff: { keys } })
  })()
  // A wrong passphrase is said before the target has keys under it.
  if (plan !== undefined || (verb !== 'rollback' && open?.next === 'accept')) await source.unlock({ signal })
  await using target = await end.open()
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
  if (verb === 'rollback' && state.phase === 'complete') throw tooLate(state, to)
  const seconds = (performance.now() - started) / 1000
  const certificate = await keepCertificate(state, options.certificate)
  const record = await readLiveMove(source.records, state.migration, { signal })
  if (record !== undefined && options.svg !== undefined) await writeFile(options.svg, drawLiveMove(record))
  const ending = { from, to, certificate, seconds, live: record, returns: options.returns }
  await output.result(resultOf(state, ending), describe(state, ending))
  return EXIT.ok
}

/** Whoever asked for the way back must not read a success: it turned out on the way that only the way forward was left. */
function tooLate({ migration }: MoveState, to: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_ADVANCED',
    message: `Not rolled back: ${to} had taken the vault already, so the migration ${migration} was finished. The way back is "vault-migrate run --back".`,
    details: { migration },
  })
}

/** Opening a vault keeps how far it is. */
async function rememberPlace(dir: string, options: MoveOptions, { output, signal }: Run): Promise<void> {
  await using _ = await openVaultAt(dir, { ...options, as: [], output }, { mode: 'read', signal })
}

interface Ending {
  readonly from: string
  readonly to: string
  readonly certificate: string | undefined
  readonly seconds: number
  readonly live: LiveRecord | undefined
  readonly returns: Returned | undefined
}

async function keepCertificate({ certificate }: MoveState, file: string | undefined): Promise<string | undefined> {
  if (certificate === null || file === undefined) return undefined
  await writeFile(file, certificate)
  return file
}

function resultOf(
  state: MoveState,
  { from, to, certificate, seconds, live, returns }: Ending,
): Readonly<Record<string, unknown>> {
  const { migration, phase, statement, sent, verification, reason } = state
  return {
    ok: true,
    migration_id: migration,
    phase,
    source: from,
    target: to,
    ...(certificate !== undefined && { certificate }),
    ...(reason !== null && { reason }),
    ...(statement !== null && {
      objects: statement.counts.objects,
      bytes: statement.counts.bytes,
      entries: statement.counts.entries,
      objects_root: statement.roots.objects,
      soup_root: statement.roots.soup,
    }),
    sent: sent.objects,
    sent_bytes: sent.bytes,
    rounds: sent.rounds,
    ...(verification !== null && { verified: verification }),
    ...(returns && { returns: returns.migration, newer: returns.newer }),
    ...(live && {
      pause_ms: live.pauseMs,
      longest_pause_ms: live.longestPauseMs,
      overruns: live.overruns,
      live_rounds: live.rounds.map(({ dirty, left, ms, throttleMs, estimateMs, goalMs }) => ({
        dirty,
        left,
        ms,
        throttle_ms: throttleMs,
        estimate_ms: estimateMs,
        goal_ms: goalMs,
      })),
    }),
    seconds,
    state: phase === 'complete' ? 'active' : 'receiving',
  }
}

function describe(state: MoveState, { from, to, certificate, seconds, live, returns }: Ending): string {
  const { phase, statement, sent, migration } = state
  if (phase === 'rolled-back') {
    return `Rolled back: the vault is active in ${from}, and ${to} is as it was before the migration ${migration}.`
  }
  const { objects = 0, bytes = 0 } = statement?.counts ?? {}
  return [
    ...(returns
      ? [
          `The migration ${returns.migration} is taken back, and ${counted(returns.newer, 'difference')} that came about since came along.`,
        ]
      : []),
    `The vault is active in ${to} now: ${counted(objects, 'object')}, ${humanBytes(bytes)}. ${from} refuses changes.`,
    `Sent ${counted(sent.objects, 'object')} (${humanBytes(sent.bytes)}) in ${humanSeconds(seconds)}; ${howChecked(state.verification)}, both roots are equal, and the audit trail goes on there.`,
    ...(live?.pauseMs == null
      ? []
      : [
          `Nobody could write for ${live.pauseMs} ms, after ${counted(live.rounds.length, 'round')} of catching up.`,
          ...(live.longestPauseMs > live.pauseMs
            ? [
                `Before that, ${counted(live.overruns, 'pause')} had been given up, after at most ${live.longestPauseMs} ms.`,
              ]
            : []),
        ]),
    certificate === undefined
      ? `The certificate is kept there: "vault-migrate certificate ${isRemote(to) ? 'DIR' : to} -o FILE" writes it${isRemote(to) ? ' on that machine' : ''}.`
      : `The certificate is in ${certificate}: "vault-migrate verify-cert ${certificate}" checks it anywhere.`,
  ].join('\n')
}
