import type { AuditActor, LogStore, Trail, TrailOptions, TrailReader } from '@vault/audit-chain'
import { drainQueue, openTrail, originOf } from '@vault/audit-chain'
import type { ContentStore } from '@vault/cas'
import type { AbortOptions, Clock, ContentId, KeyId, Random, Signer, Threshold } from '@vault/core'
import { VaultError } from '@vault/core'
import type { SoupStore } from '@vault/soup'
import type { MigrationErrorCode } from '../error.ts'
import { KeyedQueue } from '../keys/keyed-queue.ts'
import { keyStateAt } from './key-state.ts'
import { logKeysAt } from './log-keys.ts'
import type { Teller } from './tell-once.ts'

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
  /** Makes a new key for each of these roles of a vault that comes here, and no other. Durable when it resolves. */
  create<Role extends 'identity' | 'operators' | 'log'>(
    roles: readonly Role[],
    options?: AbortOptions,
  ): Promise<Readonly<Record<Role, KeyId>>>
}

/** What the clock of a place says, in seconds since 1970. */
export function seatSeconds({ clock }: Pick<Seat, 'clock'>): number {
  return Math.floor(clock().getTime() / 1000)
}

/** The trail of a vault that is, or was, here, to be read: what was committed last may still wait for it. */
export async function openSeatTrail(seat: Seat, vault: ContentId, options?: AbortOptions): Promise<TrailReader> {
  return await openTrail(await trailParts(seat, vault, options), options)
}

/**
 * The trail with everything in it that was committed before the call. Throws `MIGRATION_LOG_KEY` where something waits and the
 * vault's log key is not held here.
 */
export async function drainSeatTrail(seat: Seat, vault: ContentId, options?: AbortOptions): Promise<Trail> {
  const soup = seat.store.soup(vault)
  const { events } = await soup.tenure(options)
  while (true) {
    const queue = await KeyedQueue.open(seat.store, vault, options)
    try {
      const parts = await trailParts(seat, vault, options)
      if ((await soup.queued({ limit: 1 }, options)).length === 0) return await openTrail(parts, options)
      const { roles } = await keyStateAt(seat, vault, options)
      const [signer] = await seat.keys.signers('log', roles.log, options)
      if (signer === undefined) throw noLogKey(seat.label, vault, roles.log.keys)
      const trail = await openTrail({ ...parts, signer }, options)
      await drainQueue(queue, trail, { ...options, before: events })
      if (!(await queue.isOutdated(options))) return trail
    } catch (error) {
      // What the next log key signed is not opened with the keys before it.
      if (!(await queue.isOutdated(options))) throw error
    }
  }
}

/** Where events of a vault are told that is active, or quiesced, here. */
export function tellerAt(seat: Seat, vault: ContentId, options?: AbortOptions): Teller {
  return {
    soup: seat.store.soup(vault),
    trail: () => openSeatTrail(seat, vault, options),
    drain: () => drainSeatTrail(seat, vault, options),
  }
}

async function trailParts(seat: Seat, vault: ContentId, options?: AbortOptions): Promise<TrailOptions> {
  const keys = await logKeysAt(seat, vault, options)
  return { origin: originOf(vault), store: await seat.log(vault, options), keys, clock: seat.clock }
}

function noLogKey(label: string, vault: ContentId, keys: readonly KeyId[]): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_LOG_KEY',
    message: `None of the log keys of the vault ${vault} is held at ${label} (${keys.join(', ')}), so its audit trail cannot go on. Put the key file back, and resume.`,
    details: { vault, keys },
  })
}
