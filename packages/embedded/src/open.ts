import type { AuditActor } from '@vault/audit-chain'
import {
  type AbortOptions,
  type Authorize,
  type Clock,
  createInception,
  decodeEnvelope,
  type Finding,
  type Inception,
  isVaultError,
  type Random,
  type Signer,
  systemClock,
  systemRandom,
  VaultError,
  type VaultId,
  verifyInception,
} from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { Freshness } from '@vault/spki-caps'
import { beginVault, OWNER } from './begin-vault.ts'
import { heldOperators } from './caps/cap-issuer.ts'
import { renewRootCertificate } from './caps/renew-root-certificate.ts'
import { keepRootCertificate } from './caps/root-certificate.ts'
import { signersName } from './caps/signers-name.ts'
import { vaultAuthority } from './caps/vault-authority.ts'
import { VaultCaps } from './caps/vault-caps.ts'
import { checkStanding } from './check-standing.ts'
import { createPlace } from './create-place.ts'
import { currentTenure } from './current-tenure.ts'
import { endTenure } from './end-tenure.ts'
import { createRoleKeys, hasKey } from './keystore.ts'
import { MarkKeeper } from './mark-keeper.ts'
import { Marks } from './marks.ts'
import { openPlace, type Place, type PlaceErrorCode } from './place.ts'
import { Vault } from './vault.ts'
import { VaultLog } from './vault-log.ts'

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
  /**
   * Which of the vaults that lie in the place, chosen among their tenures; `undefined` leaves it to the default: the one that is,
   * or may become, alive there. Throws `VAULT_NOT_FOUND` for one that is not there.
   */
  readonly choose?: (tenures: readonly Tenure[]) => VaultId | undefined
  /** Who may do what. Default: certificates, see `as`. */
  readonly authorize?: Authorize
  /**
   * Acts with these keys, and only as far as certificates of the vault grant it to them: each act is a request that they sign. Default: with
   * the key of the place, which may do everything.
   */
  readonly as?: readonly Signer[]
  /**
   * How old the last set of revocations may be for an action, in seconds, once the vault has any: see `publishRevocations`. Default: it must
   * be the present one.
   */
  readonly freshness?: Freshness
  /** What it is opened for, with `mode: 'read'`, and where: asked for at once. Default: `read` of the whole vault. */
  readonly intent?: { readonly action: string; readonly path?: readonly string[] }
  /** Who acts, as the audit log is to call them. Default: `owner`, or the keys of `as`. Whether that is proven, and by which key, the grant says. */
  readonly actor?: Pick<AuditActor, 'name' | 'key'>
  /**
   * A folder outside the vault in which it is kept how far this place was seen to be, so that an old copy that is put back
   * is recognised (`AUDIT_ROLLBACK`, `AUDIT_FORK`), and how files looked when they were put, so that one that has not changed
   * is not read again. Made on demand. Default: nothing is kept and compared.
   */
  readonly stateDir?: string
  /** With `read`: opens also what is older than it was, or has another history, and keeps no mark of it. Default: `false`. */
  readonly ignoreMark?: boolean
  /** Told what is no failure and ought to be known: that no mark can be kept. */
  readonly warn?: (finding: Finding) => void
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
    const vault = await beginVault(envelope, { soups: draft.soups, clock, random })
    const { records } = draft.soups
    await keepRootCertificate(records, { vault, epoch: 0, place: draft.info.key, signers: [operators], random })
    await new VaultLog({ vault, dir: draft.dir, soups: draft.soups, clock, writable: true }).drain()
    id = vault
  })
  return id as VaultId
}

/**
 * Opens the vault of a folder, or of `.vault` in it. Throws `VAULT_NOT_FOUND`, `VAULT_FORMAT`, `VAULT_INACCESSIBLE`,
 * `AUDIT_ROLLBACK` and `AUDIT_FORK` where it is an old copy or its log is gone, and what the stores throw.
 */
export async function openVault(dir: string, options: OpenOptions & AbortOptions = {}): Promise<Vault> {
  const { mode = 'write', keepHashes = false, ignoreMark = false, choose } = options
  if (ignoreMark && mode === 'write') throw new TypeError('A vault whose mark is ignored can only be read.')
  const place = await openPlace(dir, { mode, keepHashes })
  try {
    const chosen = choose?.(await place.soups.tenures.list())
    const tenure = chosen === undefined ? await currentTenure(place.soups) : await place.soups.tenures.read(chosen)
    if (tenure === undefined || tenure.state === 'none') throw noVault(place, tenure?.vault)
    return await vaultAt(place, tenure, options)
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}

async function vaultAt(place: Place, tenure: Tenure, options: OpenOptions & AbortOptions): Promise<Vault> {
  const [first] = await place.soups.tenures.keyEvents(tenure.vault)
  const inception = first && verifyInception(decodeEnvelope(first))
  if (inception?.vault !== tenure.vault) {
    throw new VaultError({
      code: 'SOUP_CORRUPT',
      message: `The inception event kept in ${place.dir} is not that of the vault ${tenure.vault}.`,
      details: { table: 'key_events', key: tenure.vault },
    })
  }
  const { random = systemRandom, clock = systemClock, as = [] } = options
  const { actor = { name: as.length > 0 ? signersName(as) : OWNER } } = options
  const { mode = 'write', ignoreMark = false } = options
  const marks = ignoreMark ? undefined : marksOf(place, options)
  const soup = place.soups.soup(inception.vault)
  const keeper = marks && new MarkKeeper({ marks, vault: inception.vault, soup, clock })
  const { freshness = {} } = options
  const caps = new VaultCaps({ vault: inception.vault, place, soup, clock, random, freshness })
  const authorize = options.authorize ?? vaultAuthority(caps, options.as)
  const vault = new Vault({
    inception,
    place,
    authorize,
    caps,
    actor,
    random,
    clock,
    mode,
    stateDir: options.stateDir,
    ...(keeper && { keeper }),
  })
  if (mode === 'read') {
    const { action = 'read', path } = options.intent ?? {}
    await vault.require(action, { ...options, ...(path !== undefined && { path }) })
  }
  if (ignoreMark) return vault
  await checkIsNew(vault, { marks, mode }, options)
  if (mode === 'write') {
    await endTenure(place.soups, vault.id, options)
    await makeGood(vault, options)
    await certifyPlace(vault, options)
  }
  return vault
}

async function checkIsNew(
  { id, place, log }: Vault,
  { marks, mode }: { readonly marks: Marks | undefined; readonly mode: 'read' | 'write' },
  options: AbortOptions,
): Promise<void> {
  const { dir, soups, info } = place
  const parts = { vault: id, dir, instance: info.instance, soups, log, marks }
  const seen = await checkStanding(parts, { mode }, options)
  if (seen !== undefined) await marks?.advance(id, seen)
}

/** Makes the root certificate of a vault that was made without, where that needs nobody: its operators' keys are plain. */
async function certifyPlace({ caps, place, soup }: Vault, options: AbortOptions): Promise<void> {
  if ((await soup.tenure(options)).state !== 'active') return
  const { standing } = await caps.rootStanding(options)
  if (standing !== 'none' && standing !== 'replaced') return
  const keys = await caps.keys(options)
  const forms = await Promise.all(
    keys.roles.operators.keys.map((key) => hasKey({ dir: place.dir, role: 'operators', key })),
  )
  if (forms.includes('sealed')) return
  // A key file that is damaged is found by whoever needs it: without the certificate everything goes on as before.
  const held = await heldOperators(place, keys).catch((error: unknown) => {
    if (!isVaultError(error)) throw error
    return []
  })
  await renewRootCertificate(caps, held, options)
}

function marksOf({ info }: Place, { stateDir, warn = () => {} }: OpenOptions): Marks | undefined {
  return stateDir === undefined ? undefined : new Marks({ stateDir, instance: info.instance, warn })
}

/** Writes into the log what a process that died has left waiting. Where that finds no room now, closing tries again, and says so. */
async function makeGood({ log, soup }: Vault, options: AbortOptions): Promise<void> {
  if ((await soup.queued({ limit: 1 }, options)).length === 0) return
  await log.drain().catch((error: unknown) => {
    if (!isVaultError(error, 'AUDIT_WRITE_FAILED')) throw error
  })
}

export function noVault(place: Place, vault?: VaultId): VaultError<PlaceErrorCode> {
  return new VaultError({
    code: 'VAULT_NOT_FOUND',
    message:
      vault === undefined
        ? `The place in ${place.dir} holds no vault yet: it waits to receive one ("vault-migrate run --to ${place.dir}"), and servers know it by its key ${place.info.key}. A new vault is made in a folder of its own ("vaultctl init").`
        : `The place in ${place.dir} does not hold the vault ${vault}.`,
    details: { dir: place.dir, ...(vault === undefined && { key: place.info.key }) },
  })
}
