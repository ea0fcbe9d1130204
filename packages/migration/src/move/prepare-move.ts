import { openTrail, originOf } from '@vault/audit-chain'
import type { AbortOptions, Bytes } from '@vault/core'
import { copyBytes, decodeEnvelope, encodeEnvelope, isVaultError, link, toHex, verifyKeyHistory } from '@vault/core'
import { sameRoots, statementOf } from '@vault/transfer'
import { parseAcceptance } from '../records/acceptance.ts'
import { parseReady, signReady } from '../records/ready.ts'
import { requireRoom } from '../store-endpoint.ts'
import { isEqual } from './judge-handoff.ts'
import { logKeys } from './log-keys.ts'
import type { MoveTarget } from './move-endpoint.ts'
import { refuseDeclined } from './refuse-declined.ts'
import type { Seat } from './seat.ts'
import { seatSeconds } from './seat.ts'
import type { TargetRecords } from './target-records.ts'
import { changed, refused, refusedHandoff } from './target-refusal.ts'
import { tenureFor } from './target-tenure.ts'

/** Signs that the vault is held here as its source states it, with its trail; from then on it waits for the hand-off. */
export async function prepareMove(
  seat: Seat,
  records: TargetRecords,
  { vault, migration, driver, statement, frozen, keyEvent }: Parameters<MoveTarget['prepare']>[0],
  options?: AbortOptions,
): Promise<Bytes> {
  const { label, instance, place, store, clock } = seat
  const { tenures } = store
  await refuseDeclined(label, records, migration, options)
  const tenure = await tenureFor(seat, { vault, migration }, options)
  const accepted = await records.accepted(vault, migration, options)
  if (accepted === undefined) throw refused(label, tenure, migration)
  // Asked here what is asked again behind the signature.
  await requireRoom({ label, store }, vault, options)
  const { nonce, roles } = parseAcceptance(decodeEnvelope(accepted.acceptance).payload)
  const log = { size: frozen.size, root: frozen.root }
  if (tenure.state === 'prepared') {
    const evidence = await tenures.evidence(vault, options)
    if (evidence === undefined) throw refused(label, tenure, migration)
    const ready = parseReady(decodeEnvelope(evidence).payload)
    if (sameRoots(ready.statement, statement) && isEqual(ready.log, log)) return evidence
    throw changed(migration, 'it was prepared for an earlier state of the source')
  }
  // Whatever would keep it from being taken is found while the source can still go on.
  const after = verifyKeyHistory([...accepted.keyEvents, keyEvent].map((bytes) => decodeEnvelope(bytes)))
  if (!isEqual(after.roles, roles)) throw refusedHandoff(label, migration, 'its key event names other keys')
  await records.keepKeyEvent(migration, copyBytes(keyEvent), options)
  const reached = await statementOf(store.soup(vault), options)
  if (!sameRoots(reached, statement) || !isEqual(reached.counts, statement.counts)) {
    throw changed(migration, 'it does not hold what the source states')
  }
  const keys = logKeys(verifyKeyHistory(accepted.keyEvents.map((bytes) => decodeEnvelope(bytes))))
  const trail = await openTrail(
    { origin: originOf(vault), store: await seat.log(vault, options), keys, clock },
    options,
  )
  if (trail.size !== log.size || toHex(trail.root) !== log.root) throw changed(migration, 'its audit log is another')
  const record = { vault: link(vault), migration, instance, statement, log, nonce, at: seatSeconds(seat) }
  const ready = await signReady({ type: 'migration-ready', v: 1, ...record }, place, options)
  const evidence = encodeEnvelope(ready)
  const { epoch } = tenure
  const from = { state: 'receiving', epoch, migration, driver, sequence: reached.sequence } as const
  try {
    await tenures.transition(vault, from, { state: 'prepared', epoch, migration, driver, evidence }, options)
  } catch (error) {
    throw isVaultError(error, 'SOUP_TENURE') ? changed(migration, 'something was written to it', error) : error
  }
  return evidence
}
