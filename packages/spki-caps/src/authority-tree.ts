import type { ContentId } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import type { GrantPath } from './grant-steps.ts'
import { followingOn, stepOf } from './grant-steps.ts'
import type { JointPath } from './joint-paths.ts'
import { jointPaths } from './joint-paths.ts'
import { KeptPaths } from './kept-paths.ts'
import { withDefaults } from './limits.ts'
import type { HeldAuthority } from './list-authority.ts'
import { LookBudget } from './look-budget.ts'
import { covers } from './meet.ts'
import type { OpenNameCert } from './name-cert.ts'
import { definedName, resolved } from './name-link.ts'
import type { NamePrincipal } from './principal.ts'
import { principalText } from './principal.ts'
import { refuse } from './refusal.ts'
import type { Tag } from './tag.ts'
import type { Refusal } from './trace.ts'
import type { AuthorityView, LookThrough, Ways } from './ways-from.ts'
import { canSpeak, inTurns, isTooMuch, lookThrough, pathOfRoot, waysFrom } from './ways-from.ts'

/** A certificate where it stands in a tree, with those that were issued on it. */
export interface GrantNode {
  /** `name`: it says that the subject is called by the name which stands as issuer, and so holds what was granted to it. */
  readonly kind: 'grant' | 'name'
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
  /** Why it does not count here; nothing that counts follows it then. */
  readonly refusal?: Refusal
  /** The texts of the thresholds of which it is only a share: alone it does nothing. */
  readonly shares: readonly string[]
  /** By which member of each of these, and how many members it takes. */
  readonly parts: HeldAuthority['parts']
  /** What the subject holds together with the shares of others; absent where they are not enough. */
  readonly together?: Tag
  /** There may be more, which goes more ways than are looked at: none of what was granted on is below, or it was not seen what shares are together. */
  readonly more?: true
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
  readonly loose: readonly Omit<
    GrantNode,
    'refusal' | 'shares' | 'parts' | 'together' | 'more' | 'repeated' | 'below'
  >[]
  /** Certificates that say who is called by a name to which nothing was granted. */
  readonly names: readonly Pick<GrantNode, 'certificate' | 'issuer' | 'subject' | 'expires'>[]
}

/**
 * Who granted what to whom, from the roots on. `together: false`, and what it throws: as {@link listAuthority}.
 */
export function authorityTrees(
  given: AuthorityView,
  { together = true }: { readonly together?: boolean } = {},
): AuthorityTrees {
  const { roots, ...parts } = lookThrough(given)
  const { view, issued, budget } = parts
  const whole = roots.map((root) =>
    together ? heldTogether(waysFrom(root, { ...parts, budget: new LookBudget(withDefaults(view.limits)) })) : NOTHING,
  )
  const { trees, seen } = budget.orInTurns((steps) => {
    const seen = new Set<ContentId>()
    const trees = roots.map((root, i) => {
      const kept = new KeptPaths()
      const start = { ...pathOfRoot(root, view), steps }
      kept.keep(start)
      const below = nodesBelow(start, { ...parts, ...(whole[i] ?? NOTHING), kept, seen }) ?? []
      return { root: root.name, subject: principalText(root.subject), tag: root.tag, below }
    })
    return { trees, seen }
  })
  const unseen = <T extends OpenCapCert | OpenNameCert>(certs: Iterable<readonly T[]>): readonly T[] => {
    const known = new Map([...certs].flat().map((cert) => [cert.id, cert]))
    return [...known.values()].filter(({ id }) => !seen.has(id))
  }
  const loose = unseen(issued.byIssuer.values()).map(grantNode)
  const names = unseen(issued.byName.values()).map((cert) => nameNode(cert))
  return { trees, loose, names }
}

/** What is held by shares that are enough together. */
interface Together {
  /** By the texts of those who hold it. */
  readonly joint: ReadonlyMap<string, readonly JointPath[]>
  /** The texts of those for whom it was not looked at to the end. */
  readonly unsettled: ReadonlySet<string>
}

const NOTHING: Together = { joint: new Map(), unsettled: new Set() }

function heldTogether(ways: Ways): Together {
  const { joint, unsettled } = jointPaths(ways)
  return {
    joint: Map.groupBy(joint, ({ holder }) => principalText(holder)),
    unsettled: new Set([...unsettled].map(({ held }) => principalText(held.subject))),
  }
}

interface Parts extends Omit<LookThrough, 'roots'>, Together {
  readonly kept: KeptPaths
  readonly seen: Set<ContentId>
}

/** `undefined` where they go more ways than are looked at. */
function nodesBelow(path: GrantPath, parts: Parts): readonly GrantNode[] | undefined {
  const { issued, view, seen, budget } = parts
  const following = followingOn(path, issued)
  if (isTooMuch(path, following)) return undefined
  const steps = following.map((each) => stepOf(each, view, budget))
  const on = steps.flatMap((step) => ('path' in step ? [step.path] : []))
  const turns = new Map(inTurns(path, on, issued).map((next, i) => [on[i], next]))
  return steps.map((step): GrantNode => {
    seen.add(step.cert.id)
    const plain =
      'name' in step
        ? { ...nameNode(step.cert, step.name), kind: 'name' as const, tag: path.held.tag, delegate: false }
        : grantNode(step.cert)
    if (!('path' in step)) return { ...plain, refusal: step.refusal, shares: [], parts: [], repeated: false, below: [] }
    return nodeOf(plain, turns.get(step.path) ?? step.path, parts)
  })
}

function nodeOf(
  plain: Omit<GrantNode, 'shares' | 'parts' | 'repeated' | 'below'>,
  path: GrantPath,
  parts: Parts,
): GrantNode {
  const { view, kept, joint, unsettled } = parts
  const { held, shares } = path
  const whole =
    shares.length > 0 ? joint.get(plain.subject)?.find((each) => covers(held.tag, each.held.tag)) : undefined
  const isFresh = kept.keep(path)
  const below = isFresh ? nodesBelow(path, parts) : []
  const isUnsettled = shares.length > 0 && whole === undefined && unsettled.has(plain.subject)
  return {
    ...plain,
    ...(!canSpeak(held, view) && {
      refusal: refuse('CAPS_KEY_REVOKED', 'those to whom it grants have no key that counts'),
    }),
    tag: held.tag,
    expires: Number.isFinite(held.expires) ? held.expires : null,
    delegate: held.left > 0,
    shares: shares.map(({ threshold }) => threshold),
    parts: shares.map(({ member, needed }) => ({ member, needed })),
    ...(whole && { together: whole.held.tag }),
    repeated: !isFresh,
    ...((below === undefined || isUnsettled) && { more: true as const }),
    below: below ?? [],
  }
}

function grantNode({ id, record }: OpenCapCert): AuthorityTrees['loose'][number] {
  const { issuer, subject, tag, expires, delegate } = record
  const both = { issuer: principalText(issuer), subject: principalText(subject) }
  return { kind: 'grant', certificate: id, ...both, tag, expires, delegate }
}

/** A name certificate, about the name that it defines, or one that goes on from it. */
function nameNode(cert: OpenNameCert, name: NamePrincipal = definedName(cert)): AuthorityTrees['names'][number] {
  const { subject, expires } = cert.record
  const both = { issuer: principalText(name), subject: principalText(resolved(cert, name) ?? subject) }
  return { certificate: cert.id, ...both, expires }
}
