import type { AbortOptions, ContentId } from '@vault/core'
import { decode, decodeEnvelope } from '@vault/core'
import type { Tenure } from '@vault/soup'
import { continues, isEqual } from './judge-handoff.ts'
import type { MoveOffer } from './move-endpoint.ts'
import type { Seat } from './seat.ts'
import { oldEpoch, refused, refusedHandoff } from './target-refusal.ts'

// How a vault stands where a migration brings it.

/** The tenure, where it is of this migration. */
export async function tenureFor(
  { label, store }: Seat,
  { vault, migration }: { readonly vault: ContentId; readonly migration: string },
  options?: AbortOptions,
): Promise<Tenure> {
  const tenure = await store.tenures.read(vault, options)
  if (tenure.migration === migration) return tenure
  throw refused(label, tenure, migration)
}

/** Throws `MIGRATION_HANDOFF_REFUSED` and `MIGRATION_EPOCH` where what is offered does not go on from what the vault is here. */
export async function requireLater(
  { label, store }: Pick<Seat, 'label' | 'store'>,
  tenure: Tenure,
  { migration, keyEvents, epoch }: Pick<MoveOffer, 'migration' | 'keyEvents' | 'epoch'>,
  options?: AbortOptions,
): Promise<void> {
  if (!continues(keyEvents, await store.tenures.keyEvents(tenure.vault, options))) {
    throw refusedHandoff(label, migration, 'its key events do not go on from those that are known here')
  }
  if (tenure.epoch > epoch) throw oldEpoch(label, tenure, epoch)
}

/** Whether the vault came here by this migration, however long ago: its key event names both, and counts only since then. */
export async function hasTaken(
  { instance, store }: Seat,
  { vault, migration }: { readonly vault: ContentId; readonly migration: string },
  options?: AbortOptions,
): Promise<boolean> {
  for (const bytes of await store.tenures.keyEvents(vault, options)) {
    const { context } = decode(decodeEnvelope(bytes).payload) as { context?: unknown }
    if (context !== undefined && isEqual(context, { instance, migration })) return true
  }
  return false
}
