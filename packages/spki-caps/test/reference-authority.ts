import type { KeyId } from '@vault/core'
import type { NamePrincipal, Principal, Tag } from '@vault/spki-caps'
import { hashPrincipal, principalText } from '@vault/spki-caps'
import type { Actor, Calling, Edge, Plan } from './model.ts'
import {
  ACTORS,
  ASKED,
  askingKeys,
  calledName,
  DEEPEST,
  PEOPLE,
  RECEIVERS,
  STATES,
  signersOf,
  TAGS,
  WORDS,
} from './model.ts'
import { matches } from './reference-tag.ts'

/** Keys by which a principal speaks; and for each name on the way, whose it is and who signed that somebody is called so. */
interface Way {
  readonly keys: ReadonlySet<KeyId>
  readonly named: readonly { readonly of: string; readonly by: ReadonlySet<KeyId> }[]
}

/** What stands above in a chain. */
interface Above {
  /** So many certificates may follow. */
  readonly left: number
  readonly revokers: ReadonlySet<string>
  readonly used: ReadonlySet<Edge>
  readonly called: ReadonlySet<Calling>
  /** Names that have led here since the last edge. */
  readonly trail: ReadonlySet<string>
}

/**
 * Whether a plan grants what is asked, from the definition: every way down from every root is tried, of a threshold
 * every choice of members and of the ways in which they speak, and of a name everybody who is called so. Exponential, and knows nothing
 * of the code that it judges but how principals are written.
 */
export function isGranted(plan: Plan, deepest = DEEPEST): boolean {
  const { edges, callings } = plan
  const stolen = new Set(plan.stolen.map((n) => keyOf(n)))
  const asking = new Set(askingKeys(plan).filter((key) => !stolen.has(key)))
  const signersThat = (edge: Parameters<typeof signersOf>[0]) =>
    new Set(
      signersOf(edge)
        .map(({ key }) => key)
        .filter((key) => !stolen.has(key)),
    )

  const ways = (principal: Principal, above: Above): readonly Way[] => {
    const { left, used } = above
    const found: Way[] = []
    for (const edge of left < 1 ? [] : edges) {
      const issuer = (ACTORS[edge.from] as Actor).principal
      if (used.has(edge) || !isSpokenAs(issuer, principal)) continue
      const revokers = new Set([...above.revokers, principalText(issuer)])
      if (!isGood(edge, revokers) || !isValidated(edge, stolen)) continue
      const by = direct(issuer, signersThat(edge))
      const further = edge.delegate ? Math.min(left - 1, edge.depth ?? left) : 0
      if (by.length === 0) continue
      const below = {
        left: further,
        revokers,
        used: new Set([...used, edge]),
        called: above.called,
        trail: new Set<string>(),
      }
      if (ways(RECEIVERS[edge.to] as Principal, below).length > 0) found.push(...by)
    }
    if (typeof principal === 'object' && 'names' in principal) {
      for (const calling of callings) found.push(...waysByName(calling, principal, above))
    } else if (typeof principal === 'object' && 'threshold' in principal) {
      const members = principal.of.map((member) => ways(member, above))
      found.push(...choices(members, principal.threshold))
    } else found.push(...direct(principal, asking))
    return found
  }

  const waysByName = (calling: Calling, principal: NamePrincipal, above: Above): readonly Way[] => {
    // In a proof it stands once.
    if (above.called.has(calling)) return []
    const called = new Set([...above.called, calling])
    const { of } = calledName(calling)
    const [first, ...rest] = principal.names
    if (first !== WORDS[calling.word] || principalText(of) !== principalText(principal.of)) return []
    const subject = RECEIVERS[calling.to] as Principal
    const into = goingOn(subject, rest)
    const trail = new Set([...above.trail, principalText(principal)])
    // What a name comes to through itself it comes to without.
    if (into === undefined || above.trail.has(principalText(principal))) return []
    const revokers = new Set([...above.revokers, principalText(of)])
    if (calling.expired || isRevoked(calling, revokers)) return []
    const [by] = direct(of, signersThat(calling))
    if (by === undefined) return []
    return ways(into, { ...above, revokers, called, trail }).map(({ keys, named }) => {
      const others = hasNames(subject) ? named.filter((name) => name.of !== principalText(of)) : []
      const all = new Set([...keys, ...others.flatMap((name) => [...name.by])])
      return { keys: all, named: [{ of: principalText(of), by: by.keys }] }
    })
  }

  return plan.roots.some(({ at, tag, delegate, depth }) => {
    const principal = RECEIVERS[at] as Principal
    const left = delegate ? Math.min(depth ?? deepest, deepest) : 0
    const above = {
      left,
      revokers: new Set([principalText(principal)]),
      used: new Set<Edge>(),
      called: new Set<Calling>(),
      trail: new Set<string>(),
    }
    return matches(TAGS[tag] as Tag, ASKED) && ways(principal, above).length > 0
  })
}

/** The principal with names behind it, where it calls anybody by names. */
function goingOn(subject: Principal, rest: readonly string[]): Principal | undefined {
  if (rest.length === 0) return subject
  if (typeof subject === 'string' || 'vault' in subject) return { of: subject, names: rest }
  if (!('names' in subject) || subject.names.length + rest.length > 4) return undefined
  return { of: subject.of, names: [...subject.names, ...rest] }
}

function hasNames(principal: Principal): boolean {
  return (
    typeof principal === 'object' && ('names' in principal || ('threshold' in principal && principal.of.some(hasNames)))
  )
}

function keyOf(n: number): KeyId {
  return PEOPLE[n]?.key as KeyId
}

function isGood(edge: Edge, revokers: ReadonlySet<string>): boolean {
  // Who has to validate a certificate may revoke it, too.
  const all = edge.validation === undefined ? revokers : new Set([...revokers, keyOf(edge.validation.by)])
  return matches(TAGS[edge.tag] as Tag, ASKED) && !edge.expired && !isRevoked(edge, all)
}

function isValidated({ validation }: Edge, stolen: ReadonlySet<KeyId>): boolean {
  return validation === undefined || (validation.made === 'lately' && !stolen.has(keyOf(validation.by)))
}

function isRevoked({ revokedBy }: Pick<Edge, 'revokedBy'>, revokers: ReadonlySet<string>): boolean {
  return revokedBy !== undefined && revokers.has(keyOf(revokedBy))
}

/** Whether what this one issues is issued by that one too: a key is also its hash. */
function isSpokenAs(issuer: Principal, principal: Principal): boolean {
  if (principalText(issuer) === principalText(principal)) return true
  return typeof issuer === 'string' && principalText(hashPrincipal(issuer)) === principalText(principal)
}

/** Whether this key alone speaks for a principal. */
export function speaksAlone(key: KeyId, principal: Principal): boolean {
  return direct(principal, new Set([key])).length > 0
}

/** The ways in which a principal speaks by its own keys. */
function direct(principal: Principal, speaking: ReadonlySet<KeyId>): readonly Way[] {
  const one = (key: KeyId | undefined): readonly Way[] =>
    key !== undefined && speaking.has(key) ? [{ keys: new Set([key]), named: [] }] : []
  if (typeof principal === 'string') return one(principal)
  if ('hash' in principal) {
    return one(PEOPLE.find(({ key }) => principalText(hashPrincipal(key)) === principalText(principal))?.key)
  }
  if ('threshold' in principal)
    return choices(
      principal.of.map((member) => direct(member, speaking)),
      principal.threshold,
    )
  if ('names' in principal) return []
  const operators = STATES.find(({ vault }) => vault === principal.vault.id)?.roles.operators
  if (operators === undefined) return []
  return choices(
    operators.keys.map((key) => direct(key, speaking)),
    operators.threshold,
  )
}

/** All unions of the ways of so many different members that have no key in common. */
function choices(members: readonly (readonly Way[])[], need: number): readonly Way[] {
  if (need === 0) return [{ keys: new Set<KeyId>(), named: [] }]
  const [first, ...others] = members
  if (first === undefined) return []
  const without = choices(others, need)
  const rest = choices(others, need - 1)
  const chosen = first.flatMap((way) =>
    rest
      .filter((more) => way.keys.isDisjointFrom(more.keys))
      .map((more) => ({ keys: way.keys.union(more.keys), named: [...way.named, ...more.named] })),
  )
  return [...without, ...chosen]
}
