import type { VaultId } from '@vault/core'

/** The origin of a vault's trail, and the name of the keys that sign it: the same wherever the vault lives. */
export function originOf(vault: VaultId): string {
  return `vault/${vault}`
}
