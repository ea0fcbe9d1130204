import type { AuditActor, LogStore, NoteKey, Trail } from '@vault/audit-chain'
import { drainQueue, openTrail, originOf } from '@vault/audit-chain'
import type { ContentStore } from '@vault/cas'
import type { AbortOptions, Clock, ContentId, KeyId, KeyState, Random, Signer, Threshold } from '@vault/core'
import { decodeEnvelope, verifyKeyHistory } from '@vault/core'
import type { SoupStore } from '@vault/soup'

/** A place with all that takes part in a hand-off. */
export interface Seat {
  /** What people call it. */
  readonly label: string
  /** 32 hexadecimal digits. */
  readonly instance: string
  /** The place's own key. */
  readonly place: Signer
  readonly objects: ContentStore
  readonly store: SoupStore
  readonly keys: SeatKeys
  /** Who acts, as the audit trail calls it. */
  readonly actor: AuditActor
  readonly clock: Clock
  readonly random: Random
  /** The store of a vault's trail here. */
  log(vault: ContentId, options?: AbortOptions): Promise<LogStore>
}

/** The keys of vaults at a place. Private keys never leave it (M060). */
export interface SeatKeys {
  /** Those of the role's keys that are held here; may ask a person for a passphrase. */
  signers(
    role: 'identity' | 'operators' | 'log',
    threshold: Threshold,
    options?: AbortOptions,
  ): Promise<readonly Signer[]>
  /** Makes new keys for a vault that comes here. Durable when it resolves. */
  create(options?: AbortOptions): Promise<{ readonly identity: KeyId; readonly operators: KeyId; readonly log: KeyId }>
}

/** The keys of a vault as they are known at a place. */
export async function keyStateAt(
  seat: Pick<Seat, 'store'>,
  vault: ContentId,
  options?: AbortOptions,
): Promise<KeyState> {
  const envelopes = await seat.store.tenures.keyEvents(vault, options)
  return verifyKeyHistory(envelopes.map((bytes) => decodeEnvelope(bytes)))
}

/** Every key that may have signed checkpoints of a vault's trail. */
export function logKeys({ vault, events }: KeyState): readonly NoteKey[] {
  const keys = new Set(events.flatMap(({ roles }) => roles.log.keys))
  return [...keys].map((key) => ({ name: originOf(vault), key }))
}

/**
 * The trail of a vault that is, or was, active here, with everything in it that was committed. Only a vault that is active or
 * quiesced here has anything to add.
 */
export async function openSeatTrail(seat: Seat, vault: ContentId, options?: AbortOptions): Promise<Trail> {
  const state = await keyStateAt(seat, vault, options)
  const origin = originOf(vault)
  const common = { origin, store: await seat.log(vault, options), keys: logKeys(state), clock: seat.clock }
  const soup = seat.store.soup(vault)
  const waiting = await soup.queued({ limit: 1 }, options)
  if (waiting.length === 0) return await openTrail(common, options)
  const [signer] = await seat.keys.signers('log', state.roles.log, options)
  if (signer === undefined) return await openTrail(common, options)
  const trail = await openTrail({ ...common, signer }, options)
  await drainQueue(soup, trail, options)
  return trail
}
