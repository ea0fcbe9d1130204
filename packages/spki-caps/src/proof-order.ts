import type { ContentId } from '@vault/core'
import { isThreshold, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { leadsTo } from './proof-cert.ts'

/** A certificate of a proof, and those by which its subject speaks. */
interface ProofLink {
  readonly cert: OpenProofCert
  readonly by: ReadonlySet<ContentId>
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
  const certs = ranked.map(({ cert }) => cert)
  if (!links.some(({ cert }) => isThreshold(cert.record.subject))) return certs
  const before = new Map(ranked.map((link) => [link, ranked.filter((other) => isBefore(other, link))]))
  const bound = new Map(ranked.map((link) => [link, ranked.filter((other) => bindsIdly(link, other))]))
  const ordered: OpenProofCert[] = []
  const waiting = new Set(ranked)
  while (waiting.size > 0) {
    const ready = [...waiting].filter((link) => !before.get(link)?.some((other) => waiting.has(other)))
    const idle = ready.find((link) => !bound.get(link)?.some((other) => waiting.has(other)))
    const next = idle ?? ready[0] ?? ([...waiting][0] as ProofLink)
    ordered.push(next.cert)
    waiting.delete(next)
  }
  return ordered
}

/** Whether it has to stand before another one: its subject speaks by that, or has issued it. */
function isBefore(link: ProofLink, { cert }: ProofLink): boolean {
  const { subject } = link.cert.record
  return link.by.has(cert.id) || (link.cert !== cert && principalText(subject) === principalText(cert.record.issuer))
}

/** Whether it would bind another one that its subject does not speak by. */
function bindsIdly(link: ProofLink, other: ProofLink): boolean {
  return link !== other && !isBefore(link, other) && leadsTo(link.cert, other.cert)
}
