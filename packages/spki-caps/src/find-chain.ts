import type { AbortOptions, ContentId, Envelope, KeyId } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { tryOpenCapCert } from './cap-cert.ts'
import type { CertificateIndex } from './certificate-index.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity, unrevoked } from './check-cert.ts'
import { checkValidation } from './check-validation.ts'
import type { Circumstances } from './circumstances.ts'
import { limitReached } from './error.ts'
import { operatorsOf } from './key-directory.ts'
import { withDefaults } from './limits.ts'
import { covers } from './meet.ts'
import type { Principal } from './principal.ts'
import { issuingTexts, principalText, vaultPrincipal } from './principal.ts'
import type { Question } from './question.ts'
import type { Root } from './root.ts'
import type { Hearing } from './speak.ts'
import { speak } from './speak.ts'

// Reading a certificate takes a small part of the time that verifying one takes.
const SEEN_FOR_ONE = 16

/** How a principal came to speak: by a certificate that it issued, so many certificates before those who ask. */
interface Reach {
  readonly hops: number
  readonly cert: OpenCapCert
  readonly keys: readonly KeyId[]
}

/**
 * A proof for this question with as few certificates in a row as there can be, or `undefined`.
 *
 * It goes from those who ask towards the roots. Because a chain grants what all of its certificates grant, one that does
 * not cover the question is of no use in any chain; so each is looked at by itself, and no tags are intersected. Who is
 * reached first is reached by the fewest certificates, which is best for every bound on their number; a threshold is
 * reached when enough of its members are. Each certificate is verified once: time grows with the number of those that
 * name somebody who is reached. Circles are walked once. Throws `CAPS_LIMIT` where there are too many.
 */
export async function findChain(
  question: Question,
  index: CertificateIndex,
  circumstances: Circumstances,
  options: AbortOptions & {
    /** Certificates that are not to be used. */
    readonly without?: ReadonlySet<ContentId>
  } = {},
): Promise<readonly OpenCapCert[] | undefined> {
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
  readonly #reached = new Map<string, Reach>()
  readonly #usable = new Map<ContentId, readonly KeyId[]>()
  readonly #done: Set<ContentId>
  /** Verified, and read at all. */
  #opened = 0
  #seen = 0

  constructor(
    question: Question,
    index: CertificateIndex,
    circumstances: Circumstances,
    { without = [], ...options }: AbortOptions & { readonly without?: Iterable<ContentId> },
  ) {
    this.#question = question
    this.#index = index
    this.#circumstances = circumstances
    this.#options = options
    this.#limits = withDefaults(circumstances.limits)
    this.#done = new Set(without)
    this.#keepers = commonKeepers(circumstances.roots)
  }

  async run(): Promise<readonly OpenCapCert[] | undefined> {
    const roots = this.#circumstances.roots.filter((root) => this.#mayBegin(root))
    let texts = this.#firstTexts()
    for (let hops = 0; texts.length > 0 && hops <= this.#limits.depth; hops++) {
      const hearing = this.#hearing(hops)
      const root = roots.find((each) => hops <= furthest(each, this.#limits.depth) && speak(each.subject, hearing).ok)
      if (root !== undefined) return this.#proofFor(root.subject, hops)
      texts = await this.#advance(texts, hops, hearing)
    }
    return undefined
  }

  /** Reaches the issuers of all certificates that grant to one of these; gives the texts of those that are new. */
  async #advance(texts: readonly string[], hops: number, hearing: Hearing): Promise<readonly string[]> {
    const found = new Map<string, Reach>()
    for (const text of texts) {
      for await (const envelope of this.#index.naming(text, this.#options)) {
        this.#options.signal?.throwIfAborted()
        const cert = this.#open(envelope, found)
        if (cert === undefined || !speak(cert.record.subject, hearing).ok) continue
        this.#done.add(cert.id)
        const { issuer, delegate, depth } = cert.record
        if (hops > (delegate ? (depth ?? hops) : 0) || speak(issuer, hearing).ok) continue
        const keys = this.#usable.get(cert.id) as readonly KeyId[]
        for (const issuing of issuingTexts(issuer)) {
          if (!found.has(issuing)) found.set(issuing, { hops: hops + 1, cert, keys })
        }
      }
    }
    for (const [text, reach] of found) if (!this.#reached.has(text)) this.#reached.set(text, reach)
    return [...found.keys()]
  }

  /** A certificate that can be used for this question, if those to whom it grants speak. */
  #open(envelope: Envelope, found: ReadonlyMap<string, Reach>): OpenCapCert | undefined {
    const { search } = this.#limits
    if (++this.#seen > search * SEEN_FOR_ONE) throw limitReached('certificates to pass over', search * SEEN_FOR_ONE)
    const cert = tryOpenCapCert(envelope)
    if (cert === undefined || this.#done.has(cert.id)) return undefined
    if (this.#usable.has(cert.id)) return cert
    // One key that grants to somebody ten thousand times is reached by the first that holds, and the others are not verified.
    const { issuer } = cert.record
    if (typeof issuer === 'string' && (found.has(issuer) || this.#reached.has(issuer))) return undefined
    if (++this.#opened > search) throw limitReached('certificates to look through', search)
    const circumstances = this.#circumstances
    const isGood =
      envelope.signatures.length <= this.#limits.signatures &&
      covers(cert.record.tag, this.#question.tag) &&
      [
        () => checkValidity(cert, circumstances.now),
        () => checkEpoch(cert, circumstances),
        () => checkRevocation(cert, circumstances, this.#keepers),
        () => checkValidation(cert, circumstances, { upstream: this.#keepers, request: this.#question.id }).outcome,
      ].every((check) => !('code' in check()))
    const signed = isGood ? checkSignature(cert, circumstances, this.#keepers) : undefined
    if (signed === undefined || 'code' in signed.outcome) {
      this.#done.add(cert.id)
      return undefined
    }
    this.#usable.set(cert.id, signed.keys)
    return cert
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
  #hearing(hops: number): Hearing {
    return {
      voices: unrevoked(this.#question.voices, this.#circumstances, this.#keepers),
      operators: (vault) => operatorsOf(this.#circumstances.keys, vault),
      granted: (text) => {
        const reach = this.#reached.get(text)
        return reach !== undefined && reach.hops <= hops ? reach.keys : undefined
      },
    }
  }

  /** The certificates by which this principal speaks, those of the furthest issuers first: each after its own parents. */
  #proofFor(root: Principal, hops: number): readonly OpenCapCert[] {
    const needed = new Map<ContentId, Reach>()
    const visit = (principal: Principal, within: number): void => {
      const spoken = speak(principal, this.#hearing(within))
      if (!spoken.ok) return
      for (const text of spoken.through) {
        const reach = this.#reached.get(text) as Reach
        if (needed.has(reach.cert.id)) continue
        needed.set(reach.cert.id, reach)
        visit(reach.cert.record.subject, reach.hops - 1)
      }
    }
    visit(root, hops)
    return [...needed.values()].sort((a, b) => b.hops - a.hops).map(({ cert }) => cert)
  }
}

function furthest({ delegate, depth }: Root, limit: number): number {
  return delegate ? (depth ?? limit) : 0
}

function commonKeepers(roots: readonly Root[]): ReadonlySet<string> {
  const [first, ...others] = roots.map(({ revocations }) => (revocations === 'none' ? '' : principalText(revocations)))
  return new Set(first !== undefined && first !== '' && others.every((other) => other === first) ? [first] : [])
}
