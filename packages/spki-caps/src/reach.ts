import type { ContentId } from '@vault/core'
import type { NameWay } from './name-link.ts'
import { withWay } from './name-link.ts'
import type { OpenProofCert } from './proof-cert.ts'
import type { Said, Way } from './speak.ts'

/** How a principal came to speak: by a certificate that it issued, or that says who is called so. */
export interface Reach extends Way, Partial<Pick<NameWay, 'of' | 'by'>> {
  /** So many certificates that grant before those who ask. */
  readonly hops: number
  /** So many certificates in a row, with those that name. */
  readonly length: number
  readonly cert: OpenProofCert
  /** How those came to speak whom it grants to, or names. */
  readonly via: readonly Reach[]
}

const NO_WAYS: readonly Reach[] = []

/** Who was reached, and how. */
export class Reached {
  readonly #byText = new Map<string, readonly Reach[]>()

  has(text: string): boolean {
    return this.#byText.has(text)
  }

  /** By at most so many certificates that grant. */
  within(text: string, hops: number): readonly Reach[] {
    const ways = this.#byText.get(text)
    return ways === undefined ? NO_WAYS : ways.filter((reach) => reach.hops <= hops)
  }

  /** Whoever is reached first is reached by the fewest certificates. */
  addFirst(text: string, reach: Reach): void {
    if (!this.#byText.has(text)) this.#byText.set(text, [reach])
  }

  /** A name is reached by all who are called so. Says whether this one is reached by other keys than those before. */
  addName(text: string, reach: Reach): boolean {
    if (!this.isNew(text, reach)) return false
    this.#byText.set(text, withWay(this.#byText.get(text) ?? [], reach))
    return true
  }

  isNew(text: string, way: Way): boolean {
    const known: readonly Way[] = this.#byText.get(text) ?? []
    return withWay(known, way) !== known
  }
}

/** The longest row of certificates that is behind a way. */
export function lengthOf({ through }: Pick<Said<Reach>, 'through'>): number {
  return Math.max(0, ...through.map(({ length }) => length))
}

/** Whether a certificate is behind a way already: in a proof it stands once, so it is none that goes before itself. */
export function isBehind(id: ContentId, { through }: Pick<Said<Reach>, 'through'>): boolean {
  const seen = new Set<Reach>()
  const waiting = [...through]
  for (let reach = waiting.pop(); reach !== undefined; reach = waiting.pop()) {
    if (reach.cert.id === id) return true
    if (!seen.has(reach)) waiting.push(...reach.via)
    seen.add(reach)
  }
  return false
}

/** The certificates by which something was said, those furthest from whoever asks first: each after those that it goes on from. */
export function proofOf({ through }: Said<Reach>): readonly OpenProofCert[] {
  const nodes = new Map<ContentId, { readonly cert: OpenProofCert; readonly reaches: Set<Reach> }>()
  const waiting = [...through]
  for (let reach = waiting.shift(); reach !== undefined; reach = waiting.shift()) {
    const { cert, via } = reach
    const known = nodes.get(cert.id)
    if (known?.reaches.has(reach) === true) continue
    if (known === undefined) nodes.set(cert.id, { cert, reaches: new Set([reach]) })
    else known.reaches.add(reach)
    waiting.push(...via)
  }
  // One that names stands in a row as often as there are people behind it: it comes before all of them.
  const ranks = new Map<ContentId, number>()
  const rankOf = (id: ContentId): number => {
    const known = ranks.get(id)
    if (known !== undefined) return known
    ranks.set(id, 0)
    const next = [...(nodes.get(id)?.reaches ?? [])].flatMap(({ via }) => via.map(({ cert }) => rankOf(cert.id)))
    const rank = 1 + Math.max(0, ...next)
    ranks.set(id, rank)
    return rank
  }
  const proof = [...nodes.values()].map(({ cert }) => ({ cert, rank: rankOf(cert.id) }))
  return proof.sort((a, b) => b.rank - a.rank).map(({ cert }) => cert)
}
