import type { AuditActor } from '@vault/audit-chain'
import { type AbortOptions, type Clock, createKeyEvent, type KeyState, type Signer } from '@vault/core'
import { adoptKeyEvent, checkAdoptable, keyStateAt } from '@vault/migration'
import type { Reason } from './act.ts'
import type { Place } from './place.ts'
import { requireIdentity } from './rotate-keys.ts'
import { seatOf } from './seat.ts'

/** What ends a vault. */
export interface RetireOptions extends Reason {
  /** Opens the identity key that lies in the place. Default: there is none. */
  readonly passphrase?: () => Promise<string | undefined>
  /** Identity keys that lie elsewhere. Default: those in the place. */
  readonly identity?: readonly Signer[]
}

/**
 * Ends a vault for ever: it can be read, verified and copied, and changes nowhere any more. Throws `KEY_IDENTITY_MISSING`,
 * `KEY_PASSPHRASE`, `KEY_DAMAGED` and what `adoptKeyEvent` throws; then nothing has changed.
 */
export async function retireVault(
  parts: {
    readonly vault: KeyState['vault']
    readonly place: Place
    readonly actor: AuditActor
    readonly clock: Clock
  },
  options: RetireOptions & AbortOptions,
): Promise<KeyState> {
  const { vault, place, actor, clock } = parts
  const { motivation, ...abort } = options
  const seat = await seatOf(place, { ...options, actor, clock })
  const history = await keyStateAt(seat, vault, abort)
  await checkAdoptable(seat, { vault }, abort)
  const identity = options.identity ?? (await seat.keys.signers('identity', history.roles.identity, abort))
  requireIdentity(identity, history.roles)
  const draft = { history, why: 'retire', roles: history.roles, at: clock() } as const
  const keyEvent = await createKeyEvent(draft, identity, abort)
  const why = motivation === undefined ? {} : { motivation }
  return await adoptKeyEvent(seat, { vault, keyEvent, ...why }, abort)
}
