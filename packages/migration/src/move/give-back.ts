import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { encodeEnvelope, link } from '@vault/core'
import type { SoupStore } from '@vault/soup'
import { signDecline } from '../records/decline.ts'
import type { Seat } from './seat.ts'
import { seatSeconds } from './seat.ts'
import type { TargetRecords } from './target-records.ts'
import { advanced } from './target-refusal.ts'
import { hasTaken } from './target-tenure.ts'

/** Shuts every driver out: what was declined is not received any more. */
const NOBODY: number = 2 ** 52
const RESTORED_AT_ONCE = 4_096

interface Move {
  readonly vault: ContentId
  readonly migration: string
}

/** Gives up what was received, and signs that it will never be taken. Throws `MIGRATION_TARGET_ADVANCED` where it was. */
export async function declineMove(
  seat: Seat,
  records: TargetRecords,
  move: Move,
  options?: AbortOptions,
): Promise<Bytes> {
  const { vault, migration } = move
  const { label, instance, place, store } = seat
  // Refused before anything is kept under the migration's name.
  await records.accepted(vault, migration, options)
  await undo(store, move, options)
  // Nobody can take it from here on; whether somebody did before is asked now, and not before.
  if (await hasTaken(seat, move, options)) throw advanced(label, vault, migration)
  const known = (await records.accepted(vault, migration, options)) ?? (await store.tenures.read(vault, options))
  const record = { vault: link(vault), migration, instance, epoch: known.epoch + 1, at: seatSeconds(seat) }
  const envelope = encodeEnvelope(await signDecline({ type: 'migration-decline', v: 1, ...record }, place, options))
  const decline = await records.decline(migration, envelope, options)
  await giveBack(store, records, move, options)
  return decline
}

/** What was here before is here again. */
export async function giveBack(
  store: SoupStore,
  records: TargetRecords,
  move: Move,
  options?: AbortOptions,
): Promise<void> {
  const { vault, migration } = move
  const { tenures } = store
  await undo(store, move, options)
  const { before, state, epoch, driver, migration: now } = await tenures.read(vault, options)
  if (before === undefined || now !== migration) return
  const accepted = await records.accepted(vault, migration, options)
  // What explained the tenure before explains it again.
  const evidence = accepted?.evidence ? { evidence: accepted.evidence } : {}
  const { sequence: _, ...standing } = before
  const from = { state, epoch, migration, driver: driver ?? NOBODY }
  await tenures.transition(vault, from, { ...standing, epoch, ...evidence }, options)
}

/** The rows that were here before are here again, and nobody writes others. */
async function undo(store: SoupStore, { vault, migration }: Move, options?: AbortOptions): Promise<void> {
  const { tenures } = store
  const tenure = await tenures.read(vault, options)
  if (tenure.migration !== migration || tenure.before === undefined) return
  if (tenure.state === 'prepared' || tenure.driver !== NOBODY) {
    const to = { state: 'receiving', epoch: tenure.epoch, migration, driver: NOBODY } as const
    await tenures.transition(vault, tenure, to, options)
  }
  const request = { migration, driver: NOBODY, limit: RESTORED_AT_ONCE }
  if (tenure.before.state !== 'none') {
    while ((await store.soup(vault).restore(request, options)).remaining > 0);
  }
}
