import { importTrail, openCheckpoint, originOf } from '@vault/audit-chain'
import { reopen } from '@vault/cas'
import type { AbortOptions } from '@vault/core'
import { copyBytes, decodeEnvelope, encodeEnvelope, link, signEnvelope, verifyKeyHistory } from '@vault/core'
import { ownObjects } from '../own-objects.ts'
import { parseAcceptance } from '../records/acceptance.ts'
import { possessionProof, signPossession } from '../records/possession.ts'
import { soupStoreTarget } from '../store-endpoint.ts'
import { acceptMove } from './accept-move.ts'
import { activateMove } from './activate-move.ts'
import { concludeMove } from './conclude-move.ts'
import { declineMove } from './give-back.ts'
import { currentLogKeys, isEndorsable } from './judge-handoff.ts'
import { logKeys } from './log-keys.ts'
import type { KeyedTarget, MoveOffer, ProvingTarget } from './move-endpoint.ts'
import { prepareMove } from './prepare-move.ts'
import { refuseDeclined } from './refuse-declined.ts'
import type { Seat } from './seat.ts'
import { seatSeconds } from './seat.ts'
import { TargetRecords } from './target-records.ts'
import { notHeld, refused, refusedHandoff } from './target-refusal.ts'
import { tenureFor } from './target-tenure.ts'

/** A place as the target of moves. */
export function seatTarget(seat: Seat): ProvingTarget & KeyedTarget {
  const { label, instance, place, objects, store } = seat
  const { tenures } = store
  const records = new TargetRecords(store.records)
  const { look } = soupStoreTarget({ label, objects, store })
  /** Migrations whose trail has been received here as a whole. */
  const verified = new Set<string>()

  async function open(
    { vault, migration, driver }: Pick<MoveOffer, 'vault' | 'migration' | 'driver'>,
    options?: AbortOptions,
  ): ReturnType<ProvingTarget['open']> {
    await refuseDeclined(label, records, migration, options)
    const found = await tenureFor(seat, { vault, migration }, options)
    if (found.state !== 'receiving' || found.driver !== driver) {
      const to = { state: 'receiving', epoch: found.epoch, migration, driver } as const
      await tenures.transition(vault, found, to, options)
    }
    const soup = store.soup(vault)
    return { found, objects, soup, intake: soup }
  }

  return {
    label,
    instance,
    key: place.key,
    look,
    accept: (offer, options) => acceptMove(seat, records, offer, options),
    open,

    async endorse({ vault, migration, keyEvent }, options) {
      const accepted = await records.accepted(vault, migration, options)
      if (accepted === undefined) throw refused(label, await tenures.read(vault, options), migration)
      const { roles } = parseAcceptance(decodeEnvelope(accepted.acceptance).payload)
      const history = verifyKeyHistory(accepted.keyEvents.map((bytes) => decodeEnvelope(bytes)))
      if (!isEndorsable(keyEvent, { history, roles, context: { instance, migration } })) {
        throw refusedHandoff(label, migration, 'the key event is not the one that was accepted')
      }
      const signers = []
      for (const role of ['log', 'identity', 'operators'] as const) {
        signers.push(...(await seat.keys.signers(role, roles[role], options)))
      }
      const distinct = [...new Map(signers.map((signer) => [signer.key, signer])).values()]
      return encodeEnvelope(await signEnvelope('key', keyEvent, distinct, options))
    },

    batches: ({ vault, migration, after, limit }, options) =>
      store.soup(vault).batches(migration, { after, limit }, options),

    async prove({ vault, migration, batch, id, nonce }, options) {
      const [own] = await ownObjects(store.soup(vault), [id], options)
      await reopen(objects, options)
      const bytes = own === undefined ? undefined : await objects.get(id, options)
      if (bytes === undefined) throw notHeld(label, migration, { batch, id })
      const proof = possessionProof({ place: place.key, migration, nonce }, id, bytes)
      const record = {
        vault: link(vault),
        migration,
        batch,
        id: link(id),
        nonce: copyBytes(nonce),
        proof,
        at: seatSeconds(seat),
      }
      return encodeEnvelope(await signPossession({ type: 'migration-possession', v: 1, ...record }, place, options))
    },

    async receiveTrail({ vault, migration, from, note, size }, options) {
      const tenure = await tenureFor(seat, { vault, migration }, options)
      const accepted = await records.accepted(vault, migration, options)
      // The old log key still opens the trail where the vault is active by now, and must not add to it.
      if (accepted === undefined || tenure.state !== 'receiving') throw refused(label, tenure, migration)
      const history = verifyKeyHistory(accepted.keyEvents.map((bytes) => decodeEnvelope(bytes)))
      // Keys that were retired open what is here already. The end is of those of now, which wrote the last entries.
      openCheckpoint(note, { origin: originOf(vault), keys: currentLogKeys(history) })
      const to = await seat.log(vault, options)
      const trail = { from, to, origin: originOf(vault), checkpoint: note, maxSize: size, keys: logKeys(history) }
      // In a pause only what is new is read: the rest was verified by this process, before it.
      const goOn = verified.has(migration)
      for await (const _ of importTrail({ ...trail, ...options, goOn }));
      verified.add(migration)
    },

    prepare: (request, options) => prepareMove(seat, records, request, options),
    activate: (signed, options) => activateMove(seat, records, signed, options),
    decline: (move, options) => declineMove(seat, records, move, options),
    conclude: (request, options) => concludeMove(seat, records, request, options),
  }
}
