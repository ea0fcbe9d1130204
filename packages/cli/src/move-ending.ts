import type { LiveRecord, MoveState } from '@vault/migration'
import { howChecked } from './how-checked.ts'
import { counted, humanBytes, humanSeconds } from './human.ts'
import { OutputFiles } from './output-files.ts'
import { isRemote } from './remote-end.ts'
import { type StayingKeys, stayingLines } from './staying-keys.ts'

/** A complete move that is taken back, and in how many objects and entries the place differs that the vault comes back from. */
export interface Returned {
  readonly migration: string
  readonly newer: number
}

/** How a move ended, beside its state. */
export interface Ending {
  readonly from: string
  readonly to: string
  readonly certificate: KeptCertificate | undefined
  readonly seconds: number
  readonly live: LiveRecord | undefined
  readonly returns: Returned | undefined
  /** It had ended before it was asked for. */
  readonly already: boolean
  /** Keys that it has left at the source. */
  readonly stays: StayingKeys
}

/** A certificate, and the file that it was written into. */
interface KeptCertificate {
  readonly id: string
  readonly file: string | undefined
}

/** What is said where the picture of a live move could not be written. */
export const NOT_DRAWN = 'The vault has moved all the same, and the picture is made only once.'

/** The files that a move writes; with `-`, events go to stdout. Throws a `UsageError` before anything is begun. */
export async function expectMoveFiles({
  certificate,
  svg,
  events,
}: {
  readonly certificate?: string
  readonly svg?: string
  readonly events?: string
}): Promise<OutputFiles> {
  return await OutputFiles.expect(certificate, svg, events === '-' ? undefined : events)
}

/** The certificate, which is written into a file where one is named. */
export async function keepCertificate(
  { certificate }: MoveState,
  file: string | undefined,
  { to, files }: { readonly to: string; readonly files: OutputFiles },
): Promise<KeptCertificate | undefined> {
  if (certificate === null) return undefined
  const { certificateId } = await import('@vault/migration')
  return { id: certificateId(certificate), file: await files.write(file, certificate, certificateFrom(to)) }
}

/** Where the certificate is that has not been written into a file. */
function certificateFrom(to: string, id?: string): string {
  return `The certificate ${id === undefined ? '' : `${id} `}is kept there: "vault-migrate certificate ${isRemote(to) ? 'DIR' : to} -o FILE" writes it${isRemote(to) ? ' on that machine' : ''}.`
}

/** What a move gives, for programs. */
export function movedResult(
  state: MoveState,
  { from, to, certificate, seconds, live, returns, already, stays }: Ending,
): Readonly<Record<string, unknown>> {
  const { migration, phase, statement, sent, verification, reason } = state
  return {
    ok: true,
    migration_id: migration,
    phase,
    source: from,
    target: to,
    ...(already && { already }),
    ...(certificate && { certificate_id: certificate.id }),
    ...(certificate?.file !== undefined && { certificate: certificate.file }),
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
    ...stays,
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
    ...(phase === 'rolled-back'
      ? isLeftAtTarget(state) && { left_at_target: true }
      : { state: phase === 'complete' ? 'active' : 'receiving' }),
  }
}

/** Whether a move was given up without its target, which has yet to give up what it received. */
function isLeftAtTarget({ phase, next }: MoveState): boolean {
  return phase === 'rolled-back' && next !== null
}

/** The same for people. */
export function describeMoved(state: MoveState, ending: Ending): string {
  const { from, to, certificate, seconds, live, returns, already, stays } = ending
  const { phase, statement, sent, migration } = state
  if (phase === 'rolled-back') {
    if (isLeftAtTarget(state)) {
      return [
        // The vault may have moved since.
        already
          ? `The migration ${migration} was given up before, without ${to}.`
          : `Given up without ${to}: the vault is active in ${from}, and the migration ${migration} has ended.`,
        `What had reached ${to} may still lie there, as a copy that cannot become active by this migration. Where it comes back, "vault-migrate rollback --migration ${migration}" with the same ends, or the next "vault-migrate run" to it, removes that.`,
      ].join('\n')
    }
    if (already) return `The migration ${migration} was taken back before.`
    return [
      `Rolled back: the vault is active in ${from}, and what ${to} had of it before the migration ${migration} is as it was.`,
      `The place in ${to} stays, also where it was made for this, with the bytes that were sent: ${reclaims(to)} frees their room.`,
    ].join('\n')
  }
  const kept = [certificateLine(certificate, to), ...stayingLines(stays, from)].join('\n')
  if (already) {
    return `The vault has moved already: it is active in ${to}, by the migration ${migration}. ${from} refuses changes.\n${kept}`
  }
  const { objects = 0, bytes = 0 } = statement?.counts ?? {}
  return [
    ...(returns
      ? [
          `The migration ${returns.migration} is taken back, and ${counted(returns.newer, 'difference')} that came about since came along.`,
        ]
      : []),
    `The vault is active in ${to} now: ${counted(objects, 'object')}, ${humanBytes(bytes)}. ${from} refuses changes.`,
    `Sent ${counted(sent.objects, 'object')} (${humanBytes(sent.bytes)}) in ${humanSeconds(seconds)}; ${howChecked(state.verification, from)}, both roots are equal, and the audit trail goes on there.`,
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
    kept,
  ].join('\n')
}

/** The command that takes bytes away which nothing needs. */
function reclaims(to: string): string {
  return isRemote(to) ? `"vaultctl reclaim DIR" on that machine` : `"vaultctl reclaim ${to}"`
}

function certificateLine(certificate: KeptCertificate | undefined, to: string): string {
  if (certificate?.file === undefined) return certificateFrom(to, certificate?.id)
  const { id, file } = certificate
  return `The certificate ${id} is in ${file}: "vault-migrate verify-cert ${file}" checks it anywhere.`
}
