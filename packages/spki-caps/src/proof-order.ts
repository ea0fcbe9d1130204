import type { ContentId } from '@vault/core'
import { addTo } from './add-to.ts'
import { isByHash, isThreshold, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { followTexts, leadTexts } from './proof-cert.ts'

/** A certificate of a proof, and those by which its subject speaks. */
interface ProofLink {
  readonly cert: OpenProofCert
  readonly by: ReadonlySet<ContentId>
}

/** A certificate that waits for its place. */
interface Waiting {
  readonly cert: OpenProofCert
  /** So many that wait have to stand before it, and so many would be bound by it although its subject does not speak by them. */
  before: number
  binds: number
}

/**
 * Each after those whose subjects speak by it, the longest rows first. Whoever issues is bound by all that stands before and makes him a
 * member of a council: where the council speaks without him, what he issues goes before that, if it can.
 */
export function inProofOrder(links: readonly ProofLink[]): readonly OpenProofCert[] {
  const byId = new Map(links.map((link) => [link.cert.id, link]))
  const ranks = new Map<ContentId, number>()
  const rankOf = (id: ContentId): number => {
    const known = ranks.get(id)
    if (known !== undefined) return known
    ranks.set(id, 0)
    const rank = 1 + Math.max(0, ...[...(byId.get(id)?.by ?? [])].map(rankOf))
    ranks.set(id, rank)
    return rank
  }
  // One that names stands in a row as often as there are people behind it: it comes before all of them.
  const ranked = links.toSorted((a, b) => rankOf(b.cert.id) - rankOf(a.cert.id))
  if (links.some(({ cert }) => isThreshold(cert.record.subject))) return withoutBinding(ranked)
  return ranked.map(({ cert }) => cert)
}

/** The same in an order in which as few as can be are bound by those that do not speak by them. Time grows with the number of those that lead to others. */
function withoutBinding(ranked: readonly ProofLink[]): readonly OpenProofCert[] {
  const nodes = new Map(ranked.map(({ cert }): [ContentId, Waiting] => [cert.id, { cert, before: 0, binds: 0 }]))
  const isMeant = ranked.some(({ cert }) => isByHash(cert.record.subject))
  const [following, issued] = [new Map<string, Waiting[]>(), new Map<string, Waiting[]>()]
  for (const node of nodes.values()) {
    for (const text of followTexts(node.cert, isMeant)) addTo(following, text, node)
    addTo(issued, principalText(node.cert.record.issuer), node)
  }
  const [after, boundBy] = [new Map<Waiting, ReadonlySet<Waiting>>(), new Map<Waiting, Waiting[]>()]
  for (const { cert, by } of ranked) {
    const node = nodes.get(cert.id) as Waiting
    const next = new Set([...by].flatMap((id) => nodes.get(id) ?? []))
    for (const each of issued.get(principalText(cert.record.subject)) ?? []) next.add(each)
    next.delete(node)
    for (const each of next) each.before++
    after.set(node, next)
    const led = new Set(leadTexts(cert).flatMap((text) => following.get(text) ?? [])).difference(next)
    led.delete(node)
    node.binds = led.size
    for (const each of led) addTo(boundBy, each, node)
  }
  const ordered: OpenProofCert[] = []
  const waiting = new Set(nodes.values())
  while (waiting.size > 0) {
    const node = nextOf(waiting)
    ordered.push(node.cert)
    waiting.delete(node)
    for (const each of after.get(node) ?? []) each.before--
    for (const each of boundBy.get(node) ?? []) each.binds--
  }
  return ordered
}

/** The first that may stand next and binds nobody idly; where there is none, that may stand next; and in a circle, the first. */
function nextOf(waiting: ReadonlySet<Waiting>): Waiting {
  let next: Waiting | undefined
  for (const node of waiting) {
    if (node.before > 0) continue
    if (node.binds === 0) return node
    next ??= node
  }
  return next ?? ([...waiting][0] as Waiting)
}
