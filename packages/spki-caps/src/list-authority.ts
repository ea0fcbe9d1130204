import type { ContentId, Envelope } from '@vault/core'
import type { Circumstances } from './circumstances.ts'
import type { GrantPath, IssuedCerts, LookedAt } from './grant-steps.ts'
import { issuedCerts, stepsFrom } from './grant-steps.ts'
import { holdingOfRoot } from './holding.ts'
import { KeptPaths } from './kept-paths.ts'
import { withDefaults } from './limits.ts'
import { LookBudget } from './look-budget.ts'
import type { Principal } from './principal.ts'
import { principalText } from './principal.ts'
import type { Root } from './root.ts'
import type { Tag } from './tag.ts'
import { createSignatureMemo } from './voices.ts'

/** What somebody holds by one chain. */
export interface HeldAuthority {
  /** The name of the root from which it comes. */
  readonly root: string
  /** The text of the principal that holds it. */
  readonly subject: string
  /** The principal itself. */
  readonly holder: Principal
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
export interface AuthorityView extends LookedAt {
  readonly certificates: Iterable<Envelope>
}

/**
 * What everybody holds, also because he is called by a name to which it was granted, as far as no chain grants more of the same. That may be much: throws `CAPS_LIMIT` after so many
 * certificates as a search may open. How fresh sets of revocations are is for the action, and not looked at here.
 */
export function listAuthority(given: AuthorityView): readonly HeldAuthority[] {
  return listPaths(given).map(({ held }) => held)
}

/** What is held by one way, and with what assumed. */
export interface ListedPath extends Pick<GrantPath, 'assumed'> {
  readonly held: HeldAuthority
}

/** As {@link listAuthority}, with what is assumed of each. */
export function listPaths(given: AuthorityView): readonly ListedPath[] {
  const { roots, ...parts } = lookThrough(given)
  return roots.flatMap((root) => listFrom(root, parts))
}

/** What a look through everything that was granted goes by. */
export interface LookThrough {
  readonly view: LookedAt
  readonly issued: IssuedCerts
  readonly budget: LookBudget
  /** Those that have not ended. */
  readonly roots: readonly Root[]
}

export function lookThrough(given: AuthorityView): LookThrough {
  const view = { ...given, memo: given.memo ?? createSignatureMemo() }
  const budget = new LookBudget(withDefaults(view.limits))
  const roots = view.roots.filter(({ expires }) => expires === undefined || view.now < expires)
  return { view, issued: issuedCerts(given.certificates), budget, roots }
}

function listFrom(root: Root, { view, issued, budget }: Omit<LookThrough, 'roots'>): readonly ListedPath[] {
  const kept = new KeptPaths()
  let paths: readonly GrantPath[] = [pathOfRoot(root, view)]
  // Shorter chains come first, so what they grant is known before a longer one could grant the same.
  while (paths.length > 0) {
    const fresh = paths.filter((path) => kept.keep(path))
    paths = fresh.flatMap((path) =>
      stepsFrom(path, issued, view, budget).flatMap((step) => ('path' in step ? [step.path] : [])),
    )
  }
  return kept.all().map(({ held, shares, assumed, chain }) => ({
    assumed,
    held: {
      root: root.name,
      subject: principalText(held.subject),
      holder: held.subject,
      shares,
      tag: held.tag,
      expires: Number.isFinite(held.expires) ? held.expires : null,
      left: held.left,
      chain,
    },
  }))
}

/** The path that a root is the whole of. */
export function pathOfRoot(root: Root, { limits }: Pick<Circumstances, 'limits'>): GrantPath {
  return {
    held: holdingOfRoot(root, withDefaults(limits).depth),
    shares: [],
    issued: new Set(),
    assumed: new Set(),
    chain: [],
  }
}
