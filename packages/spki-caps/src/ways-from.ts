import type { Envelope } from '@vault/core'
import { unrevoked } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import { limitReached } from './error.ts'
import type { GrantPath, GrantStep, IssuedCerts, LookedAt } from './grant-steps.ts'
import { followingOn, issuedCerts, stepOf } from './grant-steps.ts'
import type { Holding } from './holding.ts'
import { holdingOfRoot } from './holding.ts'
import { KeptPaths } from './kept-paths.ts'
import { operatorsOf } from './key-directory.ts'
import { withDefaults } from './limits.ts'
import { LookBudget } from './look-budget.ts'
import { isValidationCheck } from './online-test.ts'
import type { Principal } from './principal.ts'
import { isThreshold, isVault, keysIn, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert } from './proof-cert.ts'
import type { Root } from './root.ts'
import { createSignatureMemo } from './voices.ts'

/** All certificates of a place, and what whoever looks goes by. */
export interface AuthorityView extends LookedAt {
  readonly certificates: Iterable<Envelope>
}

/** All ways down from one root. */
export interface Ways {
  readonly root: Root
  readonly paths: readonly GrantPath[]
  /** Those on which not all was followed that was granted on. */
  readonly unlisted: ReadonlySet<GrantPath>
  /** Those of them that are shares of a threshold, and the others, by the texts of those to whom they lead. */
  readonly shares: readonly GrantPath[]
  readonly plain: ReadonlyMap<string, readonly GrantPath[]>
  readonly view: LookedAt
  readonly budget: LookBudget
  /** All certificates, by the texts of those to whom they grant or whom they name. */
  naming(text: string): readonly OpenProofCert[]
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
          if (isCut(step)) unlisted.add(path)
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
    naming: (text) =>
      (issued.bySubject.get(text) ?? []).map((cert) => (view.tests === 'assumed' ? validated(cert) : cert)),
  }
}

/** Whether somebody is called by a name that would lead on, but by more names, or more certificates in a row, than are followed. */
function isCut(step: GrantStep): boolean {
  return 'name' in step && 'refusal' in step && step.refusal.code === 'CAPS_TOO_LARGE'
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
  const targets = [...bySubject.values()]
    .flat()
    .flatMap(({ id, record, envelope }) => [
      id,
      ...envelope.signatures.map(({ key }) => key),
      ...keysIn(record.subject, (vault) => operatorsOf(keys, vault)),
      ...(validations?.of(id) ?? []).flatMap((validation) => [validation.id, ...validation.voices.claimed]),
    ])
  return new Set([...new Set(targets)].flatMap((target) => revocations.revokers(target)))
}

/** Whether it is held only as a share of a threshold. */
export function isShare({ shares }: GrantPath): boolean {
  return shares.length > 0
}

/** A certificate as it stands where whatever has to be validated is. */
function validated(cert: OpenProofCert): OpenProofCert {
  if (isNameCert(cert)) return cert
  const checks = cert.record.checks.filter((test) => !isValidationCheck(test))
  return { ...cert, record: { ...cert.record, checks } }
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
