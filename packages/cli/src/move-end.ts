import type { SeatOptions, Vault } from '@vault/embedded'
import type { MoveTarget, PlanParts, ProvingTarget } from '@vault/migration'
import { isRemote, type RemoteOptions, remoteTarget } from './remote-end.ts'

/** Where a vault moves to: to be looked at first, and opened when it is known that it will take the vault. */
export interface MoveEnd {
  look(): Promise<PlanParts['target'] & AsyncDisposable>
  open(): Promise<(MoveTarget | ProvingTarget) & AsyncDisposable>
}

/** A folder, or a server, as the place that a vault moves to. */
export function moveEnd(
  to: string,
  parts: RemoteOptions & { readonly vault: Vault; readonly seat: SeatOptions; readonly signal: AbortSignal },
): MoveEnd {
  const { vault, seat } = parts
  if (isRemote(to)) {
    const open = () => remoteTarget(to, { ...parts, of: vault })
    return { look: open, open }
  }
  return {
    async look() {
      const { lookAtTarget, placeName } = await import('@vault/embedded')
      return { ...(await lookAtTarget(to)), label: placeName(to) }
    },
    async open() {
      const { openMoveTarget } = await import('@vault/embedded')
      return await openMoveTarget(to, seat)
    },
  }
}
