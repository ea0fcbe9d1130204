import { encodeEvent, importTrail, openCheckpoint, openTrail, originOf } from '@vault/audit-chain'
import { reopen } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId, KeyId, KeyState, Roles } from '@vault/core'
import {
  copyBytes,
  decode,
  decodeEnvelope,
  encodeEnvelope,
  equalBytes,
  isVaultError,
  link,
  signEnvelope,
  toHex,
  VaultError,
  verifyKeyHistory,
} from '@vault/core'
import type { Tenure } from '@vault/soup'
import { sameRoots, statementOf } from '@vault/transfer'
import type { MigrationErrorCode } from '../error.ts'
import { ownObjects } from '../own-objects.ts'
import type { Acceptance } from '../records/acceptance.ts'
import { parseAcceptance, signAcceptance } from '../records/acceptance.ts'
import { signDecline } from '../records/decline.ts'
import type { Handoff } from '../records/handoff.ts'
import { verifyHandoff } from '../records/handoff.ts'
import { possessionProof, signPossession } from '../records/possession.ts'
import { parseReady, readyId, signReady } from '../records/ready.ts'
import { giveWay, requireRoom, soupStoreTarget } from '../store-endpoint.ts'
import { noteKey } from './audit-note.ts'
import { concludeMove } from './conclude-move.ts'
import { claimOf, continues, currentLogKeys, headOf, isEndorsable, isEqual } from './judge-handoff.ts'
import { logKeys } from './log-keys.ts'
import type { KeyedTarget, MoveOffer, ProvingTarget } from './move-endpoint.ts'
import type { Seat } from './seat.ts'
import type { Accepted } from './target-records.ts'
import { TargetRecords } from './target-records.ts'
import { advanced, changed, notHeld, oldEpoch, refused, refusedHandoff } from './target-refusal.ts'

const RECEIVABLE: ReadonlySet<string> = new Set(['none', 'retired', 'replica'])
/** Shuts every driver out: what was declined is not received any more. */
const NOBODY: number = 2 ** 52
const RESTORED_AT_ONCE = 4_096

/** A place as the target of moves. */
export function seatTarget(seat: Seat): ProvingTarget & KeyedTarget {
  const { label, instance, place, objects, store, clock, random } = seat
  const { tenures } = store
  const records = new TargetRecords(store.records)
  const { look } = soupStoreTarget({ label, objects, store })
  /** Migrations whose trail has been received here as a whole. */
  const verified = new Set<string>()

  /** The tenure, where it is of this migration. */
  async function tenureFor(vault: ContentId, migration: string, options?: AbortOptions): Promise<Tenure> {
    const tenure = await tenures.read(vault, options)
    if (tenure.migration === migration) return tenure
    throw refused(label, tenure, migration)
  }

  /** The tenure, where what is offered goes on from it. */
  async function receivable(
    { vault, migration }: Pick<MoveOffer, 'vault' | 'migration'>,
    { keyEvents, epoch }: Pick<MoveOffer, 'keyEvents' | 'epoch'>,
    options?: AbortOptions,
  ): Promise<Tenure> {
    const { tenure } = await look(vault, options)
    if (!RECEIVABLE.has(tenure.state)) throw refused(label, tenure, migration)
    if (!continues(keyEvents, await tenures.keyEvents(vault, options))) {
      throw refusedHandoff(label, migration, 'its key events do not go on from those that are known here')
    }
    if (tenure.epoch > epoch) throw oldEpoch(label, tenure, epoch)
    return tenure
  }

  async function begin(offer: MoveOffer, options?: AbortOptions): Promise<Accepted> {
    const { vault, migration, plan, keys, epoch } = offer
    const history = verifyKeyHistory(offer.keyEvents.map((bytes) => decodeEnvelope(bytes)))
    if (history.vault !== vault) throw refused(label, await tenures.read(vault, options), migration)
    await receivable(offer, offer, options)
    const roles = await rolesFor(history, keys, options)
    const acceptance: Acceptance = {
      type: 'migration-acceptance',
      v: 1,
      vault: link(vault),
      migration,
      plan: link(plan),
      instance,
      place: place.key,
      roles,
      nonce: copyBytes(random(32)),
      at: seconds(),
    }
    const envelope = encodeEnvelope(await signAcceptance(acceptance, place, options))
    const evidence = (await tenures.evidence(vault, options)) ?? null
    return await records.accept(
      vault,
      migration,
      { acceptance: envelope, keyEvents: offer.keyEvents, epoch, evidence },
      options,
    )
  }

  async function rolesFor(history: KeyState, keys: MoveOffer['keys'], options?: AbortOptions): Promise<Roles> {
    const made = await seat.keys.create(options)
    const role = (key: KeyId) => ({ keys: [key], threshold: 1 })
    const { identity, operators } = history.roles
    return keys === 'keep'
      ? { identity, operators, log: role(made.log) }
      : { identity: role(made.identity), operators: role(made.operators), log: role(made.log) }
  }

  async function accept(offer: MoveOffer, options?: AbortOptions): Promise<Bytes> {
    const { vault, migration, driver } = offer
    await refuseDeclined(migration, options)
    const accepted = (await records.accepted(vault, migration, options)) ?? (await begin(offer, options))
    if ((await tenures.read(vault, options)).migration !== migration) {
      // The vault may have been here between the acceptance and now.
      const tenure = await receivable(offer, accepted, options)
      // They go on from those that are here, so giving up need not go back to these.
      const { keyEvents, epoch } = accepted
      const to = { state: 'receiving', epoch, migration, driver, keyEvents } as const
      await tenures.transition(vault, tenure, to, options)
      if ((await records.declined(migration, options)) !== undefined) await giveBack(vault, migration, options)
      await refuseDeclined(migration, options)
    }
    return accepted.acceptance
  }

  async function open(
    { vault, migration, driver }: Pick<MoveOffer, 'vault' | 'migration' | 'driver'>,
    options?: AbortOptions,
  ): ReturnType<ProvingTarget['open']> {
    await refuseDeclined(migration, options)
    const found = await tenureFor(vault, migration, options)
    if (found.state !== 'receiving' || found.driver !== driver) {
      const to = { state: 'receiving', epoch: found.epoch, migration, driver } as const
      await tenures.transition(vault, found, to, options)
    }
    const soup = store.soup(vault)
    return { found, objects, soup, intake: soup }
  }

  async function refuseDeclined(migration: string, options?: AbortOptions): Promise<void> {
    if ((await records.declined(migration, options)) === undefined) return
    throw new VaultError<MigrationErrorCode>({
      code: 'MIGRATION_DECLINED',
      message: `The target ${label} has declined the migration ${migration} and will never take it. Begin a new one.`,
      details: { migration },
    })
  }

  async function verifiedHandoff(
    request: { readonly handoff: Uint8Array; readonly keyEvent: Uint8Array },
    { vault, migration, epoch }: Pick<Handoff, 'migration' | 'epoch'> & { readonly vault: ContentId },
    tenure: Tenure,
    options?: AbortOptions,
  ): Promise<{ readonly handoff: Handoff; readonly keyEvents: readonly Uint8Array[] }> {
    const accepted = await records.accepted(vault, migration, options)
    const prepared = await tenures.evidence(vault, options)
    if (tenure.state !== 'prepared' || tenure.migration !== migration || !accepted || !prepared) {
      throw refused(label, tenure, migration)
    }
    if (epoch <= tenure.epoch) throw oldEpoch(label, tenure, epoch)
    if (epoch !== accepted.epoch + 1)
      throw refusedHandoff(label, migration, `its epoch is not the one after ${accepted.epoch}`)
    const before = verifyKeyHistory(accepted.keyEvents.map((bytes) => decodeEnvelope(bytes)))
    const acceptance = parseAcceptance(decodeEnvelope(accepted.acceptance).payload)
    const ready = parseReady(decodeEnvelope(prepared).payload)
    const handoff = verifyHandoff(decodeEnvelope(request.handoff), { history: before })
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
    const keyEvents = [...accepted.keyEvents, request.keyEvent]
    const after = verifyKeyHistory(keyEvents.map((bytes) => decodeEnvelope(bytes)))
    if (handoff.key_event.id !== after.head || !isEqual(after.roles, acceptance.roles)) {
      throw refusedHandoff(label, migration, 'the key event beside it is not the one that it names')
    }
    return { handoff, keyEvents }
  }

  async function undo(vault: ContentId, migration: string, options?: AbortOptions): Promise<void> {
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

  /** What was here before is here again. */
  async function giveBack(vault: ContentId, migration: string, options?: AbortOptions): Promise<void> {
    await undo(vault, migration, options)
    const { before, state, epoch, driver, migration: now } = await tenures.read(vault, options)
    if (before === undefined || now !== migration) return
    const accepted = await records.accepted(vault, migration, options)
    // What explained the tenure before explains it again.
    const evidence = accepted?.evidence ? { evidence: accepted.evidence } : {}
    const { sequence: _, ...standing } = before
    const from = { state, epoch, migration, driver: driver ?? NOBODY }
    await tenures.transition(vault, from, { ...standing, epoch, ...evidence }, options)
  }

  /** Whether the vault came here by this migration, however long ago: its key event names both, and counts only since then. */
  async function hasTaken(vault: ContentId, migration: string, options?: AbortOptions): Promise<boolean> {
    for (const bytes of await tenures.keyEvents(vault, options)) {
      const { context } = decode(decodeEnvelope(bytes).payload) as { context?: unknown }
      if (context !== undefined && isEqual(context, { instance, migration })) return true
    }
    return false
  }

  const seconds = () => Math.floor(clock().getTime() / 1000)

  return {
    label,
    instance,
    key: place.key,
    look,
    accept,
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
        at: seconds(),
      }
      return encodeEnvelope(await signPossession({ type: 'migration-possession', v: 1, ...record }, place, options))
    },

    async receiveTrail({ vault, migration, from, note, size }, options) {
      const tenure = await tenureFor(vault, migration, options)
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

    async prepare({ vault, migration, driver, statement, frozen, keyEvent }, options) {
      await refuseDeclined(migration, options)
      const tenure = await tenureFor(vault, migration, options)
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
      const soup = store.soup(vault)
      const reached = await statementOf(soup, options)
      if (!sameRoots(reached, statement) || !isEqual(reached.counts, statement.counts)) {
        throw changed(migration, 'it does not hold what the source states')
      }
      const keys = logKeys(verifyKeyHistory(accepted.keyEvents.map((bytes) => decodeEnvelope(bytes))))
      const trail = await openTrail(
        { origin: originOf(vault), store: await seat.log(vault, options), keys, clock },
        options,
      )
      if (trail.size !== log.size || toHex(trail.root) !== log.root)
        throw changed(migration, 'its audit log is another')
      const record = { vault: link(vault), migration, instance, statement, log, nonce, at: seconds() }
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
    },

    async activate({ handoff: bytes, keyEvent }, options) {
      const claim = claimOf(bytes)
      const { vault, migration, epoch } = claim
      const tenure = await tenures.read(vault, options)
      const kept = await tenures.evidence(vault, options)
      if (tenure.state !== 'prepared' && kept !== undefined && equalBytes(kept, bytes)) return tenure
      // It was taken, and the vault has been handed on since.
      if (tenure.migration !== migration && (await hasTaken(vault, migration, options))) return tenure
      await refuseDeclined(migration, options)
      const { handoff, keyEvents } = await verifiedHandoff({ handoff: bytes, keyEvent }, claim, tenure, options)
      // Before activation: a crash between the two leaves a place with one vault, which waits for its hand-off.
      await giveWay(store, label, vault, options)
      const event = encodeEvent({
        time: seconds(),
        actor: seat.actor,
        action: { verb: 'handoff', object: `migration:${migration}`, parameters: { epoch, handoff: bytes } },
        key: noteKey(migration, 'handoff'),
      })
      const numbers = { sequence: handoff.statement.sequence, log: handoff.log.size }
      const to = { state: 'active', epoch, migration, keyEvents, ...numbers, evidence: bytes, events: [event] } as const
      await tenures.transition(vault, tenure, to, options)
      return await tenures.read(vault, options)
    },

    async decline({ vault, migration }, options) {
      // Refused before anything is kept under the migration's name.
      await records.accepted(vault, migration, options)
      await undo(vault, migration, options)
      // Nobody can take it from here on; whether somebody did before is asked now, and not before.
      if (await hasTaken(vault, migration, options)) throw advanced(label, vault, migration)
      const { epoch } = (await records.accepted(vault, migration, options)) ?? (await tenures.read(vault, options))
      const record = { vault: link(vault), migration, instance, epoch: epoch + 1, at: seconds() }
      const envelope = encodeEnvelope(await signDecline({ type: 'migration-decline', v: 1, ...record }, place, options))
      const decline = await records.decline(migration, envelope, options)
      await giveBack(vault, migration, options)
      return decline
    },

    conclude: (request, options) => concludeMove(seat, records, request, options),
  }
}
