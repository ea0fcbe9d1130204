import type { KeyId } from '@vault/core'
import { FollowedNames } from './followed-names.ts'
import type { OpenNameCert } from './name-cert.ts'
import { subjectsBehind, wayByName } from './name-link.ts'
import type { NamePrincipal } from './principal.ts'
import { isName, principalText, withNames } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert } from './proof-cert.ts'
import type { Reach, Reached } from './reach.ts'
import { isBehind, lengthOf } from './reach.ts'
import type { Reading } from './reading.ts'
import type { Hearing } from './speak.ts'
import { waysOf } from './speak.ts'

/** What a search for names needs of the one for grants, which it is a part of. */
interface NameSearchParts {
  readonly reached: Reached
  /** Certificates in a row. */
  readonly longest: number
  /** The certificates with this subject, or in whose subject it has a part. */
  read(text: string): Reading<readonly OpenProofCert[]>
  /** The keys that signed a certificate which holds by itself. */
  verify(cert: OpenProofCert): readonly KeyId[] | undefined
}

/** Most certificates lead nowhere new; so many are looked at for all names together. */
const MAX_STEPS = 65_536

/**
 * From whoever was reached to the names by which he is called: by a certificate that names him, and, where he was reached by a name, by
 * one that names whose name it is, with the rest of it behind. Of the names of one key or vault the first 256 are reached, so whoever
 * gives many names keeps nobody from those of others.
 */
export class NameSearch {
  readonly #parts: NameSearchParts
  readonly #reachedNames = new Map<string, NamePrincipal>()
  readonly #followed = new FollowedNames()
  #steps = 0
  /** Name certificates by the texts of their subjects, as far as those were read. */
  readonly #naming = new Map<string, OpenNameCert[]>()
  readonly #read = new Set<string>()

  constructor(parts: NameSearchParts) {
    this.#parts = parts
  }

  /** Keeps a certificate that was read with the others of a text. */
  note(text: string, cert: OpenNameCert): void {
    const known = this.#naming.get(text)
    if (known === undefined) this.#naming.set(text, [cert])
    else if (!this.#read.has(text)) known.push(cert)
  }

  /** All certificates of a text were read. */
  looked(text: string): void {
    this.#read.add(text)
  }

  /** One step on from these texts: the texts of the names that are reached, or by other keys than before. */
  *advance(texts: readonly string[], hops: number, hearing: Hearing<Reach>): Reading<readonly string[]> {
    const gained = new Set<string>()
    for (const text of texts) {
      const name = this.#reachedNames.get(text)
      for (const { text: subject, rest } of name === undefined ? [{ text, rest: [] }] : subjectsBehind(name)) {
        for (const cert of yield* this.#certsNaming(subject)) {
          // Then what those say grants nothing; whoever has a grant without it keeps that.
          if (++this.#steps > MAX_STEPS) return [...gained]
          // What has a part in a threshold is not called so by itself.
          if (rest.length > 0 && principalText(cert.record.subject) !== subject) continue
          const reached = this.#reach(cert, rest, hops, hearing)
          if (reached !== undefined) gained.add(reached)
        }
      }
    }
    return [...gained]
  }

  /** Reaches the name that a certificate defines, with these behind it. Gives its text where that is something new. */
  #reach(cert: OpenNameCert, rest: readonly string[], hops: number, hearing: Hearing<Reach>): string | undefined {
    const { issuer, name: word, subject } = cert.record
    const name = withNames(issuer, [word, ...rest])
    const into = withNames(subject, rest)
    if (name === undefined || !isName(name) || into === undefined) return undefined
    const text = principalText(name)
    if (!this.#followed.admits(name)) return undefined
    let isNew = false
    for (const said of waysOf(into, hearing)) {
      const length = 1 + lengthOf(said)
      // Most are known already, so it is verified only where it leads somewhere.
      if (length > this.#parts.longest || !this.#parts.reached.isNew(text, wayByName(cert, [], said))) continue
      if (isBehind(cert.id, said)) continue
      const by = this.#parts.verify(cert)
      if (by === undefined) return undefined
      const reach = { ...wayByName(cert, by, said), hops, length, cert, via: said.through }
      isNew = this.#parts.reached.add(text, reach) || isNew
    }
    if (!isNew) return undefined
    this.#followed.add(name)
    this.#reachedNames.set(text, name)
    return text
  }

  *#certsNaming(text: string): Reading<readonly OpenNameCert[]> {
    if (!this.#read.has(text)) {
      this.#naming.delete(text)
      for (const cert of yield* this.#parts.read(text)) if (isNameCert(cert)) this.note(text, cert)
      this.looked(text)
    }
    return this.#naming.get(text) ?? []
  }
}
