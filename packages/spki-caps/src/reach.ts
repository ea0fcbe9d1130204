import type { ContentId } from '@vault/core'
import type { NameWay } from './name-link.ts'
import { withWay } from './name-link.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { inProofOrder } from './proof-order.ts'
import type { Said, Way } from './speak.ts'

/** How a principal came to speak: by a certificate that it issued, or that says who is called so. */
export interface Reach extends Way, Partial<Pick<NameWay, 'of' | 'by'>> {
  /** So many certificates that grant before those who ask. */
  readonly hops: number
  /** So many certificates in a row, with those that name. */
  readonly length: number
  /** Absent: he speaks himself, or as several that speak. */
  readonly cert?: OpenProofCert
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

  /**
   * Whoever is reached first by some keys is reached by the fewest certificates: a key by itself once, and those who are several by those of
   * them who signed, or a name by all who are called so, as often as that is by others. Says whether it is reached by other keys than before.
   */
  add(text: string, reach: Reach): boolean {
    if (!this.isNew(text, reach)) return false
    this.#byText.set(text, withWay(this.#byText.get(text) ?? [], reach))
    return true
  }

  addAll(text: string, reaches: readonly Reach[]): boolean {
    return reaches.map((reach) => this.add(text, reach)).includes(true)
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
    if (reach.cert?.id === id) return true
    if (!seen.has(reach)) waiting.push(...reach.via)
    seen.add(reach)
  }
  return false
}

/** A reach by a certificate. */
type Certified = Reach & { readonly cert: OpenProofCert }

/** The first certificates by which something was said. */
export function certified(through: readonly Reach[]): readonly Certified[] {
  return through.flatMap((reach) => (isCertified(reach) ? [reach] : certified(reach.via)))
}

function isCertified(reach: Reach): reach is Certified {
  return reach.cert !== undefined
}

/** The certificates by which something was said, in the order of a proof. */
export function proofOf({ through }: Pick<Said<Reach>, 'through'>): readonly OpenProofCert[] {
  const nodes = new Map<ContentId, { readonly cert: OpenProofCert; readonly reaches: Set<Reach> }>()
  const waiting = [...certified(through)]
  for (let reach = waiting.shift(); reach !== undefined; reach = waiting.shift()) {
    const { cert, via } = reach
    const known = nodes.get(cert.id)
    if (known?.reaches.has(reach) === true) continue
    if (known === undefined) nodes.set(cert.id, { cert, reaches: new Set([reach]) })
    else known.reaches.add(reach)
    waiting.push(...certified(via))
  }
  const links = [...nodes.values()].map(({ cert, reaches }) => {
    const next = [...reaches].flatMap(({ via }) => certified(via).map(({ cert }) => cert.id))
    return { cert, by: new Set(next) }
  })
  return inProofOrder(links)
}
