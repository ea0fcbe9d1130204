import type { ContentId, KeyId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { GrantPath, LookedAt } from './grant-steps.ts'
import type { Holding } from './holding.ts'
import { operatorsOf } from './key-directory.ts'
import type { JoinBudget } from './look-budget.ts'
import { covers, meet } from './meet.ts'
import type { Principal } from './principal.ts'
import { isByHash, issuingTexts, keysIn, partTexts, principalText, thresholdPrincipal } from './principal.ts'
import type { Asked } from './question.ts'
import type { Reach } from './reach.ts'
import { certified } from './reach.ts'
import { readNow } from './reading.ts'
import { seekProof } from './seek-proof.ts'
import { speak } from './speak.ts'
import type { Tag } from './tag.ts'
import { knownVoices } from './voices.ts'
import type { Ways } from './ways-from.ts'

/** Who is taken to ask. */
type Speaker = Pick<Asked, 'voices' | 'spoken'>

/** What somebody holds by several ways together, each of which is only a share of a threshold. */
export interface JointPath {
  readonly holder: Principal
  readonly held: Pick<Holding, 'tag' | 'expires' | 'left'>
  /** Each certificate after those that grant to its issuer. */
  readonly chain: readonly ContentId[]
  readonly halves: readonly (readonly ContentId[])[]
}

/** Different tags that members of a threshold give to one, and what they have in common: more are not told apart. */
const MOST_TAGS = 64
/** The halves of one that are told: he may have one more of each member. */
const MOST_HALVES = 64

/** What everybody holds together. */
export interface JointPaths {
  readonly joint: readonly JointPath[]
  /** The shares of those for whom it was not looked at to the end. */
  readonly unsettled: ReadonlySet<GrantPath>
}

/**
 * What everybody holds by shares that are enough together, or with the share that he is himself. `asked`: only whether it is this. That is
 * what a search for a proof would find for him, and nothing else.
 */
export function jointPaths(ways: Ways, asked?: Tag): JointPaths {
  const byHolder = Map.groupBy(ways.shares, ({ held }) => principalText(held.subject))
  const hashed = keysByHash(ways)
  const byKey = waysOfKeys(byHolder, hashed, ways)
  const several = [...byHolder.values()].filter(([path]) => typeof path?.held.subject !== 'string')
  const found = new Map<string, readonly JointPath[]>()
  const unsettled = new Set<GrantPath>()
  let waiting = several.length + byKey.size
  const look = (holder: Principal, speaker: Speaker, own: readonly GrantPath[]): readonly JointPath[] => {
    const joint = ways.budget.inPart(waiting--, (budget) =>
      jointOf({ holder, ...speaker }, own, { ...ways, budget }, asked),
    )
    if (joint === undefined) for (const path of own) unsettled.add(path)
    return joint ?? []
  }
  for (const own of several) {
    const { subject } = (own[0] as GrantPath).held
    found.set(principalText(subject), look(subject, anybody(subject, hashed, ways.view), own))
  }
  for (const [key, own] of byKey) {
    const forms = new Set(own.map(({ held }) => principalText(held.subject)))
    const known = [...forms].flatMap((text) => found.get(text) ?? [])
    const joint = look(key, asking([key]), own)
    found.set(
      key,
      joint.filter(({ held }) => !known.some((other) => covers(other.held.tag, held.tag))),
    )
  }
  return { joint: [...found.values()].flat(), unsettled }
}

/** The same for these keys, when all of them sign: also by what was granted to one and to another. */
export function jointPathsOf(keys: readonly KeyId[], ways: Ways): JointPaths {
  const hearing = { ...asking(keys), operators: operatorsIn(ways.view) }
  const own = ways.shares.filter(({ held }) => speak(held.subject, hearing).ok)
  const [first, ...others] = keys
  if (first === undefined || own.length === 0) return { joint: [], unsettled: new Set() }
  const holder = others.length === 0 ? first : thresholdPrincipal(keys.length, keys)
  const joint = ways.budget.inPart(1, (budget) => jointOf({ holder, ...asking(keys) }, own, { ...ways, budget }))
  return { joint: joint ?? [], unsettled: new Set(joint === undefined ? own : []) }
}

function jointOf(
  { holder, ...speaker }: Speaker & { readonly holder: Principal },
  own: readonly GrantPath[],
  ways: Omit<Ways, 'budget'> & { readonly budget: JoinBudget },
  asked?: Tag,
): readonly JointPath[] {
  const { root, view, budget, naming } = ways
  const without = onlyPlain(own, principalText(holder), ways)
  const found: JointPath[] = []
  for (const tag of asked === undefined ? commonTags(own, budget) : [asked]) {
    budget.spend(own.length)
    const isHeld = own.some(({ held }) => covers(held.tag, tag))
    if (!isHeld || found.some(({ held }) => covers(held.tag, tag))) continue
    const proved = readNow(seekProof({ ...speaker, tag }, root, view, { budget, without }), naming)
    if (proved?.verdict.ok !== true) continue
    const { effective } = proved.verdict
    const held = { tag: effective.tag, expires: effective.expires ?? Number.POSITIVE_INFINITY, left: proved.left }
    found.push({
      holder,
      held,
      chain: proved.proof.map(({ id }) => id),
      halves: inOrderOf(own, rowsIn(proved.said.through)),
    })
  }
  return found.filter((each) => !found.some((other) => other !== each && isMore(other, each)))
}

/** The last certificates of those ways by which somebody holds something by one chain, as far as they are in none of his shares: what he holds together is beside that. */
function onlyPlain(own: readonly GrantPath[], holder: string, { plain }: Pick<Ways, 'plain'>): ReadonlySet<ContentId> {
  const forms = new Set([holder, ...own.map(({ held }) => principalText(held.subject))])
  const last = [...forms].flatMap((text) => (plain.get(text) ?? []).flatMap(({ links }) => links.at(-1)?.id ?? []))
  return new Set(last).difference(new Set(own.flatMap(({ links }) => links.map(({ id }) => id))))
}

/** The rows of certificates by which something was said, each from the root on. */
function rowsIn(through: readonly Reach[]): readonly (readonly ContentId[])[] {
  const rows: (readonly ContentId[])[] = []
  const add = (reaches: readonly Reach[], row: readonly ContentId[]): void => {
    for (const { cert, via } of certified(reaches)) {
      if (rows.length === MOST_HALVES) return
      const longer = [...row, cert.id]
      if (certified(via).length > 0) add(via, longer)
      else rows.push(longer)
    }
  }
  add(through, [])
  return rows
}

/** The shortest first, then those that hold the longest. */
function inOrderOf(
  own: readonly GrantPath[],
  rows: readonly (readonly ContentId[])[],
): readonly (readonly ContentId[])[] {
  const ends = own.toSorted(shortestFirst).map(({ links }) => links.at(-1)?.id)
  return rows.toSorted((a, b) => ends.indexOf(a.at(-1)) - ends.indexOf(b.at(-1)))
}

function shortestFirst(a: GrantPath, b: GrantPath): number {
  if (a.links.length !== b.links.length) return a.links.length - b.links.length
  return a.held.expires === b.held.expires ? 0 : b.held.expires - a.held.expires
}

/** The ways to each key that can speak alone for those to whom they lead. */
function waysOfKeys(
  byHolder: ReadonlyMap<string, readonly GrantPath[]>,
  hashed: ReadonlyMap<string, KeyId>,
  { view }: Pick<Ways, 'view'>,
): ReadonlyMap<KeyId, readonly GrantPath[]> {
  const found = new Map<KeyId, GrantPath[]>()
  const add = (key: KeyId, ways: readonly GrantPath[]) => {
    const known = found.get(key)
    if (known === undefined) found.set(key, [...ways])
    else known.push(...ways)
  }
  const operators = operatorsIn(view)
  for (const ways of byHolder.values()) {
    const { subject } = (ways[0] as GrantPath).held
    const keys = keysIn(subject, operators)
    for (const key of keys) if (speak(subject, { voices: knownVoices([key]), operators }).ok) add(key, ways)
  }
  for (const [text, key] of hashed) if (byHolder.has(text)) add(key, byHolder.get(text) ?? [])
  return found
}

/** The keys that are in any of these ways, by the texts of their hashes; none where nobody is meant by one. */
function keysByHash({ paths, view }: Pick<Ways, 'paths' | 'view'>): ReadonlyMap<string, KeyId> {
  if (!paths.some(({ held }) => isByHash(held.subject))) return new Map()
  const all = new Set(paths.flatMap(({ held }) => keysIn(held.subject, operatorsIn(view))))
  return new Map(
    [...all].flatMap((key) =>
      issuingTexts(key)
        .slice(1)
        .map((text) => [text, key] as const),
    ),
  )
}

/** The tags of these, and what any of them have in common. */
function commonTags(ways: readonly GrantPath[], budget: JoinBudget): readonly Tag[] {
  const found = new Map<string, Tag>()
  const add = (tag: Tag) => found.size < MOST_TAGS && found.set(JSON.stringify(tag), tag)
  for (const { held } of ways) add(held.tag)
  const own = [...found.values()]
  for (const one of found.values()) {
    if (found.size >= MOST_TAGS) break
    budget.spend(own.length)
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

function isMore({ held: a }: JointPath, { held: b }: JointPath): boolean {
  return a.left >= b.left && a.expires >= b.expires && covers(a.tag, b.tag)
}

function operatorsIn({ keys }: LookedAt) {
  return (vault: ContentId) => operatorsOf(keys, vault)
}

function asking(keys: readonly KeyId[]): Speaker {
  return { voices: knownVoices(keys) }
}

/** Whoever it takes to speak for this principal. It stands for one person, who is none of those who have issued, nor any of its keys. */
function anybody(principal: Principal, hashed: ReadonlyMap<string, KeyId>, view: LookedAt): Speaker {
  const text = principalText(principal)
  const byHash = partTexts(principal).flatMap((part) => hashed.get(part) ?? [])
  const keys = [text as KeyId, ...keysIn(principal, operatorsIn(view)), ...byHash]
  return { voices: knownVoices([]), spoken: new Map([[text, [{ keys }]]]) }
}
