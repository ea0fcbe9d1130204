import type { AbortOptions, ContentId, KeyId } from '@vault/core'
import type { Upstream } from './above.ts'
import type { OpenCapCert } from './cap-cert.ts'
import type { CertificateIndex } from './certificate-index.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity, unrevoked } from './check-cert.ts'
import { checkValidation } from './check-validation.ts'
import type { Circumstances } from './circumstances.ts'
import { operatorsOf } from './key-directory.ts'
import type { CapsLimits } from './limits.ts'
import { withDefaults } from './limits.ts'
import { covers } from './meet.ts'
import { withWay } from './name-link.ts'
import { NameSearch } from './name-search.ts'
import type { Principal } from './principal.ts'
import { issuingTexts, isThreshold, isVault, principalText, vaultPrincipal } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert } from './proof-cert.ts'
import type { Asked, Question } from './question.ts'
import type { Reach } from './reach.ts'
import { lengthOf, proofOf, Reached } from './reach.ts'
import type { Reading } from './reading.ts'
import { IndexReader } from './reading.ts'
import type { Root } from './root.ts'
import { SearchBudget } from './search-budget.ts'
import type { Hearing, Said } from './speak.ts'
import { speak } from './speak.ts'

/** What a search goes by beside the question. */
export interface SearchParts extends Pick<Circumstances, 'keys' | 'revocations' | 'validations' | 'now' | 'memo'> {
  readonly roots: readonly Root[]
  /** Who may revoke whatever leads to a root: what they revoked is not tried. */
  readonly keepers: Upstream
  /** Certificates that are not to be used. */
  readonly without: ReadonlySet<ContentId>
  readonly limits: Required<CapsLimits>
  readonly budget: Pick<SearchBudget, 'see' | 'open'>
}

/**
 * A proof for this question with as few certificates in a row as there can be, or `undefined`. What somebody above in the chain has revoked,
 * who is not above in all, it may hold all the same: {@link answer} looks for another one then. Throws `CAPS_LIMIT` where there are too many.
 */
export async function findChain(
  question: Question,
  index: CertificateIndex,
  circumstances: Circumstances,
  options: AbortOptions = {},
): Promise<readonly OpenProofCert[] | undefined> {
  const limits = withDefaults(circumstances.limits)
  const budget = new SearchBudget(limits)
  const keepers = commonKeepers(circumstances.roots)
  const parts = { ...circumstances, keepers, without: new Set<ContentId>(), limits, budget }
  const found = await new IndexReader(index, options).run(searchChain(question, parts), budget.mostSeen)
  return found && proofOf(found)
}

/** Those who may revoke in every chain, at whichever root it begins: who keeps its revocations. */
export function commonKeepers(roots: readonly Root[]): ReadonlySet<string> {
  const [first, ...others] = roots.map(
    ({ revocations }) => new Set(revocations === 'none' ? [] : [principalText(revocations)]),
  )
  return others.reduce((common, each) => common.intersection(each), first ?? new Set())
}

/**
 * How a root comes to speak, by as few certificates in a row as there can be.
 *
 * It goes from those who ask towards the roots. Because a chain grants what all of its certificates grant, one that does
 * not cover the question is of no use in any chain; so each is looked at by itself, and no tags are intersected. Who is
 * reached first is reached by the fewest certificates, which is best for every bound on their number; a threshold is
 * reached when enough of its members are, and a name when one is who is called so, which takes no certificate of that number.
 * Each certificate is verified once: time grows with the number of those that name somebody who is reached. Circles are walked
 * once. Throws `CAPS_LIMIT` where there are too many.
 */
export function searchChain(question: Asked, parts: SearchParts): Reading<Said<Reach> | undefined> {
  return new Search(question, parts).run()
}

class Search {
  readonly #question: Asked
  readonly #parts: SearchParts
  readonly #reached = new Reached()
  readonly #names: NameSearch
  readonly #usable = new Map<ContentId, readonly KeyId[]>()
  readonly #done: Set<ContentId>

  constructor(question: Asked, parts: SearchParts) {
    this.#question = question
    this.#parts = parts
    this.#done = new Set(parts.without)
    this.#names = new NameSearch({
      reached: this.#reached,
      longest: parts.limits.certificates,
      read: (text) => this.#read(text),
      verify: (cert) => this.#verify(cert),
    })
  }

  *run(): Reading<Said<Reach> | undefined> {
    const { limits } = this.#parts
    const roots = this.#parts.roots.filter((root) => this.#mayBegin(root))
    let texts = this.#firstTexts()
    for (let hops = 0; texts.length > 0 && hops <= limits.depth; hops++) {
      const spoken = this.#spokenAt(roots, hops)
      if (spoken !== undefined) return spoken
      const found = new Map<string, readonly Reach[]>()
      let isNamed = false
      while (texts.length > 0) {
        for (const text of texts) yield* this.#look(text, hops, found)
        texts = yield* this.#names.advance(texts, hops, this.#hearing(hops))
        isNamed ||= texts.length > 0
      }
      const named = isNamed ? this.#spokenAt(roots, hops) : undefined
      if (named !== undefined) return named
      texts = [...found].flatMap(([text, ways]) => (this.#reached.addAll(text, ways) ? [text] : []))
    }
    return undefined
  }

  /** Finds the issuers of all certificates that grant to the one with this text, and keeps those that name it. */
  *#look(text: string, hops: number, found: Map<string, readonly Reach[]>): Reading<void> {
    const hearing = this.#hearing(hops)
    for (const cert of yield* this.#granting(text)) {
      const keys = this.#keysOf(cert, found)
      if (keys === undefined) continue
      const spoken = speak(cert.record.subject, hearing)
      if (!spoken.ok) continue
      this.#done.add(cert.id)
      const { issuer, delegate, depth } = cert.record
      if (hops > (delegate ? (depth ?? hops) : 0)) continue
      const already = speak(issuer, hearing)
      if (already.ok) {
        // Who signs alone speaks by no other keys than his own.
        if (!isOfSeveral(issuer)) continue
        const { keys, through: via } = already
        this.#reached.add(principalText(issuer), { keys, hops, length: lengthOf(already), via })
      }
      const reach = { hops: hops + 1, length: 1 + lengthOf(spoken), cert, keys, via: spoken.through }
      for (const text of issuingTexts(issuer)) found.set(text, withWay(found.get(text) ?? [], reach))
    }
    this.#names.looked(text)
  }

  /** Those that grant to the one with this text. Of several that would do the first is used, which is the one that is valid longest. */
  *#granting(text: string): Reading<readonly OpenCapCert[]> {
    const certs = new Map<ContentId, OpenCapCert>()
    for (const cert of yield* this.#read(text)) {
      if (isNameCert(cert)) this.#names.note(text, cert)
      else certs.set(cert.id, cert)
    }
    return [...certs.values()].sort(longestFirst)
  }

  *#read(text: string): Reading<readonly OpenProofCert[]> {
    const certs: OpenProofCert[] = []
    for (const cert of yield text) {
      this.#parts.budget.see()
      if (cert !== undefined && !this.#done.has(cert.id)) certs.push(cert)
    }
    return certs
  }

  /** By whom a certificate is signed that can be used for this question, if those to whom it grants speak. */
  #keysOf(cert: OpenCapCert, found: ReadonlyMap<string, readonly Reach[]>): readonly KeyId[] | undefined {
    // One key that grants to somebody ten thousand times is reached by the first that holds, and the others are not verified.
    const { issuer, tag } = cert.record
    const isReached = typeof issuer === 'string' && (found.has(issuer) || this.#reached.has(issuer))
    if (isReached && !this.#usable.has(cert.id)) return undefined
    return this.#verify(cert, () => covers(tag, this.#question.tag) && this.#isValidated(cert))
  }

  #isValidated(cert: OpenCapCert): boolean {
    const asked = { upstream: this.#parts.keepers, request: this.#question.id }
    return !('code' in checkValidation(cert, this.#circumstances, asked).outcome)
  }

  /** The keys by which it is signed as its issuer; `undefined` where it does not hold by itself. */
  #verify(cert: OpenProofCert, isOfUse: () => boolean = () => true): readonly KeyId[] | undefined {
    const known = this.#usable.get(cert.id)
    if (known !== undefined || this.#done.has(cert.id)) return known
    const { budget, keepers, limits } = this.#parts
    budget.open()
    const circumstances = this.#circumstances
    const isGood =
      cert.envelope.signatures.length <= limits.signatures &&
      isOfUse() &&
      [
        () => checkValidity(cert, circumstances.now),
        () => checkEpoch(cert, circumstances),
        () => checkRevocation(cert, circumstances, keepers),
      ].every((check) => !('code' in check()))
    const signed = isGood ? checkSignature(cert, circumstances, keepers) : undefined
    if (signed === undefined || 'code' in signed.outcome) {
      this.#done.add(cert.id)
      return undefined
    }
    this.#usable.set(cert.id, signed.keys)
    return signed.keys
  }

  #firstTexts(): readonly string[] {
    const { keys } = this.#parts
    const { voices, spoken } = this.#question
    const hearing = this.#hearing(0)
    const speaking = [...new Set(voices.claimed)].filter((key) => hearing.voices.has(key))
    const vaults = new Set(speaking.flatMap((key) => [...keys.vaultsOf(key)]))
    for (const [text, ways] of spoken ?? [])
      this.#reached.addAll(
        text,
        ways.map((way) => ({ ...way, hops: 0, length: 0, via: [] })),
      )
    return [
      ...(spoken?.keys() ?? []),
      ...speaking.flatMap(issuingTexts),
      ...[...vaults]
        .map(vaultPrincipal)
        .filter((vault) => speak(vault, hearing).ok)
        .map(principalText),
    ]
  }

  #mayBegin({ tag, expires }: Root): boolean {
    return covers(tag, this.#question.tag) && (expires === undefined || this.#parts.now < expires)
  }

  /** Who speaks by at most so many certificates. */
  #hearing(hops: number): Hearing<Reach> {
    const { keepers, keys } = this.#parts
    return {
      voices: unrevoked(this.#question.voices, this.#circumstances, keepers),
      operators: (vault) => operatorsOf(keys, vault),
      granted: (text) => this.#reached.within(text, hops),
    }
  }

  /** How a root speaks. */
  #spokenAt(roots: readonly Root[], hops: number): Said<Reach> | undefined {
    const hearing = this.#hearing(hops)
    for (const root of roots) {
      const spoken = hops <= furthest(root, this.#parts.limits.depth) ? speak(root.subject, hearing) : undefined
      if (spoken?.ok === true) return spoken
    }
    return undefined
  }

  get #circumstances(): Circumstances {
    return this.#parts
  }
}

function longestFirst({ record: a }: OpenCapCert, { record: b }: OpenCapCert): number {
  return (b.expires ?? Number.MAX_SAFE_INTEGER) - (a.expires ?? Number.MAX_SAFE_INTEGER)
}

/** Whether some may sign for it, or others: so it may speak by these keys, or by those. */
function isOfSeveral(issuer: Principal): boolean {
  return isThreshold(issuer) || isVault(issuer)
}

function furthest({ delegate, depth }: Root, limit: number): number {
  return delegate ? (depth ?? limit) : 0
}
