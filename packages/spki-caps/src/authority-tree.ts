import type { ContentId } from '@vault/core'
import type { GrantPath, GrantStep } from './grant-steps.ts'
import { stepsFrom } from './grant-steps.ts'
import { KeptPaths } from './kept-paths.ts'
import type { AuthorityView, LookThrough } from './list-authority.ts'
import { lookThrough, pathOfRoot } from './list-authority.ts'
import { principalText } from './principal.ts'
import type { Tag } from './tag.ts'
import type { Refusal } from './trace.ts'

/** A certificate where it stands in a tree, with those that were issued on it. */
export interface GrantNode {
  readonly certificate: ContentId
  /** The texts of both. */
  readonly issuer: string
  readonly subject: string
  /** What it grants, of what its issuer holds; where it does not count, what it says. */
  readonly tag: Tag
  /** Seconds since 1970; `null` for ever. */
  readonly expires: number | null
  /** Whether it may be granted on. */
  readonly delegate: boolean
  /** Why it does not count here; nothing follows it then. */
  readonly refusal?: Refusal
  /** The texts of the thresholds of which it is only a share: alone it does nothing. */
  readonly shares: readonly string[]
  /** Whether it grants no more than another that stands before it, below which what follows is. */
  readonly repeated: boolean
  readonly below: readonly GrantNode[]
}

/** All that begins at one root. */
export interface AuthorityTree {
  readonly root: string
  readonly subject: string
  readonly tag: Tag
  readonly below: readonly GrantNode[]
}

/** Everything that was granted, also what does not count and why. */
export interface AuthorityTrees {
  readonly trees: readonly AuthorityTree[]
  /** Certificates that hang on no root, because nothing was granted to their issuers. */
  readonly loose: readonly Omit<GrantNode, 'refusal' | 'shares' | 'repeated' | 'below'>[]
}

/** Who granted what to whom, from the roots on. Throws `CAPS_LIMIT` after so many certificates as a search may open. */
export function authorityTrees(given: AuthorityView): AuthorityTrees {
  const { view, byIssuer, spend, roots } = lookThrough(given)
  const seen = new Set<ContentId>()
  const trees = roots.map((root) => {
    const kept = new KeptPaths()
    const start = pathOfRoot(root, view)
    kept.keep(start)
    const parts = { byIssuer, view, kept, seen, spend }
    return { root: root.name, subject: principalText(root.subject), tag: root.tag, below: nodesBelow(start, parts) }
  })
  const known = new Map([...byIssuer.values()].flat().map((cert) => [cert.id, cert]))
  const loose = [...known.values()].filter(({ id }) => !seen.has(id)).map((cert) => plainNode(cert))
  return { trees, loose }
}

interface Parts extends Omit<LookThrough, 'roots'> {
  readonly kept: KeptPaths
  readonly seen: Set<ContentId>
}

function nodesBelow(path: GrantPath, parts: Parts): readonly GrantNode[] {
  const { byIssuer, view, kept, seen, spend } = parts
  return stepsFrom(path, byIssuer, view, spend).map((step): GrantNode => {
    seen.add(step.cert.id)
    const plain = plainNode(step.cert)
    if (!('path' in step)) return { ...plain, refusal: step.refusal, shares: [], repeated: false, below: [] }
    const { held } = step.path
    const isFresh = kept.keep(step.path)
    return {
      ...plain,
      tag: held.tag,
      expires: Number.isFinite(held.expires) ? held.expires : null,
      delegate: held.left > 0,
      shares: step.path.shares,
      repeated: !isFresh,
      below: isFresh ? nodesBelow(step.path, parts) : [],
    }
  })
}

function plainNode({ id, record }: GrantStep['cert']): AuthorityTrees['loose'][number] {
  const { issuer, subject, tag, expires, delegate } = record
  return { certificate: id, issuer: principalText(issuer), subject: principalText(subject), tag, expires, delegate }
}
