import type { AbortOptions, KeyState } from '@vault/core'
import { decodeEnvelope, isVaultError, verifyKeyHistory } from '@vault/core'
import { verifyHandoff } from '../records/handoff.ts'
import { parseRecovery, verifyRecovery } from '../records/recovery.ts'
import { declineMove } from './give-back.ts'
import type { MoveOffer } from './move-endpoint.ts'
import type { Seat } from './seat.ts'
import type { TargetRecords } from './target-records.ts'
import { requireLater } from './target-tenure.ts'

const WAITS: ReadonlySet<string> = new Set(['receiving', 'prepared'])

/** What waits here, and what the vault was when it was accepted. */
interface Waiting {
  readonly migration: string
  readonly instance: string
  /** In which its hand-off would be, or was, signed. */
  readonly epoch: number
  readonly history: KeyState
}

/**
 * Gives up, signed, what an earlier migration brought of this vault, where the document by which the vault is active at the source of the one that comes
 * proves that it waits in vain. Does nothing where that proves nothing. Throws what {@link declineMove} throws, and before anything is changed what
 * {@link requireLater} throws.
 */
export async function dropPassed(
  seat: Seat,
  records: TargetRecords,
  offer: Pick<MoveOffer, 'vault' | 'migration' | 'keyEvents' | 'epoch' | 'evidence'>,
  options?: AbortOptions,
): Promise<void> {
  const { vault, migration, evidence } = offer
  const tenure = await seat.store.tenures.read(vault, options)
  const { state, migration: earlier } = tenure
  if (evidence === undefined || earlier === undefined || earlier === migration || !WAITS.has(state)) return
  const accepted = await records.accepted(vault, earlier, options)
  if (accepted === undefined) return
  const waiting = {
    migration: earlier,
    instance: seat.instance,
    epoch: accepted.epoch + 1,
    history: verifyKeyHistory(accepted.keyEvents.map((bytes) => decodeEnvelope(bytes))),
  }
  if (!isHandedOn(evidence, waiting) && !isRecovered(evidence, waiting)) return
  // What is refused for its keys or its epoch changes nothing.
  verifyKeyHistory(offer.keyEvents.map((bytes) => decodeEnvelope(bytes)))
  await requireLater(seat, tenure, offer, options)
  await declineMove(seat, records, { vault, migration: earlier }, options)
}

/** Signed with the log keys that could have signed its own hand-off, and in that epoch or a later one: a place signs one in each. */
function isHandedOn(evidence: Uint8Array, { history, migration, epoch }: Waiting): boolean {
  return holds(() => {
    const handoff = verifyHandoff(decodeEnvelope(evidence), { history })
    return handoff.migration !== migration && handoff.epoch >= epoch
  })
}

/** The identity has made the other place active, because this one was thought to be lost. */
function isRecovered(evidence: Uint8Array, { history, migration, instance, epoch }: Waiting): boolean {
  return holds(() => {
    const envelope = decodeEnvelope(evidence)
    const active = parseRecovery(envelope.payload)
    const recovery = verifyRecovery(envelope, { history, migration, instance: active.instance })
    return recovery.instance !== instance && recovery.epoch > epoch
  })
}

/** What is no such document, or lacks a signature, proves nothing. */
function holds(check: () => boolean): boolean {
  try {
    return check()
  } catch (error) {
    if (isVaultError(error)) return false
    throw error
  }
}
