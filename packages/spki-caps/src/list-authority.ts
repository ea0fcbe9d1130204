import type { ContentId, Envelope } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { tryOpenCapCert } from './cap-cert.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity } from './check-cert.ts'
import { checkDelegation, meetTags } from './check-link.ts'
import type { Circumstances } from './circumstances.ts'
import { limitReached } from './error.ts'
import type { Holding } from './holding.ts'
import { holdingAfter, holdingOfRoot } from './holding.ts'
import { withDefaults } from './limits.ts'
import { covers } from './meet.ts'
import { issuingTexts, principalText } from './principal.ts'
import type { Root } from './root.ts'
import type { Tag } from './tag.ts'
import { createSignatureMemo } from './voices.ts'

/** What somebody holds by one chain. */
export interface HeldAuthority {
  /** The name of the root from which it comes. */
  readonly root: string
  /** The text of the principal that holds it. */
  readonly subject: string
  /** The texts of the thresholds of which it is only a share: alone it does nothing. */
  readonly shares: readonly string[]
  readonly tag: Tag
  /** Seconds since 1970; `null` for ever. */
  readonly expires: number | null
  /** How many certificates may follow. */
  readonly left: number
  /** The chain, from the root. */
  readonly chain: readonly ContentId[]
}

/** All certificates of a place, and what whoever looks goes by. */
export interface AuthorityView extends Circumstances {
  readonly certificates: Iterable<Envelope>
}

/** How one came to hold something. */
interface Path {
  readonly held: Holding
  readonly shares: readonly string[]
  readonly issued: ReadonlySet<string>
  readonly chain: readonly ContentId[]
}

/**
 * What everybody holds, as far as no chain grants more of the same. That may be much: throws `CAPS_LIMIT` after so many
 * certificates as a search may open. How fresh sets of revocations are is for the action, and not looked at here.
 */
export function listAuthority(given: AuthorityView): readonly HeldAuthority[] {
  const view = { ...given, memo: given.memo ?? createSignatureMemo() }
  const byIssuer = new Map<string, OpenCapCert[]>()
  for (const certificate of view.certificates) {
    const cert = tryOpenCapCert(certificate)
    if (cert === undefined || 'code' in checkValidity(cert, view.now) || 'code' in checkEpoch(cert, view)) continue
    for (const text of issuingTexts(cert.record.issuer)) {
      const issued = byIssuer.get(text)
      if (issued === undefined) byIssuer.set(text, [cert])
      else issued.push(cert)
    }
  }
  const budget = { left: withDefaults(view.limits).search }
  return view.roots
    .filter(({ expires }) => expires === undefined || view.now < expires)
    .flatMap((root) => listFrom(root, byIssuer, view, budget))
}

function listFrom(
  root: Root,
  byIssuer: ReadonlyMap<string, readonly OpenCapCert[]>,
  view: AuthorityView,
  budget: { left: number },
): readonly HeldAuthority[] {
  const { depth, search } = withDefaults(view.limits)
  const kept = new Map<string, Path[]>()
  let paths: readonly Path[] = [{ held: holdingOfRoot(root, depth), shares: [], issued: new Set(), chain: [] }]
  // Shorter chains come first, so what they grant is known before a longer one could grant the same.
  while (paths.length > 0) {
    const fresh = paths.filter((path) => keep(kept, path))
    paths = fresh.flatMap((path) =>
      stepsFrom(path, byIssuer, view, () => {
        if (--budget.left < 0) throw limitReached('certificates to look through', search)
      }),
    )
  }
  return [...kept.values()].flat().map(({ held, shares, chain }) => ({
    root: root.name,
    subject: principalText(held.subject),
    shares,
    tag: held.tag,
    expires: Number.isFinite(held.expires) ? held.expires : null,
    left: held.left,
    chain,
  }))
}

function stepsFrom(
  path: Path,
  byIssuer: ReadonlyMap<string, readonly OpenCapCert[]>,
  view: AuthorityView,
  spend: () => void,
): readonly Path[] {
  const { held, issued } = path
  const own = principalText(held.subject)
  return [...held.parts].flatMap((part) =>
    (byIssuer.get(part) ?? []).flatMap((cert): Path[] => {
      spend()
      const { record, id } = cert
      const subject = principalText(record.subject)
      const issuer = principalText(record.issuer)
      const upstream = new Set([...held.upstream, issuer])
      const { outcome, tag } = meetTags(held.tag, record.tag)
      const refused =
        issued.has(subject) ||
        subject === issuer ||
        [outcome, checkDelegation([held]), checkRevocation(cert, view, upstream)].some((seen) => 'code' in seen) ||
        'code' in checkSignature(cert, view, upstream).outcome
      if (refused || tag === undefined) return []
      return [
        {
          held: holdingAfter(held, cert, tag),
          shares: part === own ? path.shares : [...path.shares, own],
          issued: new Set([...issued, issuer]),
          chain: [...path.chain, id],
        },
      ]
    }),
  )
}

/** Keeps a path unless all that comes of it comes of one that is kept. */
function keep(kept: Map<string, Path[]>, path: Path): boolean {
  const place = [principalText(path.held.subject), ...path.shares].join(' ')
  const others = kept.get(place)
  if (others === undefined) kept.set(place, [path])
  else if (others.some((other) => isMore(other.held, path.held))) return false
  else others.push(path)
  return true
}

function isMore(a: Holding, b: Holding): boolean {
  return (
    a.left >= b.left &&
    a.expires >= b.expires &&
    // Who is above may revoke what follows.
    a.upstream.isSubsetOf(b.upstream) &&
    covers(a.tag, b.tag)
  )
}
