import type { AbortOptions, Clock, ContentId, Envelope, KeyId, KeyState, Random, VaultId } from '@vault/core'
import { followKeyState } from '@vault/core'
import { keyStateAt } from '@vault/migration'
import type { VaultSoup } from '@vault/soup'
import {
  type AuthorityDiff,
  type AuthorityTrees,
  type AuthorityView,
  answer,
  askedTag,
  authorityTrees,
  type CertificateIndex,
  type Circumstances,
  createKeyDirectory,
  createSignatureMemo,
  createValidationView,
  diffAuthority,
  type Freshness,
  type HeldAuthority,
  indexTexts,
  isName,
  type KeysAuthority,
  knownVoices,
  type OpenValidation,
  openCapCert,
  type Principal,
  principalText,
  type RevocationView,
  type Root,
  reduce,
  type Tag,
  type Verdict,
  vaultPrincipal,
  vaultTag,
  whatCan,
  whoCan,
} from '@vault/spki-caps'
import type { Place } from '../place.ts'
import { keptRevocation, keptRevocationSet, REVOCATION_PREFIX, SET_PREFIX, VALIDATION_PREFIX } from './cap-entry.ts'
import { grantingTo } from './granting-to.ts'
import { keptUnder } from './kept-under.ts'
import { revocationsIn } from './revocations-in.ts'
import { readRootCertificate } from './root-certificate.ts'
import { SoupCertificates } from './soup-certificates.ts'
import { keptValidation } from './validation-entry.ts'
import { type Judged, verdictOn } from './verdict-on.ts'

/** What authority in a vault is read from. */
export interface VaultCapsParts {
  readonly vault: VaultId
  readonly place: Pick<Place, 'dir' | 'info' | 'soups'>
  readonly soup: VaultSoup
  readonly clock: Clock
  readonly random: Random
  /** How old the last set of revocations may be for an action. Default: it must be the present one. */
  readonly freshness?: Freshness
}

/** What somebody wants to do, and to what of the vault. */
export interface Wish {
  readonly action: string
  /** The vault that it is done to. Default: this one, which grants nothing on others. */
  readonly object?: ContentId
  /** At or below this path. Default: all of it. */
  readonly path?: readonly string[]
}

// Whatever a vault holds is judged before it moves, each certificate where it stands in some chains. Whoever writes certificates that stand
// in very many makes nobody wait for that: what was granted on by them is unlisted.
const JUDGED_FOR_ONE = 4
const LEAST_JUDGED = 10_000

/** What does not change between two questions unless somebody replaces keys or revokes. */
interface Known {
  /** The number of the vault's last change, and what it may do here: nothing is read again while they are the same. */
  readonly standing: string
  readonly print: string
  readonly keys: KeyState
  readonly circumstances: Omit<Circumstances, 'now'>
  readonly kept: KeptRevocations
  readonly validations: KeptValidations
}

/** The validations that a vault keeps, by the keys of their entries; `undefined` is what cannot be read. */
export type KeptValidations = ReadonlyMap<string, OpenValidation | undefined>

/** The revocations and the sets of them that a vault keeps, by the keys of their entries, and what they come to; `undefined` is what cannot be read. */
export interface KeptRevocations {
  readonly revocations: ReadonlyMap<string, Envelope | undefined>
  readonly sets: ReadonlyMap<string, Envelope | undefined>
  readonly view: RevocationView
}

/** Who may do what with a vault, as its soup and its place know it. Writes nothing. */
export class VaultCaps {
  readonly parts: VaultCapsParts
  readonly certificates: SoupCertificates
  readonly #memo = createSignatureMemo()
  #known: Known | undefined

  constructor(parts: VaultCapsParts) {
    this.parts = parts
    this.certificates = new SoupCertificates(parts.soup)
  }

  /** The certificate by which the place's own key acts here; one that cannot be read is none. */
  async rootCertificate(options?: AbortOptions): Promise<Envelope | undefined> {
    const root = await this.#rootRecord(options)
    return root === 'unreadable' ? undefined : root
  }

  /** Whether the record of that certificate can be read, or there is none. */
  async isRootReadable(options?: AbortOptions): Promise<boolean> {
    return (await this.#rootRecord(options)) !== 'unreadable'
  }

  /** Whether the key of the place may do this by its root certificate alone. `unreadable`: nobody knows whether it was taken back. */
  async rootStanding(
    options: AbortOptions = {},
    wish: Wish = { action: 'write' },
  ): Promise<
    | { readonly standing: 'none' | 'replaced' | 'unreadable' }
    | { readonly standing: 'good' | 'revoked'; readonly verdict: Verdict }
  > {
    const root = await this.#rootRecord(options)
    if (root === 'unreadable') return { standing: root }
    const { place, vault } = this.parts
    const question = { action: wish.action, tag: this.tagOf(wish), voices: knownVoices([place.info.key]) }
    // What is revoked here, the place sees for itself: it needs nobody's word that nothing else is.
    const { revocations, ...known } = await this.circumstances(options)
    // Nor does what cannot be read keep it from acting: somebody has to be able to mend that.
    const seen = revocations === 'unchecked' ? revocations : { ...revocations, unread: [] }
    const circumstances = { ...known, revocations: seen, roots: [rootOf(vault, 'none')] }
    const verdict = reduce(question, root === undefined ? [] : [openCapCert(root)], circumstances)
    if (verdict.ok) return { standing: 'good', verdict }
    const { key } = place.info
    const by = circumstances.revocations === 'unchecked' ? [] : circumstances.revocations.revokers(key)
    const isRevoked =
      verdict.code === 'CAPS_REVOKED' || by.includes(key) || by.includes(principalText(vaultPrincipal(vault)))
    if (isRevoked) return { standing: 'revoked', verdict }
    return { standing: root === undefined ? 'none' : 'replaced' }
  }

  /** A text that is another one whenever keys were replaced, or anything was revoked. */
  async print(options: AbortOptions = {}): Promise<string> {
    return (await this.#now(options)).print
  }

  async keys(options: AbortOptions = {}): Promise<KeyState> {
    return (await this.#now(options)).keys
  }

  /** What was revoked here. */
  async revocations(options: AbortOptions = {}): Promise<KeptRevocations> {
    return (await this.#now(options)).kept
  }

  /** What was validated here. */
  async validations(options: AbortOptions = {}): Promise<KeptValidations> {
    return (await this.#now(options)).validations
  }

  /** What whoever decides here goes by: the vault holds everything on itself, and may revoke any of it. */
  async circumstances(options: AbortOptions = {}): Promise<Circumstances> {
    return { ...(await this.#now(options)).circumstances, now: this.parts.clock() }
  }

  /** All certificates by whom they grant to: those of the vault, and that of the place. */
  async index(options: AbortOptions = {}): Promise<CertificateIndex> {
    const root = await this.rootCertificate(options)
    const texts = new Set(root === undefined ? [] : indexTexts(openCapCert(root).record.subject))
    const { certificates } = this
    return {
      async *naming(text, abort) {
        if (root !== undefined && texts.has(text)) yield root
        yield* certificates.naming(text, abort)
      },
    }
  }

  /** Whether these keys may do it, with the chain; and where not, the one that comes nearest. `as`: by what was granted to this one, if that is enough. */
  async ask(
    keys: Iterable<KeyId>,
    wish: Wish,
    { as, ...options }: AbortOptions & { readonly as?: Principal } = {},
  ): Promise<Judged> {
    const question = { action: wish.action, tag: this.tagOf(wish), voices: knownVoices(keys) }
    const [circumstances, index] = [await this.circumstances(options), await this.index(options)]
    if (as !== undefined) {
      const own = await answer(question, grantingTo(as, question.voices.claimed, index), circumstances, options)
      if (own.verdict.ok) return own
    }
    return await verdictOn(question, index, circumstances, options)
  }

  /** What comes of everything that was granted here; with `place`, also what the place has by its root certificate, which no other place has. */
  async view({ place = false, ...options }: AbortOptions & { readonly place?: boolean } = {}): Promise<AuthorityView> {
    const certificates = await Array.fromAsync(this.certificates.all(options))
    const root = place ? await this.rootCertificate(options) : undefined
    return {
      ...(await this.circumstances(options)),
      certificates: root === undefined ? certificates : [root, ...certificates],
    }
  }

  /**
   * What becomes of everything that was granted when this key event counts and the vault is at another place: what the present one
   * has by its root certificate ends with that, and is not counted. Throws what `followKeyState` does, and `CAPS_LIMIT`.
   */
  async diffAfter(event: Envelope, options: AbortOptions = {}): Promise<AuthorityDiff> {
    const view = await this.view(options)
    const search = Math.max(LEAST_JUDGED, JUDGED_FOR_ONE * [...view.certificates].length)
    const granted = { ...view, limits: { search } }
    const root = await this.rootCertificate(options)
    const { keys, kept, validations } = await this.#now(options)
    const before = root === undefined ? granted : { ...granted, certificates: [root, ...granted.certificates] }
    const after = { ...granted, ...this.#judging(followKeyState(keys, event), kept, validations) }
    const { lost, ...diff } = diffAuthority(before, after)
    const own = root && openCapCert(root).id
    return { ...diff, lost: lost.filter(({ chain }) => chain.length > 1 || chain[0] !== own) }
  }

  /** Everybody who may do this here, with the operators of the vault and the key of the place. */
  async whoCan(wish: Wish, options: AbortOptions = {}): Promise<readonly HeldAuthority[]> {
    const asked = { action: wish.action, tag: this.tagOf(wish) }
    return whoCan(asked, await this.view({ ...options, place: true }))
  }

  /** What these keys may do here, alone and with others. */
  async whatCan(keys: Iterable<KeyId>, options: AbortOptions = {}): Promise<KeysAuthority> {
    return whatCan(keys, await this.view({ ...options, place: true }))
  }

  /** Everything that was granted here, also what does not count, from the vault on. */
  async trees(options: AbortOptions = {}): Promise<AuthorityTrees> {
    return authorityTrees(await this.view({ ...options, place: true }))
  }

  /** Whether these keys are called by a name: it is to them as a root is, and nothing is granted on. */
  async isCalled(keys: Iterable<KeyId>, name: Principal, options: AbortOptions = {}): Promise<boolean> {
    if (!isName(name)) return false
    const { vault } = this.parts
    const tag = this.tagOf({ action: 'read' })
    const roots = [{ ...rootOf(vault, 'none'), subject: name, delegate: false }]
    const circumstances = { ...(await this.circumstances(options)), roots }
    const question = { action: 'read', tag, voices: knownVoices(keys) }
    return (await answer(question, await this.index(options), circumstances, options)).verdict.ok
  }

  /** What is asked, as certificates say it. */
  tagOf({ action, object = this.parts.vault, path = [] }: Wish): Tag {
    return askedTag(action, { path: [object, ...path] })
  }

  /** Whether this is the vault itself, for which its operators sign. */
  isVault(principal: Principal): boolean {
    return principalText(principal) === principalText(vaultPrincipal(this.parts.vault))
  }

  async #rootRecord(options?: AbortOptions): ReturnType<typeof readRootCertificate> {
    const { place, vault } = this.parts
    return await readRootCertificate(place.soups.records, { vault, place: place.info.key }, options)
  }

  async #now(options: AbortOptions): Promise<Known> {
    const { vault, place, soup } = this.parts
    const { state, epoch, sequence, events, migration } = await soup.tenure(options)
    const standing = [state, epoch, sequence, events, migration].join(' ')
    if (this.#known?.standing === standing) return this.#known
    const keys = await keyStateAt({ store: place.soups }, vault, options)
    const revocations = await keptUnder(soup, REVOCATION_PREFIX, keptRevocation, options)
    const sets = await keptUnder(soup, SET_PREFIX, keptRevocationSet, options)
    const validations = await keptUnder(soup, VALIDATION_PREFIX, keptValidation, options)
    // An entry of these is replaced by a later one.
    const validated = [...validations].map(([key, each]) => `${key} ${each?.id}`)
    const print = [keys.head, ...revocations.keys(), ...sets.keys(), ...validated].join(' ')
    if (this.#known?.print === print) {
      this.#known = { ...this.#known, standing }
      return this.#known
    }
    const circumstances = this.#judging(keys, { revocations, sets }, validations)
    this.#known = {
      standing,
      print,
      keys,
      circumstances,
      kept: { revocations, sets, view: circumstances.revocations },
      validations,
    }
    return this.#known
  }

  /** How authority is judged under these keys. */
  #judging(
    keys: KeyState,
    { revocations, sets }: Omit<KeptRevocations, 'view'>,
    validations: KeptValidations,
  ): Known['circumstances'] & { readonly revocations: RevocationView } {
    const directory = createKeyDirectory([keys], ({ certificate, vault: whose, seq }) =>
      this.#isAnchored(certificate, whose, seq),
    )
    const view = revocationsIn({ vault: keys.vault, revocations, sets, keys: directory })
    const { freshness = {} } = this.parts
    // Who has once said that nothing else was revoked must go on saying it: from then on silence refuses.
    const roots = [rootOf(keys.vault, sets.size > 0 ? vaultPrincipal(keys.vault) : 'none')]
    const validated = createValidationView({
      validations: [...validations.values()].flatMap((each) => each?.envelope ?? []),
      keys: directory,
    })
    return { roots, keys: directory, revocations: view, validations: validated, freshness, memo: this.#memo }
  }

  #isAnchored(certificate: ContentId, whose: ContentId, seq: number): boolean {
    return whose === this.parts.vault && this.certificates.isBefore(certificate, seq)
  }
}

function rootOf(vault: VaultId, revocations: Root['revocations']): Root {
  const tag = vaultTag({ actions: '*', object: vault })
  return { name: 'vault', subject: vaultPrincipal(vault), tag, delegate: true, revocations }
}
