import type { AbortOptions, Authorize, Clock, ContentId, Grant, KeyId } from '@vault/core'
import { systemClock } from '@vault/core'

/** On whose authority something is done. */
export interface Mandate {
  /** Asked for `migrate` on the vault that moves and for `write` on the vault that is written. */
  readonly authorize: Authorize
  /** Keys whose signatures over the request have been verified. Default: none, which only an owner at the place may grant. */
  readonly signers?: readonly KeyId[]
  readonly approvals?: readonly KeyId[]
  readonly clock?: Clock
}

/** Both grants of a migration (X16), asked for again when they have expired. */
export interface Permission {
  /** Call before everything that is visible at the target. Throws what `authorize` throws. */
  require(): Promise<void>
}

export function permissionFor(
  mandate: Mandate,
  vaults: { readonly source: ContentId; readonly target: ContentId },
  options: AbortOptions,
): Permission {
  const { authorize, signers = [], approvals = [], clock = systemClock } = mandate
  const wanted = [
    { action: 'migrate', object: vaults.source },
    { action: 'write', object: vaults.target },
  ]
  const grants = new Map<string, Grant>()
  return {
    async require() {
      for (const { action, object } of wanted) {
        const at = clock()
        const expires = grants.get(action)?.expires
        if (grants.has(action) && (expires === undefined || expires > at)) continue
        grants.set(action, await authorize({ signers, approvals, action, object, at }, options))
      }
    },
  }
}
