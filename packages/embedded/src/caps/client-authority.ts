import {
  type AbortOptions,
  type Clock,
  contentId,
  type Grant,
  type KeyId,
  type Random,
  Recent,
  systemClock,
  systemRandom,
  utf8,
  VaultError,
  type VaultId,
} from '@vault/core'
import type { Tenure } from '@vault/soup'
import {
  askedTag,
  type CapsErrorCode,
  type CapsFindingCode,
  type Circumstances,
  covers,
  createCertificateIndex,
  createKeyDirectory,
  createRevocationView,
  createSignatureMemo,
  createValidationView,
  denied,
  isNameCert,
  knownVoices,
  type Verdict,
} from '@vault/spki-caps'
import type { Place } from '../place.ts'
import { isBringer, keepBringer } from './bringers.ts'
import { adviceFor } from './denied-advice.ts'
import { anyVault, PLACE_ACTION, rootsOfPlace } from './place-grant.ts'
import { listPlaceRevocations, readPlaceRevocations } from './place-revocations.ts'
import type { ShownProofs } from './shown-proofs.ts'
import { VaultCaps } from './vault-caps.ts'
import { verdictForClient } from './verdict-for-client.ts'
import { type Judged, verdictOn } from './verdict-on.ts'

/** What a client of a place wants, whose key its connection has proved. */
export interface ClientRequest {
  readonly key: KeyId
  readonly action: string
  readonly vault: VaultId
  /** What it has shown. The same object for the same proofs. */
  readonly proofs: ShownProofs
  /** Whether it only ends a move that the place has prepared for: refused, it would leave the vault active nowhere. */
  readonly ends?: boolean
}

export interface ClientAuthorityOptions {
  /** Keys whose certificates count as those of the place. Its own always does. */
  readonly trust?: readonly KeyId[]
  readonly clock?: Clock
  readonly random?: Random
}

interface Given {
  readonly grant: Grant
  readonly proofs: ShownProofs
  readonly print: string
  readonly until: number
}

// Sets of revocations grow old while nothing changes.
const REMEMBERED_MS: number = 60_000
const MAX_GIVEN = 1_024
const MAX_VAULTS = 64
/** What somebody else's vault is where it comes, or lies as a copy. Whoever brought it has no say in what it is here for. */
const BROUGHT: ReadonlySet<Tenure['state']> = new Set(['none', 'receiving', 'prepared', 'replica', 'retired'])

/**
 * What certificates grant to clients of a place. There are two roots:
 *
 * - The vault, for what is done with one that is here: by the certificates in it, with its keys and its revocations as they stand here.
 * - The place, for bringing a vault to it: its key, and those that it trusts. What they grant on any vault counts for those that are
 *   not here, and for those that the same key has brought. Once the vault is active here, all of it only ends the move.
 */
export class ClientAuthority {
  readonly #place: Pick<Place, 'dir' | 'info' | 'soups'>
  readonly #roots: Circumstances['roots']
  readonly #clock: Clock
  readonly #random: Random
  readonly #memo = createSignatureMemo()
  readonly #vaults = new Recent<VaultCaps>(MAX_VAULTS)
  readonly #given = new Recent<Given>(MAX_GIVEN)

  constructor(place: Pick<Place, 'dir' | 'info' | 'soups'>, options: ClientAuthorityOptions = {}) {
    const { trust = [], clock = systemClock, random = systemRandom } = options
    this.#place = place
    this.#roots = rootsOfPlace([place.info.key, ...trust])
    this.#clock = clock
    this.#random = random
  }

  /** Throws `CAPS_DENIED`, with the code of the first thing that is wrong in `details.code`. */
  async judge(request: ClientRequest, options: AbortOptions = {}): Promise<Grant> {
    const { key, action, vault, proofs, ends = false } = request
    const { records, tenures } = this.#place.soups
    const tenure = await tenures.read(vault, options)
    if (ends && (await this.#mayEnd(request, tenure, options))) return { action, object: vault, proven: true }
    const revoked = await listPlaceRevocations(records, options)
    const { state, sequence, events, epoch, migration } = tenure
    // The migration says who has brought it. There may be many revocations, and many prints that are kept.
    const print = [state, sequence, events, epoch, migration, contentId(utf8(revoked.join(' ')))].join(' ')
    const name = `${key} ${action} ${vault} ${ends}`
    const at = this.#clock().getTime()
    const known = this.#given.get(name)
    if (known?.print === print && known.proofs === proofs && at < known.until) return known.grant
    this.#given.delete(name)
    const grant = await this.#decide(request, { tenure, revoked }, options)
    const until = Math.min(at + REMEMBERED_MS, grant.expires?.getTime() ?? Number.POSITIVE_INFINITY)
    this.#given.keep(name, { grant, proofs, print, until })
    return grant
  }

  /**
   * Keeps in mind that a client, which has been judged, brings a vault by this migration: what is granted on any vault reaches it, and it
   * may end the move. To be called before the vault begins to come. Durable when it resolves.
   */
  async brings(
    bringing: { readonly key: KeyId; readonly vault: VaultId; readonly migration: string },
    options: AbortOptions = {},
  ): Promise<void> {
    await keepBringer(this.#place, bringing, options)
  }

  async #decide(
    request: ClientRequest,
    { tenure, revoked }: { readonly tenure: Tenure; readonly revoked: readonly string[] },
    options: AbortOptions,
  ): Promise<Grant> {
    const refused: Refused[] = []
    if (isHere(tenure)) {
      const { verdict } = await verdictForClient(this.#capsOf(request.vault), request, options)
      if (verdict.ok) return grantOf(request, verdict)
      refused.push(verdict)
    }
    if (request.action === PLACE_ACTION) {
      const judged = await this.#byPlace(request, revoked, options)
      if (!judged.verdict.ok) refused.push(judged.verdict)
      else if (!BROUGHT.has(tenure.state) && request.ends !== true) throw beyondBringing(request, tenure)
      else if (await this.#isMeant(judged, request, tenure, options)) return grantOf(request, judged.verdict)
      else throw broughtByAnother(request)
    }
    throw refusedBy(request, refused)
  }

  async #byPlace(
    { key, action, vault, proofs }: ClientRequest,
    revoked: readonly string[],
    options: AbortOptions,
  ): Promise<Judged> {
    const keys = createKeyDirectory([])
    const kept = await readPlaceRevocations(this.#place.soups.records, revoked, options)
    const revocations = createRevocationView({
      revocations: [...kept, ...proofs.revocations],
      sets: proofs.sets,
      keys,
    })
    const question = { action, tag: askedTag(action, { path: [vault] }), voices: knownVoices([key]) }
    const validations = createValidationView({ validations: proofs.validations, keys })
    const circumstances = { roots: this.#roots, keys, revocations, validations, now: this.#clock(), memo: this.#memo }
    return await verdictOn(question, createCertificateIndex(proofs.certificates), circumstances, options)
  }

  /**
   * Whether what the place grants is about this vault: what is granted on any does not reach those that others have brought. That is
   * decided by what the root has issued: whoever holds it can narrow it down to any vault there is.
   */
  async #isMeant({ proof }: Judged, { key }: ClientRequest, tenure: Tenure, options: AbortOptions): Promise<boolean> {
    const [issued] = proof.flatMap((cert) => (isNameCert(cert) ? [] : [cert.record.tag]))
    const isAny = issued !== undefined && covers(issued, anyVault())
    return !isAny || tenure.state === 'none' || (await isBringer(this.#place, tenure, key, options))
  }

  /** Between its signature at the source and its activation here, nobody has the vault: whoever brought it ends that, whatever has run out. */
  async #mayEnd({ key, action }: ClientRequest, tenure: Tenure, options: AbortOptions): Promise<boolean> {
    if (action !== PLACE_ACTION || (tenure.state !== 'prepared' && tenure.state !== 'active')) return false
    return await isBringer(this.#place, tenure, key, options)
  }

  #capsOf(vault: VaultId): VaultCaps {
    const known = this.#vaults.get(vault)
    const [place, clock, random] = [this.#place, this.#clock, this.#random]
    const caps = known ?? new VaultCaps({ vault, place, soup: place.soups.soup(vault), clock, random })
    this.#vaults.keep(vault, caps)
    return caps
  }
}

type Refused = Extract<Verdict, { readonly ok: false }>

/** Whether the vault is one of this place's. One that comes for the first time is not, until it has come. */
function isHere({ state, before }: Tenure): boolean {
  if (state === 'receiving' || state === 'prepared') return before !== undefined && before.state !== 'none'
  return state !== 'none'
}

function grantOf({ action, vault }: ClientRequest, { effective }: Extract<Verdict, { readonly ok: true }>): Grant {
  const { expires } = effective
  return { action, object: vault, proven: true, ...(expires === null ? {} : { expires: new Date(expires * 1000) }) }
}

/** The refusal that tells most: the place, which has no certificates but those that are shown, often has found none. */
function refusedBy({ action, vault }: ClientRequest, refused: readonly Refused[]): VaultError<CapsErrorCode> {
  const told = refused.find(({ code }) => code !== 'CAPS_NO_CHAIN') ?? refused[0]
  if (told === undefined) return notFound({ action, vault })
  const { message, details } = denied(action, vault, told)
  return refusal(told.code, `${message} ${adviceFor(told.code, action)}`, details)
}

function notFound({ action, vault }: Pick<ClientRequest, 'action' | 'vault'>): VaultError<CapsErrorCode> {
  return refusal(
    'CAPS_NO_CHAIN',
    `${action} on ${vault} is not granted: the vault is not here, so none of its certificates counts.`,
  )
}

function broughtByAnother({ vault, key }: ClientRequest): VaultError<CapsErrorCode> {
  return refusal(
    'CAPS_NOT_COVERED',
    `What ${key} was granted on any vault does not reach ${vault}, which it has not brought here. Let it be granted on this vault.`,
  )
}

function beyondBringing({ vault, key }: ClientRequest, { state }: Tenure): VaultError<CapsErrorCode> {
  return refusal(
    'CAPS_NOT_COVERED',
    `${vault} is ${state} here, and what the place has granted ${key} is for bringing vaults. Let the vault grant it.`,
  )
}

function refusal(
  code: CapsFindingCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): VaultError<CapsErrorCode> {
  return new VaultError({ code: 'CAPS_DENIED', message, details: { ...details, code } })
}
