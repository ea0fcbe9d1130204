import type { AuditActor } from '@vault/audit-chain'
import {
  type AbortOptions,
  type Clock,
  createKeyEvent,
  type KeyEventErrorCode,
  type KeyId,
  type KeyState,
  type Random,
  type Roles,
  type Signer,
  VaultError,
} from '@vault/core'
import { adoptKeyEvent, checkAdoptable, keyStateAt } from '@vault/migration'
import type { Reason } from './act.ts'
import { renewRootCertificate } from './caps/renew-root-certificate.ts'
import { VaultCaps } from './caps/vault-caps.ts'
import { createRoleKeys, type KeyRole } from './keystore.ts'
import type { Place } from './place.ts'
import { seatOf } from './seat.ts'

/** The `code` of the errors about replacing the keys of a vault. */
export type RotationErrorCode =
  /** Too few of the identity's keys are at hand. `details.needed`, `details.held`, `details.keys`. */
  | 'KEY_IDENTITY_MISSING'
  /** Several people hold the keys of the role, so nobody replaces them alone. `details.role`, `details.keys`. */
  | 'KEY_ROLE_SHARED'

/** Which keys are replaced, and what opens and protects them. */
export interface RotateOptions extends Reason {
  /** At least one. */
  readonly roles: readonly KeyRole[]
  /** Opens the identity key that lies in the place: asked once, and only when it is needed. Default: there is none. */
  readonly passphrase?: () => Promise<string | undefined>
  /** Under which new identity and operator keys are kept; `undefined` keeps them plain. Default: the one above. */
  readonly newPassphrase?: () => Promise<string | undefined>
  /** Identity keys that lie elsewhere. Default: those in the place. */
  readonly identity?: readonly Signer[]
  /** See `Adoption` of `@vault/migration`. */
  readonly withoutCertificate?: boolean
}

/**
 * Replaces the keys of roles of a vault by one new key each. The new keys are durable first; then the key event, signed by the identity
 * before and by every new key, takes effect together with its entry in the audit log. A process that dies before that leaves key
 * files that are no vault's; afterwards the same call makes another rotation. The files of the old keys stay: what they signed is theirs.
 *
 * Throws `KEY_ROLE_SHARED`, `KEY_IDENTITY_MISSING`, `KEY_EVENT_COMMITMENT`, `KEY_EVENT_WITNESSES`, `KEY_PASSPHRASE`, `KEY_DAMAGED` and what `adoptKeyEvent` throws; then nothing has
 * changed.
 */
export async function rotateKeys(
  parts: {
    readonly vault: KeyState['vault']
    readonly place: Place
    readonly actor: AuditActor
    readonly clock: Clock
    readonly random: Random
  },
  options: RotateOptions & AbortOptions,
): Promise<KeyState> {
  const { vault, place, actor, clock, random } = parts
  const { roles, motivation, withoutCertificate = false, ...abort } = options
  const newPassphrase = options.newPassphrase ?? options.passphrase ?? (async () => undefined)
  const seat = await seatOf(place, { ...options, actor, clock, random })
  const history = await keyStateAt(seat, vault, abort)
  for (const role of roles) requireOwn(role, history.roles)
  await checkAdoptable(seat, { vault, withoutCertificate }, abort)
  const identity = options.identity ?? (await seat.keys.signers('identity', history.roles.identity, abort))
  requireIdentity(identity, history.roles)
  requireFollowing(roles, history, identity)
  const passphrase = roles.some((role) => role !== 'log') ? await newPassphrase() : undefined
  const made = await createRoleKeys({ dir: place.dir, roles, passphrase, random })
  const signers = [...identity, ...roles.map((role) => made[role])]
  const next: Roles = { ...history.roles, ...Object.fromEntries(roles.map((role) => [role, alone(made[role].key)])) }
  const keyEvent = await createKeyEvent({ history, why: 'rotate', roles: next, at: clock() }, signers, abort)
  const why = motivation === undefined ? {} : { motivation }
  const state = await adoptKeyEvent(seat, { vault, keyEvent, withoutCertificate, ...why }, abort)
  // A process that dies here leaves a place whose root certificate is by keys that were replaced, as one that never had any.
  if (roles.includes('operators')) {
    const caps = new VaultCaps({ vault, place, soup: place.soups.soup(vault), clock, random })
    await renewRootCertificate(caps, [made.operators], abort)
  }
  return state
}

function alone(key: KeyId): Roles['log'] {
  return { keys: [key], threshold: 1 }
}

function requireOwn(role: KeyRole, roles: Roles): void {
  const { keys } = roles[role]
  if (keys.length === 1) return
  throw new VaultError<RotationErrorCode>({
    code: 'KEY_ROLE_SHARED',
    message: `The role ${role} has ${keys.length} keys, so one new key does not replace them: their holders make a key event together.`,
    details: { role, keys },
  })
}

/** Throws `KEY_EVENT_COMMITMENT`, `KEY_EVENT_WITNESSES`: before keys are made that the key event could then not bring in. */
function requireFollowing(roles: readonly KeyRole[], { next, witnesses }: KeyState, signers: readonly Signer[]): void {
  if (next !== null && roles.includes('identity')) {
    throw new VaultError<KeyEventErrorCode>({
      code: 'KEY_EVENT_COMMITMENT',
      message:
        'The vault has committed to the identity that follows, and a new key is none of it: let the keys that were committed to follow, in a ceremony.',
    })
  }
  const held = witnesses.keys.filter((key) => signers.some((signer) => signer.key === key)).length
  if (held >= witnesses.threshold) return
  throw new VaultError<KeyEventErrorCode>({
    code: 'KEY_EVENT_WITNESSES',
    message: `The key events of the vault have witnesses, of whom ${witnesses.threshold} ${witnesses.threshold === 1 ? 'signs' : 'sign'} each: let them do so in a ceremony.`,
    details: { needed: witnesses.threshold, held, keys: witnesses.keys },
  })
}

/** Throws `KEY_IDENTITY_MISSING`: before anything is made that would then be of no use. */
export function requireIdentity(signers: readonly Signer[], { identity }: Roles): void {
  const held = new Set(signers.map(({ key }) => key).filter((key) => identity.keys.includes(key))).size
  if (held >= identity.threshold) return
  throw new VaultError<RotationErrorCode>({
    code: 'KEY_IDENTITY_MISSING',
    message: `It takes ${identity.threshold} of the vault's identity keys for a key event, and ${held} ${held === 1 ? 'is' : 'are'} at hand: ${identity.keys.join(', ')}. Name the files of those that lie elsewhere.`,
    details: { needed: identity.threshold, held, keys: identity.keys },
  })
}
