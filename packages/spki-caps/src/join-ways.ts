import type { ContentId, KeyId } from '@vault/core'
import type { ChainLink, Speaker } from './close-chain.ts'
import { hearChain } from './close-chain.ts'
import type { GrantPath, GrantStep, LookedAt, PathLink } from './grant-steps.ts'
import { stepBy } from './grant-steps.ts'
import type { Holding } from './holding.ts'
import { joinOrUndefined, jointOrUndefined } from './holding.ts'
import type { LookBudget } from './look-budget.ts'
import { resolved } from './name-link.ts'
import { nameStep } from './name-step.ts'
import { issuingTexts, partTexts, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert } from './proof-cert.ts'

/** Several ways down from a root, looked at as one chain. */
export interface JoinedWays {
  readonly held: Pick<Holding, 'tag' | 'expires' | 'left'>
  /** Each certificate after those that grant to its issuer. */
  readonly chain: readonly ContentId[]
  /** Whether they are enough for the root when this one speaks, without the certificates that let nobody speak then, which are `silent`. */
  heard(speaker: Speaker): { readonly isEnough: boolean; readonly silent: ReadonlySet<ContentId> }
}

/** A certificate of several ways. */
interface Knot {
  readonly cert: OpenProofCert
  /** The texts of all from whom something comes by it. */
  readonly from: readonly string[]
  /** The texts of all who have a part in what comes of it. */
  readonly to: ReadonlySet<string>
}

interface Look {
  readonly view: LookedAt
  readonly budget: LookBudget
}

/**
 * What these ways grant together, as the reduction of all their certificates would find: whoever issues something that several of them
 * lead to is bound by each, and whoever is above in one may revoke what follows. `undefined` where they do not go together.
 */
export function joinWays(start: GrantPath, ways: readonly GrantPath[], { view, budget }: Look): JoinedWays | undefined {
  const all = ways.flatMap(({ links }) => links)
  const { size } = new Set(all.map(({ cert }) => cert.id))
  const isTooLong = size > budget.longest
  // Before they are put in order, which takes the cube of how many there are.
  budget.spendJoining(isTooLong ? 1 : size)
  if (isTooLong) return undefined
  const knots = inOrder(start, knotsOf(all))
  if (knots === undefined) return undefined
  const holdings: Holding[] = [start.held]
  const last = new Set(holdings)
  const links: ChainLink[] = []
  let { issued } = start
  /** What everybody holds together who has a part in one of these, as the end of a path. */
  const pathTo = (from: readonly string[], parents: readonly Holding[]): GrantPath | undefined => {
    const [first] = parents
    const held = joinOrUndefined(parents)
    if (first === undefined || held === undefined) return undefined
    const { subject } = first
    return { ...start, held: { ...held, subject, parts: new Set(from) }, issued }
  }
  const take = (step: GrantStep): readonly KeyId[] | undefined => {
    if (!('path' in step)) return undefined
    const { path } = step
    holdings.push(path.held)
    last.add(path.held)
    issued = path.issued
    return path.links[0]?.keys
  }
  for (const { cert, from } of knots) {
    if (!isNameCert(cert)) {
      const parents = holdings.filter(({ parts }) => from.some((text) => parts.has(text)))
      const path = pathTo(from, parents)
      const keys = path && take(stepBy(cert, path, view))
      if (keys === undefined) return undefined
      for (const parent of parents) last.delete(parent)
      links.push({ cert, texts: from, keys })
      continue
    }
    const named = nameStep(cert, { holdings, seen: new Set(), issued }, view)
    if (named.link === undefined) return undefined
    links.push(named.link)
    for (const held of named.holdings) {
      holdings.push(held)
      last.add(held)
    }
  }
  const joint = jointOrUndefined([...last])
  if (joint === undefined) return undefined
  return {
    held: { ...joint, left: Math.min(...[...last].map(({ left }) => left)) },
    chain: knots.map(({ cert }) => cert.id),
    heard(speaker) {
      const { outcome, silent } = hearChain(start.held, links, speaker, view)
      return { isEnough: 'note' in outcome, silent: new Set([...silent.keys()].map(({ cert }) => cert.id)) }
    },
  }
}

function knotsOf(links: readonly PathLink[]): readonly Knot[] {
  const knots = new Map<ContentId, Knot>()
  for (const link of links) {
    const { id } = link.cert
    if (!('name' in link)) {
      const { cert } = link
      const { issuer, subject } = cert.record
      if (!knots.has(id)) knots.set(id, { cert, from: issuingTexts(issuer), to: new Set(partTexts(subject)) })
      continue
    }
    const { cert, name } = link
    const { from = [], to = [] } = knots.get(id) ?? {}
    const text = principalText(name)
    if (from.includes(text)) continue
    const into = partTexts(resolved(cert, name) ?? name)
    knots.set(id, { cert, from: [...from, text], to: new Set([...to, ...into]) })
  }
  return [...knots.values()]
}

/**
 * Each after all from which it comes, and those that name as late as can be: whoever has granted to a name by then may take them back, and in
 * another order a search may find less. Where some come from each other, because one has a part in what another is, the last is one without which the others are reached.
 */
function inOrder({ held }: GrantPath, knots: readonly Knot[]): readonly Knot[] | undefined {
  const ordered: Knot[] = []
  let waiting = knots
  while (waiting.length > 0) {
    const ends = waiting.filter(
      ({ to }, i) => !waiting.some(({ from }, j) => i !== j && from.some((text) => to.has(text))),
    )
    const last =
      ends.findLast(({ cert }) => isNameCert(cert)) ??
      ends.at(-1) ??
      waiting.findLast((knot) => isReached(held.parts, without(waiting, knot)))
    if (last === undefined) return undefined
    ordered.push(last)
    waiting = without(waiting, last)
  }
  return ordered.toReversed()
}

function without(knots: readonly Knot[], one: Knot): readonly Knot[] {
  return knots.filter((knot) => knot !== one)
}

/** Whether each of these comes from these parts, or from another one that does. */
function isReached(parts: ReadonlySet<string>, knots: readonly Knot[]): boolean {
  const reached = new Set(parts)
  let waiting = knots
  while (waiting.length > 0) {
    const next = waiting.find(({ from }) => from.some((text) => reached.has(text)))
    if (next === undefined) return false
    for (const text of next.to) reached.add(text)
    waiting = without(waiting, next)
  }
  return true
}
