import { encodeEvent } from '@vault/audit-chain'
import type { AbortOptions } from '@vault/core'
import { decodeEnvelope, equalBytes, link, verifyKeyHistory } from '@vault/core'
import type { Tenure } from '@vault/soup'
import { parseAcceptance } from '../records/acceptance.ts'
import type { Handoff } from '../records/handoff.ts'
import { verifyHandoff } from '../records/handoff.ts'
import { parseReady, readyId } from '../records/ready.ts'
import { giveWay } from '../store-endpoint.ts'
import { noteKey } from './audit-note.ts'
import { claimOf, headOf, isEqual } from './judge-handoff.ts'
import { refuseDeclined } from './refuse-declined.ts'
import type { Seat } from './seat.ts'
import { seatSeconds } from './seat.ts'
import type { TargetRecords } from './target-records.ts'
import { oldEpoch, refused, refusedHandoff } from './target-refusal.ts'
import { hasTaken } from './target-tenure.ts'

interface Signed {
  readonly handoff: Uint8Array
  readonly keyEvent: Uint8Array
}

/** Takes the vault by a hand-off that is for what was prepared here; where it was taken, says what it is now. */
export async function activateMove(
  seat: Seat,
  records: TargetRecords,
  signed: Signed,
  options?: AbortOptions,
): Promise<Tenure> {
  const { label, store, actor } = seat
  const { tenures } = store
  const { handoff: bytes } = signed
  const claim = claimOf(bytes)
  const { vault, migration, epoch } = claim
  const tenure = await tenures.read(vault, options)
  const kept = await tenures.evidence(vault, options)
  if (tenure.state !== 'prepared' && kept !== undefined && equalBytes(kept, bytes)) return tenure
  // It was taken, and the vault has been handed on since.
  if (tenure.migration !== migration && (await hasTaken(seat, { vault, migration }, options))) return tenure
  await refuseDeclined(label, records, migration, options)
  const { handoff, keyEvents } = await verifiedHandoff(seat, records, { ...signed, claim, tenure }, options)
  // Before activation: a crash between the two leaves a place with one vault, which waits for its hand-off.
  await giveWay(store, label, vault, options)
  const event = encodeEvent({
    time: seatSeconds(seat),
    actor,
    action: { verb: 'handoff', object: `migration:${migration}`, parameters: { epoch, handoff: bytes } },
    key: noteKey(migration, 'handoff'),
  })
  const numbers = { sequence: handoff.statement.sequence, log: handoff.log.size }
  const to = { state: 'active', epoch, migration, keyEvents, ...numbers, evidence: bytes, events: [event] } as const
  await tenures.transition(vault, tenure, to, options)
  return await tenures.read(vault, options)
}

async function verifiedHandoff(
  { label, instance, place, store }: Seat,
  records: TargetRecords,
  { claim, tenure, ...signed }: Signed & { readonly claim: ReturnType<typeof claimOf>; readonly tenure: Tenure },
  options?: AbortOptions,
): Promise<{ readonly handoff: Handoff; readonly keyEvents: readonly Uint8Array[] }> {
  const { vault, migration, epoch } = claim
  const accepted = await records.accepted(vault, migration, options)
  const prepared = await store.tenures.evidence(vault, options)
  if (tenure.state !== 'prepared' || tenure.migration !== migration || !accepted || !prepared) {
    throw refused(label, tenure, migration)
  }
  if (epoch <= tenure.epoch) throw oldEpoch(label, tenure, epoch)
  if (epoch !== accepted.epoch + 1)
    throw refusedHandoff(label, migration, `its epoch is not the one after ${accepted.epoch}`)
  const before = verifyKeyHistory(accepted.keyEvents.map((bytes) => decodeEnvelope(bytes)))
  const acceptance = parseAcceptance(decodeEnvelope(accepted.acceptance).payload)
  const ready = parseReady(decodeEnvelope(prepared).payload)
  const handoff = verifyHandoff(decodeEnvelope(signed.handoff), { history: before })
  const own = {
    to: { instance, place: place.key },
    plan: acceptance.plan,
    nonce: acceptance.nonce,
    ready: link(readyId(ready)),
    statement: ready.statement,
    log: ready.log,
  }
  const { to, plan, nonce, ready: named, statement, log } = handoff
  if (!isEqual({ to, plan, nonce, ready: named, statement, log }, own)) {
    throw refusedHandoff(label, migration, 'it is not for what was prepared here')
  }
  if (!isEqual(headOf(handoff.checkpoint, before) ?? null, log)) {
    throw refusedHandoff(label, migration, 'its note is not one of the log that was received here')
  }
  const keyEvents = [...accepted.keyEvents, signed.keyEvent]
  const after = verifyKeyHistory(keyEvents.map((bytes) => decodeEnvelope(bytes)))
  if (handoff.key_event.id !== after.head || !isEqual(after.roles, acceptance.roles)) {
    throw refusedHandoff(label, migration, 'the key event beside it is not the one that it names')
  }
  return { handoff, keyEvents }
}
