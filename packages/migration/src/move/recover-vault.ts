import { encodeEvent } from '@vault/audit-chain'
import type { AbortOptions, ContentId, Signer } from '@vault/core'
import { decodeEnvelope, encodeEnvelope, link, VaultError, verifyKeyHistory } from '@vault/core'
import type { Tenure, TenureMove } from '@vault/soup'
import type { MigrationErrorCode } from '../error.ts'
import { parseReady } from '../records/ready.ts'
import type { Recovery } from '../records/recovery.ts'
import { parseRecovery, signRecovery, verifyRecovery } from '../records/recovery.ts'
import { giveWay } from '../store-endpoint.ts'
import { noteKey } from './audit-note.ts'
import { Journal, readMove } from './journal.ts'
import { isEnded } from './phase.ts'
import type { Seat } from './seat.ts'
import { seatSeconds } from './seat.ts'
import { TargetRecords } from './target-records.ts'

/**
 * Makes a place active by the word of the vault's identity, where the other party of a hand-off was lost for ever
 * between signing and activation: the one state that has no active place and no way out of its own. A decision of people: whoever signs must
 * know that the other place is gone, because nothing else can know it. The place is one that was `prepared` for the vault, or gave
 * it away (`retired`). Gives the tenure; the epoch is two higher, so that the lost hand-off counts nowhere any more. Where the source goes on,
 * the move has ended as one that was given up: where the target comes back, `rollBackMove` and `cleanTarget` have it give up what it received.
 *
 * At a place that was prepared the keys become those that it accepted the vault with; at one that gave it away they stay. Throws `MIGRATION_STATE` for a place in another tenure, `MIGRATION_COMPLETE` where the other place is known to have taken it, `SIGNATURE_THRESHOLD` where the identity has not signed.
 */
export async function recoverVault(
  seat: Seat,
  request: {
    readonly vault: ContentId
    readonly identity: readonly Signer[]
    readonly reason: string
    /** Also where the other place is known to have taken the vault, and was lost before the move was complete: what was written there since is lost with it. */
    readonly taken?: boolean
  },
  options?: AbortOptions,
): Promise<Tenure> {
  const { vault, identity, reason, taken = false } = request
  const { tenures } = seat.store
  const tenure = await tenures.read(vault, options)
  const { state, migration } = tenure
  if (state === 'active' && migration !== undefined && (await isRecovered(seat, vault, options))) {
    await closeMove(seat, migration, reason, options)
    return tenure
  }
  if ((state !== 'prepared' && state !== 'retired') || migration === undefined) throw notLost(tenure)
  await requireLost(seat, tenure, { ...options, taken })
  const known = await tenures.keyEvents(vault, options)
  const history = verifyKeyHistory(known.map((bytes) => decodeEnvelope(bytes)))
  const recovery: Recovery = {
    type: 'migration-recovery',
    v: 1,
    vault: link(vault),
    migration,
    instance: seat.instance,
    epoch: tenure.epoch + 2,
    reason,
    at: seatSeconds(seat),
  }
  const envelope = await signRecovery(recovery, identity, options)
  verifyRecovery(envelope, { history, migration, instance: seat.instance })
  const evidence = encodeEnvelope(envelope)
  const event = encodeEvent({
    time: recovery.at,
    actor: seat.actor,
    action: {
      verb: 'recovered',
      object: `migration:${migration}`,
      parameters: { epoch: recovery.epoch, recovery: evidence },
    },
    context: { motivation: reason },
    key: noteKey(migration, 'recovered'),
  })
  const to = { state: 'active', epoch: recovery.epoch, migration, evidence, events: [event] } as const
  // As at an activation: the empty vault that a place was made with makes room.
  if (state === 'prepared') await giveWay(seat.store, seat.label, vault, options)
  const arrival = state === 'prepared' ? await arrivalOf(seat, tenure, known, options) : {}
  await tenures.transition(vault, tenure, { ...to, ...arrival }, options)
  await closeMove(seat, migration, reason, options)
  return await tenures.read(vault, options)
}

/** Where the other place is known to have taken the vault, nothing was lost, unless people say that it was afterwards. */
async function requireLost(
  seat: Seat,
  { vault, migration = '' }: Tenure,
  { taken, ...options }: AbortOptions & { readonly taken: boolean },
): Promise<void> {
  const move = await readMove(seat.store.records, migration, options)
  if (move === undefined || (move.phase !== 'activated' && move.phase !== 'complete')) return
  if (move.phase === 'activated' && taken) return
  const lost =
    move.phase === 'activated'
      ? ' Where that is gone for good, "vault-migrate recover --taken" makes this place active again, without what was written there since.'
      : ' Where that is gone for good, what is here can be read, and put into a new vault.'
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_COMPLETE',
    message: `The vault ${vault} is not lost: the other place took it by the migration ${migration}, and is active. Move it back from there.${lost}`,
    details: { vault, migration },
  })
}

/** The move has ended here, one way or the other. */
async function closeMove(seat: Seat, migration: string, reason: string, options?: AbortOptions): Promise<void> {
  const { records } = seat.store
  const state = await readMove(records, migration, options)
  if (state === undefined || isEnded(state.phase)) return
  const journal = await Journal.take(records, migration, options)
  // What the other place received is still there, if it comes back.
  await journal.write({ ...state, phase: 'rolled-back', next: 'decline', reason }, options)
}

/** Whether a recovery made the vault active; whoever made it may have died before the record of the move was closed. */
async function isRecovered(seat: Seat, vault: ContentId, options?: AbortOptions): Promise<boolean> {
  const evidence = await seat.store.tenures.evidence(vault, options)
  if (evidence === undefined) return false
  try {
    parseRecovery(decodeEnvelope(evidence).payload)
    return true
  } catch {
    return false
  }
}

/** What a prepared vault brings: the keys under which it was accepted, and the numbers at which it stopped elsewhere. */
async function arrivalOf(
  seat: Seat,
  { vault, migration = '' }: Tenure,
  known: readonly Uint8Array[],
  options?: AbortOptions,
): Promise<Pick<TenureMove, 'keyEvents' | 'sequence' | 'log'>> {
  const records = new TargetRecords(seat.store.records)
  const keyEvent = await records.keyEvent(migration, options)
  const evidence = await seat.store.tenures.evidence(vault, options)
  if (keyEvent === undefined || evidence === undefined)
    throw new TypeError('A prepared vault has no record of its keys.')
  const keyEvents = [...known, keyEvent]
  verifyKeyHistory(keyEvents.map((bytes) => decodeEnvelope(bytes)))
  const { statement, log } = parseReady(decodeEnvelope(evidence).payload)
  return { keyEvents, sequence: statement.sequence, log: log.size }
}

function notLost({ vault, state }: Tenure): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_STATE',
    message: `The vault ${vault} is ${state} here: only a place that is prepared for it, or gave it away, can be made active by its identity.`,
    details: { vault, state },
  })
}
