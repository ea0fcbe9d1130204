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
  const binding = new Map(ranked.map((link) => [link, ranked.filter((other) => bindsIdly(link, other))]))
  const ordered: OpenProofCert[] = []
  let waiting = ranked
  while (waiting.length > 0) {
    const ready = waiting.filter(({ cert }) => !waiting.some((other) => isBefore(other, cert)))
    const next =
      ready.find((link) => !binding.get(link)?.some((other) => waiting.includes(other))) ?? ready[0] ?? waiting[0]
    ordered.push((next as ProofLink).cert)
    waiting = waiting.filter((link) => link !== next)
  }
  return ordered
}

/** Whether it has to stand before another one: its subject speaks by that, or has issued it. */
function isBefore({ cert, by }: ProofLink, next: OpenProofCert): boolean {
  return by.has(next.id) || (cert !== next && principalText(cert.record.subject) === principalText(next.record.issuer))
}

/** Whether it would bind another one that its subject does not speak by. */
function bindsIdly(link: ProofLink, { cert }: ProofLink): boolean {
  return link.cert !== cert && !isBefore(link, cert) && leadsTo(link.cert, cert)
}
