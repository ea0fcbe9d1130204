import type { KeyId } from '@vault/core'
import type { Principal, Tag } from '@vault/spki-caps'
import { hashPrincipal, principalText } from '@vault/spki-caps'
import type { Actor, Edge, Plan } from './model.ts'
import { ACTORS, ASKED, askingKeys, DEEPEST, PEOPLE, STATES, signersOf, TAGS } from './model.ts'
import { matches } from './reference-tag.ts'

type Way = ReadonlySet<KeyId>

/**
 * Whether a plan grants what is asked, from the definition: every way down from every root is tried, and of a threshold
 * every choice of members and of the ways in which they speak. Exponential, and knows nothing of the code that it judges
 * but how principals are written.
 */
export function isGranted(plan: Plan, edges: readonly Edge[] = plan.edges, deepest = DEEPEST): boolean {
  const stolen = new Set(plan.stolen.map((n) => keyOf(n)))
  const asking = new Set(askingKeys(plan).filter((key) => !stolen.has(key)))

  /** The sets of keys by any of which this principal speaks, with so many certificates left and these revokers above. */
  const ways = (
    principal: Principal,
    left: number,
    above: ReadonlySet<string>,
    used: ReadonlySet<Edge>,
  ): readonly Way[] => {
    const found: Way[] = []
    for (const edge of left < 1 ? [] : edges) {
      const issuer = (ACTORS[edge.from] as Actor).principal
      if (used.has(edge) || !isSpokenAs(issuer, principal)) continue
      const signed = new Set(
        signersOf(edge)
          .map(({ key }) => key)
          .filter((key) => !stolen.has(key)),
      )
      const revokers = new Set([...above, principalText(issuer)])
      if (!isGood(edge, revokers) || !isValidated(edge, stolen)) continue
      const by = direct(issuer, signed)
      const further = edge.delegate ? Math.min(left - 1, edge.depth ?? left) : 0
      if (by.length === 0) continue
      const { principal: subject } = ACTORS[edge.to] as Actor
      if (ways(subject, further, revokers, new Set([...used, edge])).length > 0) found.push(...by)
    }
    if (typeof principal === 'object' && 'threshold' in principal) {
      const members = principal.of.map((member) => ways(member, left, above, used))
      found.push(...choices(members, principal.threshold))
    } else found.push(...direct(principal, asking))
    return found
  }

  return plan.roots.some(({ at, tag, delegate, depth }) => {
    const { principal } = ACTORS[at] as Actor
    const left = delegate ? Math.min(depth ?? deepest, deepest) : 0
    return (
      matches(TAGS[tag] as Tag, ASKED) &&
      ways(principal, left, new Set([principalText(principal)]), new Set()).length > 0
    )
  })
}

function keyOf(n: number): KeyId {
  return PEOPLE[n]?.key as KeyId
}

function isGood({ tag, expired, revokedBy, validation }: Edge, revokers: ReadonlySet<string>): boolean {
  const mayRevoke = (n: number) => revokers.has(keyOf(n)) || n === validation?.by
  return matches(TAGS[tag] as Tag, ASKED) && !expired && !(revokedBy !== undefined && mayRevoke(revokedBy))
}

function isValidated({ validation }: Edge, stolen: ReadonlySet<KeyId>): boolean {
  return validation === undefined || (validation.made === 'lately' && !stolen.has(keyOf(validation.by)))
}

/** Whether what this one issues is issued by that one too: a key is also its hash. */
function isSpokenAs(issuer: Principal, principal: Principal): boolean {
  if (principalText(issuer) === principalText(principal)) return true
  return typeof issuer === 'string' && principalText(hashPrincipal(issuer)) === principalText(principal)
}

/** The ways in which a principal speaks by its own keys. */
function direct(principal: Principal, speaking: ReadonlySet<KeyId>): readonly Way[] {
  const one = (key: KeyId | undefined) => (key !== undefined && speaking.has(key) ? [new Set([key])] : [])
  if (typeof principal === 'string') return one(principal)
  if ('hash' in principal) {
    return one(PEOPLE.find(({ key }) => principalText(hashPrincipal(key)) === principalText(principal))?.key)
  }
  if ('threshold' in principal)
    return choices(
      principal.of.map((member) => direct(member, speaking)),
      principal.threshold,
    )
  const operators = STATES.find(({ vault }) => vault === principal.vault.id)?.roles.operators
  if (operators === undefined) return []
  return choices(
    operators.keys.map((key) => direct(key, speaking)),
    operators.threshold,
  )
}

/** All unions of the ways of so many different members that have no key in common. */
function choices(members: readonly (readonly Way[])[], need: number): readonly Way[] {
  if (need === 0) return [new Set<KeyId>()]
  const [first, ...others] = members
  if (first === undefined) return []
  const without = choices(others, need)
  const rest = choices(others, need - 1)
  const chosen = first.flatMap((way) => rest.filter((more) => way.isDisjointFrom(more)).map((more) => way.union(more)))
  return [...without, ...chosen]
}
