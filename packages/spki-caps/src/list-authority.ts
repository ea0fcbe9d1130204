import type { ContentId, Envelope } from '@vault/core'
import { unrevoked } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import { limitReached } from './error.ts'
import type { GrantPath, IssuedCerts, LookedAt, Share } from './grant-steps.ts'
import { followingOn, issuedCerts, stepOf } from './grant-steps.ts'
import type { Holding } from './holding.ts'
import { holdingOfRoot } from './holding.ts'
import type { JointPath, Ways } from './joint-paths.ts'
import { jointPaths } from './joint-paths.ts'
import { KeptPaths } from './kept-paths.ts'
import { operatorsOf } from './key-directory.ts'
import { withDefaults } from './limits.ts'
import { LookBudget } from './look-budget.ts'
import { covers } from './meet.ts'
import { isValidationCheck } from './online-test.ts'
import type { Principal } from './principal.ts'
import { isThreshold, isVault, keysIn, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert } from './proof-cert.ts'
import type { Root } from './root.ts'
import type { Tag } from './tag.ts'
import { createSignatureMemo } from './voices.ts'

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

/** All certificates of a place, and what whoever looks goes by. */
export interface AuthorityView extends LookedAt {
  readonly certificates: Iterable<Envelope>
}

/**
 * What everybody holds, also because he is called by a name to which it was granted, as far as no chain grants more of the same; and what he
 * holds by shares of a threshold that are enough together, also beside each share. What only a revoked key could do nobody holds. That may be
 * much: after so many certificates as a search may open, or 16 times as many that count only together, everybody has an equal part of that
 * for what he has granted on, and who needs more has `more`. How fresh sets of revocations are is for the action, and not looked at here. `together: false`: without what is held by several shares together, which takes
 * most of the time.
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
      const isWhole = joint.get(principalText(held.subject))?.some((each) => covers(held.tag, each.held.tag)) === true
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

/** What a look through everything that was granted goes by. */
export interface LookThrough {
  readonly view: LookedAt
  readonly issued: IssuedCerts
  readonly budget: LookBudget
  /** Those who have revoked anything that has to do with these certificates. */
  readonly revokers: ReadonlySet<string>
  /** Those that have not ended. */
  readonly roots: readonly Root[]
}

export function lookThrough(given: AuthorityView): LookThrough {
  const view = { ...given, memo: given.memo ?? createSignatureMemo() }
  const roots = view.roots.filter(({ expires }) => expires === undefined || view.now < expires)
  const budget = new LookBudget(withDefaults(view.limits), roots.length)
  const issued = issuedCerts(given.certificates)
  return { view, issued, revokers: revokersOf(issued, view), budget, roots }
}

/** All ways down from a root. `note` is told of each, also of those that add nothing, where those to whom it leads can speak. */
export function waysFrom(
  root: Root,
  { view, issued, revokers, budget }: Omit<LookThrough, 'roots'>,
  note: (path: GrantPath) => void = () => {},
): Ways {
  const { kept, unlisted } = budget.orInTurns((steps) => {
    const kept = new KeptPaths(revokers)
    const unlisted = new Set<GrantPath>()
    let paths: readonly GrantPath[] = [{ ...pathOfRoot(root, view), steps }]
    // Shorter chains come first, so what they grant is known before a longer one could grant the same.
    while (paths.length > 0) {
      const fresh = paths.filter((path) => kept.keep(path))
      paths = fresh.flatMap((path) => {
        const following = followingOn(path, issued)
        if (isTooMuch(path, following)) {
          unlisted.add(path)
          return []
        }
        const on = following.flatMap((each) => {
          const step = stepOf(each, view, budget)
          return 'path' in step ? [step.path] : []
        })
        for (const each of on) if (canSpeak(each.held, view)) note(each)
        return inTurns(path, on, issued)
      })
    }
    return { kept, unlisted }
  })
  const all = kept.all().filter(({ held }) => canSpeak(held, view))
  const [plain, shares] = [all.filter((path) => !isShare(path)), all.filter(isShare)]
  return {
    root,
    paths: all,
    shares,
    unlisted,
    plain: Map.groupBy(plain, ({ held }) => principalText(held.subject)),
    view,
    budget,
    naming: (text) => (issued.bySubject.get(text) ?? []).map((cert) => (view.tests === 'assumed' ? validated(cert) : cert)),
  }
}

/** Whether more certificates follow on a path than may be looked at. Throws `CAPS_LIMIT` where a root has so many by itself. */
export function isTooMuch({ links, steps }: GrantPath, following: readonly unknown[]): boolean {
  if (following.length <= steps) return false
  if (links.length === 0) throw limitReached('certificates to look through', steps)
  return true
}

/** These paths, which go on from one, each with an equal part of what may be looked at that follows: those on which nothing follows need none. */
export function inTurns(path: GrantPath, on: readonly GrantPath[], issued: IssuedCerts): readonly GrantPath[] {
  if (path.steps === Number.POSITIVE_INFINITY) return on
  const further = on.filter((each) => followingOn(each, issued).length > 0).length
  const steps = Math.floor((path.steps - followingOn(path, issued).length) / Math.max(1, further))
  return on.map((each) => ({ ...each, steps }))
}

/** Who has revoked any of these certificates, or a key or a validation that has to do with one. */
function revokersOf({ bySubject }: IssuedCerts, { revocations, validations, keys }: LookedAt): ReadonlySet<string> {
  if (revocations === 'unchecked') return new Set()
  const targets = [...bySubject.values()].flat().flatMap(({ id, record, envelope }) => [
    id,
    ...envelope.signatures.map(({ key }) => key),
    ...keysIn(record.subject, (vault) => operatorsOf(keys, vault)),
    ...(validations?.of(id) ?? []).flatMap((validation) => [validation.id, ...validation.voices.claimed]),
  ])
  return new Set([...new Set(targets)].flatMap((target) => revocations.revokers(target)))
}

function isShare({ shares }: GrantPath): boolean {
  return shares.length > 0
}

/** A certificate as it stands where whatever has to be validated is. */
function validated(cert: OpenProofCert): OpenProofCert {
  if (isNameCert(cert)) return cert
  const checks = cert.record.checks.filter((test) => !isValidationCheck(test))
  return { ...cert, record: { ...cert.record, checks } }
}

/** What is held by each way by itself. */
export function pathsIn({ root, paths, unlisted }: Pick<Ways, 'root' | 'paths' | 'unlisted'>): readonly ListedPath[] {
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

/** Whether those who hold it have so many keys that are not revoked as it takes; who is meant by a hash or a name is not known here. */
export function canSpeak({ subject, upstream }: Holding, view: LookedAt): boolean {
  const { has } = unrevoked({ claimed: [], has: () => true }, view, upstream)
  const can = (principal: Principal): boolean => {
    if (typeof principal === 'string') return has(principal)
    if (isThreshold(principal)) return principal.of.filter(can).length >= principal.threshold
    const operators = isVault(principal) ? operatorsOf(view.keys, principal.vault.id) : undefined
    return operators === undefined || operators.keys.filter(has).length >= operators.threshold
  }
  return can(subject)
}

/** The path that a root is the whole of. */
export function pathOfRoot(root: Root, { limits }: Pick<Circumstances, 'limits'>): GrantPath {
  return {
    held: holdingOfRoot(root, withDefaults(limits).depth),
    shares: [],
    issued: new Set(),
    assumed: new Set(),
    links: [],
    steps: Number.POSITIVE_INFINITY,
  }
}
