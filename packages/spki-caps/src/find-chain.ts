import type { AbortOptions, ContentId, KeyId } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import type { CertificateIndex } from './certificate-index.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity, unrevoked } from './check-cert.ts'
import { checkValidation } from './check-validation.ts'
import type { Circumstances } from './circumstances.ts'
import { limitReached } from './error.ts'
import { operatorsOf } from './key-directory.ts'
import { withDefaults } from './limits.ts'
import { covers } from './meet.ts'
import { NameSearch } from './name-search.ts'
import { issuingTexts, principalText, vaultPrincipal } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert, tryOpenProofCert } from './proof-cert.ts'
import type { Question } from './question.ts'
import type { Reach } from './reach.ts'
import { lengthOf, proofOf, Reached } from './reach.ts'
import type { Root } from './root.ts'
import type { Hearing } from './speak.ts'
import { speak } from './speak.ts'

// Reading a certificate takes a small part of the time that verifying one takes.
const SEEN_FOR_ONE = 16

/**
 * A proof for this question with as few certificates in a row as there can be, or `undefined`.
 *
 * It goes from those who ask towards the roots. Because a chain grants what all of its certificates grant, one that does
 * not cover the question is of no use in any chain; so each is looked at by itself, and no tags are intersected. Who is
 * reached first is reached by the fewest certificates, which is best for every bound on their number; a threshold is
 * reached when enough of its members are, and a name when one is who is called so, which takes no certificate of that number.
 * Each certificate is verified once: time grows with the number of those that name somebody who is reached. Circles are walked
 * once. Throws `CAPS_LIMIT` where there are too many.
 */
export async function findChain(
  question: Question,
  index: CertificateIndex,
  circumstances: Circumstances,
  options: AbortOptions & {
    /** Certificates that are not to be used. */
    readonly without?: ReadonlySet<ContentId>
    /** Leaves out what the subject of the root has revoked, where all roots have one. Default: a chain that shows who did it is found, too. */
    readonly unrevoked?: boolean
  } = {},
): Promise<readonly OpenProofCert[] | undefined> {
  return await new Search(question, index, circumstances, options).run()
}

class Search {
  readonly #question: Question
  readonly #index: CertificateIndex
  readonly #circumstances: Circumstances
  readonly #options: AbortOptions
  readonly #limits: ReturnType<typeof withDefaults>
  /** Who may revoke whatever the root, so that what they revoked is not tried. */
  readonly #keepers: ReadonlySet<string>
  readonly #reached = new Reached()
  readonly #names: NameSearch
  readonly #usable = new Map<ContentId, readonly KeyId[]>()
  readonly #done: Set<ContentId>
  /** Verified, and read at all. */
  #opened = 0
  #seen = 0

  constructor(
    question: Question,
    index: CertificateIndex,
    circumstances: Circumstances,
    {
      without = [],
      unrevoked: isUnrevoked = false,
      ...options
    }: AbortOptions & { readonly without?: Iterable<ContentId>; readonly unrevoked?: boolean },
  ) {
    this.#question = question
    this.#index = index
    this.#circumstances = circumstances
    this.#options = options
    this.#limits = withDefaults(circumstances.limits)
    this.#done = new Set(without)
    this.#keepers = commonKeepers(circumstances.roots, isUnrevoked)
    this.#names = new NameSearch({
      reached: this.#reached,
      longest: this.#limits.certificates,
      read: (text) => this.#read(text),
      verify: (cert) => this.#verify(cert),
    })
  }

  async run(): Promise<readonly OpenProofCert[] | undefined> {
    const roots = this.#circumstances.roots.filter((root) => this.#mayBegin(root))
    let texts = this.#firstTexts()
    for (let hops = 0; texts.length > 0 && hops <= this.#limits.depth; hops++) {
      const proof = this.#proofFor(roots, hops)
      if (proof !== undefined) return proof
      const found = new Map<string, Reach>()
      let isNamed = false
      while (texts.length > 0) {
        for (const text of texts) await this.#look(text, hops, found)
        texts = await this.#names.advance(texts, hops, this.#hearing(hops))
        isNamed ||= texts.length > 0
      }
      const named = isNamed ? this.#proofFor(roots, hops) : undefined
      if (named !== undefined) return named
      for (const [text, reach] of found) this.#reached.addFirst(text, reach)
      texts = [...found.keys()]
    }
    return undefined
  }

  /** Finds the issuers of all certificates that grant to the one with this text, and keeps those that name it. */
  async #look(text: string, hops: number, found: Map<string, Reach>): Promise<void> {
    const hearing = this.#hearing(hops)
    for (const cert of await this.#granting(text)) {
      const keys = this.#keysOf(cert, found)
      if (keys === undefined) continue
      const spoken = speak(cert.record.subject, hearing)
      if (!spoken.ok) continue
      this.#done.add(cert.id)
      const { issuer, delegate, depth } = cert.record
      if (hops > (delegate ? (depth ?? hops) : 0) || speak(issuer, hearing).ok) continue
      const reach = { hops: hops + 1, length: 1 + lengthOf(spoken), cert, keys, via: spoken.through }
      for (const issuing of issuingTexts(issuer)) if (!found.has(issuing)) found.set(issuing, reach)
    }
    this.#names.looked(text)
  }

  /** Those that grant to the one with this text. Of several that would do the first is used, which is the one that is valid longest. */
  async #granting(text: string): Promise<readonly OpenCapCert[]> {
    const certs = new Map<ContentId, OpenCapCert>()
    for await (const cert of this.#read(text)) {
      if (isNameCert(cert)) this.#names.note(text, cert)
      else certs.set(cert.id, cert)
    }
    return [...certs.values()].sort((a, b) => endOf(b) - endOf(a))
  }

  async *#read(text: string): AsyncGenerator<OpenProofCert> {
    for await (const envelope of this.#index.naming(text, this.#options)) {
      this.#options.signal?.throwIfAborted()
      this.#spend()
      const cert = tryOpenProofCert(envelope)
      if (cert !== undefined && !this.#done.has(cert.id)) yield cert
    }
  }

  #spend(): void {
    const most = this.#limits.search * SEEN_FOR_ONE
    if (++this.#seen > most) throw limitReached('certificates to pass over', most)
  }

  /** By whom a certificate is signed that can be used for this question, if those to whom it grants speak. */
  #keysOf(cert: OpenCapCert, found: ReadonlyMap<string, Reach>): readonly KeyId[] | undefined {
    // One key that grants to somebody ten thousand times is reached by the first that holds, and the others are not verified.
    const { issuer, tag } = cert.record
    const isReached = typeof issuer === 'string' && (found.has(issuer) || this.#reached.has(issuer))
    if (isReached && !this.#usable.has(cert.id)) return undefined
    return this.#verify(cert, () => covers(tag, this.#question.tag) && this.#isValidated(cert))
  }

  #isValidated(cert: OpenCapCert): boolean {
    const asked = { upstream: this.#keepers, request: this.#question.id }
    return !('code' in checkValidation(cert, this.#circumstances, asked).outcome)
  }

  /** The keys by which it is signed as its issuer; `undefined` where it does not hold by itself. */
  #verify(cert: OpenProofCert, isOfUse: () => boolean = () => true): readonly KeyId[] | undefined {
    const known = this.#usable.get(cert.id)
    if (known !== undefined || this.#done.has(cert.id)) return known
    const { search } = this.#limits
    if (++this.#opened > search) throw limitReached('certificates to look through', search)
    const circumstances = this.#circumstances
    const isGood =
      cert.envelope.signatures.length <= this.#limits.signatures &&
      isOfUse() &&
      [
        () => checkValidity(cert, circumstances.now),
        () => checkEpoch(cert, circumstances),
        () => checkRevocation(cert, circumstances, this.#keepers),
      ].every((check) => !('code' in check()))
    const signed = isGood ? checkSignature(cert, circumstances, this.#keepers) : undefined
    if (signed === undefined || 'code' in signed.outcome) {
      this.#done.add(cert.id)
      return undefined
    }
    this.#usable.set(cert.id, signed.keys)
    return signed.keys
  }

  #firstTexts(): readonly string[] {
    const { keys } = this.#circumstances
    const hearing = this.#hearing(0)
    const speaking = [...new Set(this.#question.voices.claimed)].filter((key) => hearing.voices.has(key))
    const vaults = new Set(speaking.flatMap((key) => [...keys.vaultsOf(key)]))
    return [
      ...speaking.flatMap(issuingTexts),
      ...[...vaults]
        .map(vaultPrincipal)
        .filter((vault) => speak(vault, hearing).ok)
        .map(principalText),
    ]
  }

  #mayBegin({ tag, expires }: Root): boolean {
    return covers(tag, this.#question.tag) && (expires === undefined || this.#circumstances.now < expires)
  }

  /** Who speaks by at most so many certificates. */
  #hearing(hops: number): Hearing<Reach> {
    return {
      voices: unrevoked(this.#question.voices, this.#circumstances, this.#keepers),
      operators: (vault) => operatorsOf(this.#circumstances.keys, vault),
      granted: (text) => this.#reached.within(text, hops),
    }
  }

  /** The certificates by which a root speaks. */
  #proofFor(roots: readonly Root[], hops: number): readonly OpenProofCert[] | undefined {
    const hearing = this.#hearing(hops)
    for (const root of roots) {
      const spoken = hops <= furthest(root, this.#limits.depth) ? speak(root.subject, hearing) : undefined
      if (spoken?.ok === true) return proofOf(spoken)
    }
    return undefined
  }
}

function endOf({ record: { expires } }: OpenCapCert): number {
  return expires ?? Number.MAX_SAFE_INTEGER
}

function furthest({ delegate, depth }: Root, limit: number): number {
  return delegate ? (depth ?? limit) : 0
}

/** Those who may revoke in every chain, at whichever root it begins: who keeps its revocations and, if asked for, its subject. */
function commonKeepers(roots: readonly Root[], withSubjects: boolean): ReadonlySet<string> {
  const [first, ...others] = roots.map(({ subject, revocations }) => {
    const keeper = revocations === 'none' ? [] : [principalText(revocations)]
    return new Set([...keeper, ...(withSubjects ? [principalText(subject)] : [])])
  })
  return others.reduce((common, each) => common.intersection(each), first ?? new Set())
}
