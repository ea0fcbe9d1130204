import type { ContentId, KeyState, Threshold } from '@vault/core'
import type { KeyDirectory } from './key-directory.ts'

/** Whether the signature of a vault's operators of an earlier time counts, and why. */
export type EpochStanding =
  /** They are the operators now. */
  | 'current'
  /** It is proved that they signed while they were the operators. */
  | 'anchored'
  /** They were replaced in good order and the certificate ends by itself; when they signed it nobody can tell. */
  | 'unproven'
  /** They may have signed it after they were replaced: because keys were lost, or for ever. */
  | 'refused'
  /** There is no such key event here. */
  | 'unknown'

export function standingOf(
  keys: KeyDirectory,
  state: KeyState,
  { id, epoch, expires }: { readonly id: ContentId; readonly epoch: number; readonly expires: number | null },
): EpochStanding {
  const event = state.events[epoch]
  if (event === undefined) return 'unknown'
  // A move replaces the log key and may leave the operators as they are.
  if (epoch === state.seq || isSameThreshold(event.roles.operators, state.roles.operators)) return 'current'
  if (keys.anchored?.({ certificate: id, vault: state.vault, seq: epoch + 1 }) === true) return 'anchored'
  const inGoodOrder = state.events.slice(epoch + 1).every(({ why }) => why !== 'recover')
  return inGoodOrder && expires !== null ? 'unproven' : 'refused'
}

function isSameThreshold(a: Threshold, b: Threshold): boolean {
  return a.threshold === b.threshold && a.keys.length === b.keys.length && a.keys.every((key, i) => key === b.keys[i])
}
