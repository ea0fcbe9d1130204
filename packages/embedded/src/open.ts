import {
  type AbortOptions,
  type Authorize,
  type Clock,
  createInception,
  decodeEnvelope,
  encodeEnvelope,
  type Inception,
  type Random,
  systemClock,
  systemRandom,
  VaultError,
  type VaultId,
  verifyInception,
} from '@vault/core'
import type { SoupStore, Tenure, TenureState } from '@vault/soup'
import { createPlace } from './create-place.ts'
import { createRoleKeys } from './keystore.ts'
import { owner } from './owner.ts'
import { openPlace, type Place, type PlaceErrorCode } from './place.ts'
import { Vault } from './vault.ts'

/** What a vault needs from outside. */
export interface OpenOptions {
  /**
   * `read` works on a read-only disk and writes nothing, not even a cache; a process that is killed as it reads may leave
   * an empty `soup.sqlite-wal` and a `-shm`, which are no content. Default: `write`, which is refused at once where the
   * folder cannot be written.
   */
  readonly mode?: 'read' | 'write'
  /**
   * With `read`: changes nothing that the vault holds, but keeps the hashes that computing its roots costs, so that the
   * next time is quick, where the folder can be written. Default: `false`.
   */
  readonly keepHashes?: boolean
  /** Who may do what. Default: whoever can open the folder may do everything (`owner`). */
  readonly authorize?: Authorize
  readonly random?: Random
  readonly clock?: Clock
}

/** What a new vault is made of. */
export interface CreateOptions {
  /** Under which the identity and operator keys are kept; `undefined` keeps them plain, which is the caller's explicit choice. */
  readonly passphrase: string | undefined
  /** Hash and chunker of its content; part of its identity, so it never changes. Default: BLAKE3, 1 MiB. */
  readonly content?: Inception['content']
  readonly clock?: Clock
  readonly random?: Random
}

const DEFAULT_CONTENT: Inception['content'] = { hash: 'blake3', chunker: { kind: 'fixed', size: 1024 * 1024 } }

/** In the order in which a place prefers them: a folder is the vault that is, or may become, alive in it. */
const PREFERENCE: readonly TenureState[] = ['active', 'quiesced', 'prepared', 'receiving', 'replica', 'retired']

/** Makes a new vault in a folder that does not exist, or is empty. Throws `VAULT_EXISTS`, `VAULT_INACCESSIBLE`. */
export async function createVault(dir: string, options: CreateOptions): Promise<VaultId> {
  const { passphrase, content = DEFAULT_CONTENT, clock = systemClock, random = systemRandom } = options
  let id: VaultId | undefined
  await createPlace(dir, async (draft) => {
    const { identity, operators, log } = await createRoleKeys({
      dir: draft.dir,
      roles: ['identity', 'operators', 'log'],
      passphrase,
      random,
    })
    const role = (signer: { key: Inception['roles']['log']['keys'][number] }) => ({ keys: [signer.key], threshold: 1 })
    const envelope = await createInception(
      {
        roles: { identity: role(identity), operators: role(operators), log: role(log) },
        content,
        nonce: random(16),
        at: clock(),
      },
      [identity, operators, log],
    )
    id = verifyInception(envelope).vault
    const keyEvents = [encodeEnvelope(envelope)]
    await draft.soups.tenures.transition(id, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0, keyEvents })
  })
  return id as VaultId
}

/**
 * Opens the vault of a folder, or of `.vault` in it. Throws `VAULT_NOT_FOUND`, `VAULT_FORMAT`, `VAULT_INACCESSIBLE`, and
 * what the stores throw.
 */
export async function openVault(dir: string, options: OpenOptions & AbortOptions = {}): Promise<Vault> {
  const { mode = 'write', keepHashes = false } = options
  const place = await openPlace(dir, { mode, keepHashes })
  try {
    const tenure = await currentTenure(place.soups)
    if (tenure === undefined) throw noVault(place)
    return await vaultAt(place, tenure, options)
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}

async function vaultAt(place: Place, tenure: Tenure, options: OpenOptions): Promise<Vault> {
  const [first] = await place.soups.tenures.keyEvents(tenure.vault)
  const inception = first && verifyInception(decodeEnvelope(first))
  if (inception?.vault !== tenure.vault) {
    throw new VaultError({
      code: 'SOUP_CORRUPT',
      message: `The inception event kept in ${place.dir} is not that of the vault ${tenure.vault}.`,
      details: { table: 'key_events', key: tenure.vault },
    })
  }
  const { random = systemRandom, clock = systemClock, authorize = owner } = options
  return new Vault({ inception, place, authorize, random, clock })
}

async function currentTenure(soups: SoupStore): Promise<Tenure | undefined> {
  const tenures = await soups.tenures.list()
  return PREFERENCE.map((state) => tenures.find((tenure) => tenure.state === state)).find(
    (tenure) => tenure !== undefined,
  )
}

function noVault(place: Place): VaultError<PlaceErrorCode> {
  return new VaultError({
    code: 'VAULT_NOT_FOUND',
    message: `The place in ${place.dir} holds no vault yet: it waits to receive one.`,
    details: { dir: place.dir },
  })
}
