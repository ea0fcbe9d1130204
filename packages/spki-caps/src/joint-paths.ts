import type { ContentId, KeyId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Speaker } from './close-chain.ts'
import type { GrantPath, LookedAt } from './grant-steps.ts'
import type { JoinedWays } from './join-ways.ts'
import { joinWays } from './join-ways.ts'
import { operatorsOf } from './key-directory.ts'
import type { LookBudget } from './look-budget.ts'
import { covers, meet } from './meet.ts'
import type { Principal } from './principal.ts'
import { isHash, issuingTexts, keysIn, principalText, thresholdPrincipal } from './principal.ts'
import { speak } from './speak.ts'
import type { Tag } from './tag.ts'
import { knownVoices } from './voices.ts'

/** What somebody holds by several ways together, each of which is only a share of a threshold. */
export interface JointPath extends Pick<JoinedWays, 'held' | 'chain'> {
  readonly holder: Principal
  readonly halves: readonly (readonly ContentId[])[]
}

/** All ways down from one root. */
export interface Ways {
  readonly start: GrantPath
  readonly paths: readonly GrantPath[]
  readonly view: LookedAt
  readonly budget: LookBudget
}

/** Different tags that members of a threshold give to one, and what they have in common: more are not told apart. */
const MOST_TAGS = 64
/** Ways that are looked at for one who holds something by many. */
const MOST_WAYS = 256
/** Of those that the same members gave; more than one where a name stands for several. */
const MOST_OF_ONE = 16
/** Where ways do not go together, so many of them are tried as the first. */
const MOST_FIRST = 8

/**
 * What everybody holds by shares that are enough together, or with the share that he is himself. `asked`: only whether it is this. That is
 * what a search for a proof would find for him, and nothing else.
 */
export function jointPaths(ways: Ways, asked?: Tag): readonly JointPath[] {
  const found = new Map<string, readonly JointPath[]>()
  const byHolder = Map.groupBy(shareWays(ways), ({ held }) => principalText(held.subject))
  for (const [text, own] of byHolder) {
    const holder = (own[0] as GrantPath).held.subject
    if (typeof holder !== 'string') found.set(text, jointOf({ holder, ...anybody(holder) }, own, ways, asked))
  }
  for (const [key, own] of waysOfKeys(byHolder, ways)) {
    const forms = new Set(own.map(({ held }) => principalText(held.subject)))
    const known = [...forms].flatMap((text) => found.get(text) ?? [])
    const joint = jointOf({ holder: key, ...asking([key]) }, own, ways, asked)
    found.set(
      key,
      joint.filter(({ held }) => !known.some((other) => covers(other.held.tag, held.tag))),
    )
  }
  return [...found.values()].flat()
}

/** The same for these keys, when all of them sign: also by what was granted to one and to another. */
export function jointPathsOf(keys: readonly KeyId[], ways: Ways): readonly JointPath[] {
  const hearing = { ...asking(keys), operators: operatorsIn(ways.view) }
  const own = shareWays(ways).filter(({ held }) => speak(held.subject, hearing).ok)
  const [first, ...others] = keys
  if (first === undefined || own.length === 0) return []
  return jointOf(
    { holder: others.length === 0 ? first : thresholdPrincipal(keys.length, keys), ...asking(keys) },
    own,
    ways,
  )
}

function jointOf(
  { holder, ...speaker }: Speaker & { readonly holder: Principal },
  own: readonly GrantPath[],
  ways: Ways,
  asked?: Tag,
): readonly JointPath[] {
  const found: JointPath[] = []
  for (const tag of asked === undefined ? commonTags(own, ways.budget) : [asked]) {
    if (found.some(({ held }) => covers(held.tag, tag))) continue
    ways.budget.spendJoining(own.length)
    const joined = enough(
      own.filter(({ held }) => covers(held.tag, tag)),
      speaker,
      ways,
    )
    if (joined !== undefined) found.push({ holder, ...joined })
  }
  return found.filter((each) => !found.some((other) => other !== each && isMore(other, each)))
}

/** As few and as short ones of these as are enough. */
function enough(
  own: readonly GrantPath[],
  speaker: Speaker,
  { start, ...look }: Ways,
): Omit<JointPath, 'holder'> | undefined {
  const all = byTurns(own.toSorted(shortestFirst)).slice(0, MOST_WAYS)
  if (joinWays(start, all, look)?.heard(speaker).isEnough === false) return undefined
  for (const first of all.slice(0, MOST_FIRST)) {
    const taken: GrantPath[] = []
    for (const way of [first, ...all.filter((other) => other !== first)]) {
      const joined = joinWays(start, [...taken, way], look)
      if (joined === undefined) continue
      taken.push(way)
      const { isEnough, silent } = joined.heard(speaker)
      const found = isEnough
        ? wholeOf(taken.filter(({ links }) => !links.some(({ cert }) => silent.has(cert.id))))
        : undefined
      if (found !== undefined) return found
    }
    if (taken.length === all.length) return undefined
  }
  return undefined

  function wholeOf(ways: readonly GrantPath[]): Omit<JointPath, 'holder'> | undefined {
    const joined = joinWays(start, ways, look)
    const heard = joined?.heard(speaker)
    if (joined === undefined || heard?.isEnough !== true || heard.silent.size > 0) return undefined
    const { held, chain } = joined
    return { held, chain, halves: ways.map(({ links }) => links.map(({ cert }) => cert.id)) }
  }
}

/** One that each has given, then a second one, and so on: a member may have given the same thing any number of times, and hides no other by that. */
function byTurns(ways: readonly GrantPath[]): readonly GrantPath[] {
  const byShares = [...Map.groupBy(ways, ({ shares }) => JSON.stringify(shares)).values()]
  return Array.from({ length: MOST_OF_ONE }, (_, turn) => byShares.flatMap((each) => each.slice(turn, turn + 1))).flat()
}

/** The ways to each key that can speak alone for those to whom they lead. */
function waysOfKeys(
  byHolder: ReadonlyMap<string, readonly GrantPath[]>,
  { paths, view, budget }: Ways,
): ReadonlyMap<KeyId, readonly GrantPath[]> {
  const found = new Map<KeyId, GrantPath[]>()
  const add = (key: KeyId, ways: readonly GrantPath[]) => {
    const known = found.get(key)
    if (known === undefined) found.set(key, [...ways])
    else known.push(...ways)
  }
  const operators = operatorsIn(view)
  const byHash = new Map<string, readonly GrantPath[]>()
  for (const [text, ways] of byHolder) {
    const { subject } = (ways[0] as GrantPath).held
    if (isHash(subject)) byHash.set(text, ways)
    const keys = keysIn(subject, operators)
    budget.spendJoining(keys.length)
    for (const key of keys) if (speak(subject, { voices: knownVoices([key]), operators }).ok) add(key, ways)
  }
  if (byHash.size === 0) return found
  const all = new Set(paths.flatMap(({ held }) => keysIn(held.subject, operators)))
  budget.spendJoining(all.size)
  for (const key of all) for (const text of issuingTexts(key).slice(1)) add(key, byHash.get(text) ?? [])
  return found
}

/** The tags of these, and what any of them have in common. */
function commonTags(ways: readonly GrantPath[], budget: LookBudget): readonly Tag[] {
  const found = new Map<string, Tag>()
  const add = (tag: Tag) => found.size < MOST_TAGS && found.set(JSON.stringify(tag), tag)
  for (const { held } of ways) add(held.tag)
  const own = [...found.values()]
  for (const one of found.values()) {
    if (found.size >= MOST_TAGS) break
    budget.spendJoining(own.length)
    for (const tag of own) addMeet(one, tag, add)
  }
  return [...found.values()]
}

/** What is too large to be written down is as if there were nothing. */
function addMeet(a: Tag, b: Tag, add: (tag: Tag) => unknown): void {
  try {
    const tag = meet(a, b)
    if (tag !== undefined) add(tag)
  } catch (error) {
    if (!isVaultError(error, 'CAPS_TAG_INVALID')) throw error
  }
}

function shareWays({ paths }: Ways): readonly GrantPath[] {
  return paths.filter(({ shares }) => shares.length > 0)
}

function shortestFirst(a: GrantPath, b: GrantPath): number {
  if (a.links.length !== b.links.length) return a.links.length - b.links.length
  return a.held.expires === b.held.expires ? 0 : b.held.expires - a.held.expires
}

function isMore({ held: a }: JointPath, { held: b }: JointPath): boolean {
  return a.left >= b.left && a.expires >= b.expires && covers(a.tag, b.tag)
}

function operatorsIn({ keys }: LookedAt) {
  return (vault: ContentId) => operatorsOf(keys, vault)
}

function asking(keys: readonly KeyId[]): Speaker {
  return { voices: knownVoices(keys), spoken: new Map() }
}

/** Whoever it takes to speak for this principal. It stands for one person, who is none of those who have issued. */
function anybody(principal: Principal): Speaker {
  const text = principalText(principal)
  return { voices: knownVoices([]), spoken: new Map([[text, [{ keys: [text as KeyId, ...keysIn(principal)] }]]]) }
}
