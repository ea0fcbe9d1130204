import type { ContentId, KeyId, KeyState, Threshold } from '@vault/core'

/** Which keys act for which vaults, as far as whoever verifies knows. */
export interface KeyDirectory {
  /** The keys of a vault, with every key event that counts: one with `why: 'migrate'` only after its hand-off. */
  state(vault: ContentId): KeyState | undefined
  /** The vaults of which this key is an operator now. */
  vaultsOf(key: KeyId): Iterable<ContentId>
  /**
   * Whether it is proved that the certificate existed before key event `seq` of the vault: by its inclusion in a log whose head was
   * witnessed before the event. Without it nothing is proved, and certificates of replaced keys count less.
   */
  anchored?(claim: { readonly certificate: ContentId; readonly vault: ContentId; readonly seq: number }): boolean
}

/** A directory of these vaults. */
export function createKeyDirectory(
  states: Iterable<KeyState>,
  anchored?: NonNullable<KeyDirectory['anchored']>,
): KeyDirectory {
  const byVault = new Map<ContentId, KeyState>()
  const byKey = new Map<KeyId, ContentId[]>()
  for (const state of states) {
    byVault.set(state.vault, state)
    for (const key of state.roles.operators.keys) byKey.set(key, [...(byKey.get(key) ?? []), state.vault])
  }
  return {
    state: (vault) => byVault.get(vault),
    vaultsOf: (key) => byKey.get(key) ?? [],
    ...(anchored === undefined ? {} : { anchored }),
  }
}

/** The operators of a vault, now or after one of its key events; `undefined` where the vault or the event is unknown. */
export function operatorsOf(keys: KeyDirectory, vault: ContentId, epoch?: number): Threshold | undefined {
  const state = keys.state(vault)
  return epoch === undefined ? state?.roles.operators : state?.events[epoch]?.roles.operators
}
