import { basename, dirname, join, resolve } from 'node:path'
import type { AuditActor, LogStore } from '@vault/audit-chain'
import {
  type AbortOptions,
  type Clock,
  copyBytes,
  decodeEnvelope,
  encodeEnvelope,
  type KeyId,
  type Random,
  type Signer,
  systemClock,
  systemRandom,
  type VaultId,
} from '@vault/core'
import {
  type ChainEnd,
  type GrantingSource,
  keyStateAt,
  type LiveSource,
  type MandatedSource,
  type ProvingTarget,
  type Seat,
  type SeatKeys,
  seatSource,
  seatTarget,
} from '@vault/migration'
import type { AuthorityDiff } from '@vault/spki-caps'
import { openFsLogStore } from '@vault/store-fs'
import { certifyingTarget } from './caps/certifying-target.ts'
import { type SigningCeremony, signInCeremony } from './ceremony/sign-in-ceremony.ts'
import { listNewKeys } from './checksums.ts'
import { openOrCreatePlace } from './endpoint.ts'
import { createRoleKeys, hasKey, type KeyRole, openKey } from './keystore.ts'
import type { Place } from './place.ts'
import type { Vault } from './vault.ts'
import { LOG_FOLDER } from './vault-log.ts'

/** How a place takes part in a hand-off. */
export interface SeatOptions {
  /** Opens the identity and operator keys that lie here: asked once, and only when one is needed. Default: there is none. */
  readonly passphrase?: () => Promise<string | undefined>
  /** Under which new keys of a vault that comes are kept; `undefined` keeps them plain. Default: the one above. */
  readonly newPassphrase?: () => Promise<string | undefined>
  readonly actor?: AuditActor
  readonly clock?: Clock
  readonly random?: Random
}

const OWNER: AuditActor = { name: 'owner', proven: false }

/**
 * What documents that leave the machine call the place in a folder: its last name, because where it lies on a disk is nobody
 * else's business.
 */
export function placeName(dir: string): string {
  const path = resolve(dir)
  const name = basename(path) === '.vault' ? basename(dirname(path)) : basename(path)
  return name === '' ? 'vault' : name
}

/** A place as a party of a hand-off. Its logs are opened for writing. */
export async function seatOf(place: Place, options: SeatOptions = {}): Promise<Seat> {
  const { actor = OWNER, clock = systemClock, random = systemRandom } = options
  // Keys of a hand-off whose maker died before it could list them.
  await listNewKeys(place.dir)
  return {
    label: placeName(place.dir),
    instance: place.info.instance,
    place: await openKey({ dir: place.dir, role: 'place', key: place.info.key }),
    objects: place.objects,
    store: place.soups,
    keys: seatKeys(place, { ...options, random }),
    actor,
    clock,
    random,
    log: logStores((vault) =>
      openFsLogStore({ dir: join(place.dir, LOG_FOLDER, vault), mode: 'write', clock, random }),
    ),
  }
}

/** Each log is opened once: a move asks for it with every batch, and opening one flushes folders. */
function logStores(open: (vault: VaultId) => Promise<LogStore>): Seat['log'] {
  const opened = new Map<VaultId, Promise<LogStore>>()
  return async (vault, options) => {
    options?.signal?.throwIfAborted()
    const store = opened.get(vault) ?? open(vault)
    opened.set(vault, store)
    store.catch(() => opened.delete(vault))
    return await store
  }
}

/** A source of moves whose keys lie in its place. */
export interface OpenMoveSource extends LiveSource, GrantingSource, MandatedSource {
  /**
   * Opens the identity keys that lie here, if any: before a move begins, because the target protects its new keys with the same
   * passphrase unless it has another. Throws `KEY_PASSPHRASE`, and nothing has been written.
   */
  unlock(options?: AbortOptions): Promise<void>
}

/**
 * A vault that is open for writing, as the source of a move. Where too few keys of its identity lie here, the others sign in the
 * `ceremony`, as {@link signInCeremony} says.
 */
export async function moveSourceOf(
  vault: Vault,
  options: SeatOptions & { readonly ceremony?: SigningCeremony } = {},
): Promise<OpenMoveSource> {
  const seat = await seatOf(vault.place, options)
  const source = seatSource(seat, vault.id)
  const { ceremony } = options
  return {
    ...source,
    async signAsIdentity(payload, abort) {
      const { roles, witnesses } = await keyStateAt(seat, vault.id, abort)
      const held = await seat.keys.signers('identity', roles.identity, abort)
      const alone = held.length >= roles.identity.threshold && witnesses.threshold === 0
      if (ceremony === undefined || alone) return await source.signAsIdentity(payload, abort)
      const history = (await seat.store.tenures.keyEvents(vault.id, abort)).map(copyBytes)
      const { place: proposer, clock, random } = seat
      const event = { payload: copyBytes(payload), history, proposer, clock, random }
      return encodeEnvelope(await signInCeremony(ceremony, event))
    },
    async authorityAfter(keyEvent, abort) {
      const { kept, lost, gained, unlisted } = await vault.caps.diffAfter(decodeEnvelope(keyEvent), abort)
      return {
        kept: kept.length,
        broken: chainEnds(lost),
        gained: chainEnds(gained),
        unlisted: unlisted.flatMap(({ chain, subject }) =>
          chain.slice(-1).map((certificate) => ({ certificate, subject, chain })),
        ),
      }
    },
    missingApprovals: (plan, { anywhere = false, ...abort } = {}) =>
      vault.missingApprovals({ action: 'migrate', act: plan, anywhere }, abort),
    async unlock(abort) {
      const { roles } = await keyStateAt(seat, vault.id, abort)
      await seat.keys.signers('identity', roles.identity, abort)
    },
  }
}

/** The certificates by which these are held: whoever holds much by one is named once. */
function chainEnds(held: AuthorityDiff['lost']): readonly ChainEnd[] {
  const ends = held.flatMap(({ chain, subject }) => chain.slice(-1).map((certificate) => ({ certificate, subject })))
  return [...new Map(ends.map((end) => [`${end.certificate} ${end.subject}`, end])).values()]
}

/** Whether the identity key of a vault lies here under a passphrase. */
export async function isIdentitySealed(vault: Vault): Promise<boolean> {
  const { roles } = await keyStateAt({ store: vault.place.soups }, vault.id)
  const forms = await Promise.all(
    roles.identity.keys.map((key) => hasKey({ dir: vault.place.dir, role: 'identity', key })),
  )
  return forms.includes('sealed')
}

/** A target of moves that must be closed. */
export interface OpenMoveTarget extends ProvingTarget, AsyncDisposable {
  readonly place: Place
}

/**
 * The folder as the target of a move; a place is made in it where there is none. Throws `VAULT_EXISTS` where it has other
 * files, and `VAULT_INACCESSIBLE`.
 */
export async function openMoveTarget(dir: string, options?: SeatOptions): Promise<OpenMoveTarget> {
  const place = await openOrCreatePlace(dir)
  try {
    const seat = await seatOf(place, options)
    return { ...moveTargetAt(place, seat), place, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}

/** An open place as the target of moves: with the keys of a vault that comes, it makes its own root certificate of it. */
export function moveTargetAt(place: Place, seat: Seat): ProvingTarget {
  return certifyingTarget(seatTarget(seat), place, seat)
}

function seatKeys({ dir }: Place, options: SeatOptions & { readonly random: Random }): SeatKeys {
  const opened = new Map<KeyId, Signer>()
  const old = once(options.passphrase)
  const next = options.newPassphrase === undefined ? old : once(options.newPassphrase)
  return {
    async signers(role, { keys }, abort?: AbortOptions) {
      abort?.signal?.throwIfAborted()
      const signers: Signer[] = []
      for (const key of keys) {
        const form = opened.has(key) ? 'open' : await hasKey({ dir, role, key })
        if (form === undefined) continue
        const sealed = form === 'sealed' ? await old() : undefined
        const signer =
          opened.get(key) ??
          (await openKey({ dir, role, key, ...(sealed === undefined ? {} : { passphrase: sealed }) }))
        opened.set(key, signer)
        signers.push(signer)
      }
      return signers
    },

    async create<Role extends KeyRole>(roles: readonly Role[], abort?: AbortOptions) {
      abort?.signal?.throwIfAborted()
      // The log key has none.
      const passphrase = roles.some((role) => role !== 'log') ? await next() : undefined
      const made = await createRoleKeys({ dir, roles, passphrase, random: options.random })
      const keys: Partial<Record<Role, KeyId>> = {}
      for (const role of roles) {
        const signer = made[role]
        opened.set(signer.key, signer)
        keys[role] = signer.key
      }
      return keys as Record<Role, KeyId>
    },
  }
}

/** Asks when it is first needed, and not again. */
function once(ask: (() => Promise<string | undefined>) | undefined): () => Promise<string | undefined> {
  let answer: Promise<string | undefined> | undefined
  return () => {
    answer ??= ask === undefined ? Promise.resolve(undefined) : ask()
    return answer
  }
}
