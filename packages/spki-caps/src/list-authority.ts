import type { ContentId } from '@vault/core'
import type { GrantPath, Share } from './grant-steps.ts'
import type { Holding } from './holding.ts'
import type { JointPath } from './joint-paths.ts'
import { jointPaths } from './joint-paths.ts'
import { covers } from './meet.ts'
import type { Principal } from './principal.ts'
import { principalText } from './principal.ts'
import type { Root } from './root.ts'
import type { Tag } from './tag.ts'
import type { AuthorityView, Ways } from './ways-from.ts'
import { isShare, lookThrough, waysFrom } from './ways-from.ts'

/** What somebody holds by one chain, or by several that count together. */
export interface HeldAuthority {
  /** The name of the root from which it comes. */
  readonly root: string
  /** The text of the principal that holds it. */
  readonly subject: string
  /** The principal itself. */
  readonly holder: Principal
  /** The texts of the thresholds of which it is only a share: alone it does nothing. */
  readonly shares: readonly string[]
  /** By which member of each of these it was granted, its text, and how many members it takes. */
  readonly parts: readonly Pick<Share, 'member' | 'needed'>[]
  readonly tag: Tag
  /** Seconds since 1970; `null` for ever. */
  readonly expires: number | null
  /** How many certificates may follow. */
  readonly left: number
  /** The chain, from the root: each certificate after those that grant to its issuer. */
  readonly chain: readonly ContentId[]
  /** There may be more: what was granted on from here, or comes of it with the shares of others, goes more ways than are looked at. */
  readonly more?: true
  /** Where it is held by shares that are enough together: the chain of each. */
  readonly halves?: readonly (readonly ContentId[])[]
}

/**
 * What everybody holds, also because he is called by a name to which it was granted, as far as no chain grants more of the same; and what he
 * holds by shares of a threshold that are enough together, also beside each share. What only a revoked key could do nobody holds. That may be
 * much: after so many certificates as a search may open, or 16 times as many that count only together, everybody has an equal part of that
 * for what he has granted on, and who needs more has `more`. How fresh sets of revocations are is for the action, and not looked at here.
 * `together: false`: without what is held by several shares together, which takes most of the time. Throws `CAPS_LIMIT` where so much was
 * issued by a root itself.
 */
export function listAuthority(
  given: AuthorityView,
  { together = true }: { readonly together?: boolean } = {},
): readonly HeldAuthority[] {
  return together ? listWays(given).flatMap((ways) => heldFrom(ways)) : listPaths(given).map(({ held }) => held)
}

/** What is held by all ways down from a root, each by itself and together. `asked`: only what covers this, where it is given. */
export function heldFrom(ways: Ways, asked?: Tag): readonly HeldAuthority[] {
  const { joint, unsettled } = jointPaths(ways, asked)
  const own = pathsIn({ ...ways, unlisted: ways.unlisted.union(unsettled) }).map(({ held }) => held)
  const whole = joint.map((each) => heldTogether(ways.root, each))
  return [...(asked === undefined ? own : own.filter(({ tag }) => covers(tag, asked))), ...whole]
}

/** What is held by one way, and with what assumed. */
export interface ListedPath extends Pick<GrantPath, 'assumed'> {
  /** By whose keys each of the shares was given. */
  readonly givers: readonly (string | undefined)[]
  readonly held: HeldAuthority
}

/** As {@link listAuthority}, with what is assumed of each, and without what is held by several ways together. */
export function listPaths(given: AuthorityView): readonly ListedPath[] {
  return listWays(given).flatMap((ways) => pathsIn(ways))
}

/**
 * The certificates by which somebody holds something: `whole` by himself, or with shares of others that are enough with it; `share` where they are not.
 */
export function countingCertificates(given: AuthorityView): ReadonlyMap<ContentId, 'whole' | 'share'> {
  const { roots, ...parts } = lookThrough(given)
  const counting = new Map<ContentId, 'whole' | 'share'>()
  for (const root of roots) {
    const shares: GrantPath[] = []
    const ways = waysFrom(root, parts, (path) => {
      if (isShare(path)) shares.push(path)
      else for (const { id } of path.links) counting.set(id, 'whole')
    })
    const joint = Map.groupBy(jointPaths(ways).joint, ({ holder }) => principalText(holder))
    for (const { held, links } of shares) {
      const whole = joint.get(principalText(held.subject)) ?? []
      const isWhole = whole.some((each) => covers(held.tag, each.held.tag) || covers(each.held.tag, held.tag))
      for (const { id } of links) if (isWhole || !counting.has(id)) counting.set(id, isWhole ? 'whole' : 'share')
    }
  }
  return counting
}

/** All ways down from every root that has not ended. */
export function listWays(given: AuthorityView): readonly Ways[] {
  const { roots, ...parts } = lookThrough(given)
  return roots.map((root) => waysFrom(root, parts))
}

/** What is held by each way by itself. */
function pathsIn({ root, paths, unlisted }: Pick<Ways, 'root' | 'paths' | 'unlisted'>): readonly ListedPath[] {
  return paths.map((path) => {
    const { held, shares, assumed, links } = path
    return {
      assumed,
      givers: shares.map(({ by }) => by),
      held: {
        ...heldBy(root, held.subject, held),
        shares: shares.map(({ threshold }) => threshold),
        parts: shares.map(({ member, needed }) => ({ member, needed })),
        chain: links.map(({ id }) => id),
        ...(unlisted.has(path) && { more: true as const }),
      },
    }
  })
}

/** What is held by several ways together. */
export function heldTogether(root: Root, { holder, held, chain, halves }: JointPath): HeldAuthority {
  return { ...heldBy(root, holder, held), shares: [], parts: [], chain, halves }
}

function heldBy(root: Root, holder: Principal, { tag, expires, left }: Pick<Holding, 'tag' | 'expires' | 'left'>) {
  return {
    root: root.name,
    subject: principalText(holder),
    holder,
    tag,
    expires: Number.isFinite(expires) ? expires : null,
    left,
  }
}
