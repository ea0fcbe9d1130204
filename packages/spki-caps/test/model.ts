import type { Envelope, KeyId, KeyState, Signer } from '@vault/core'
import type { Circumstances, Principal, Question, Root, Tag } from '@vault/spki-caps'
import {
  createKeyDirectory,
  createRevocationView,
  createValidation,
  createValidationView,
  hashPrincipal,
  knownVoices,
  namePrincipal,
  openCapCert,
  principalText,
  thresholdPrincipal,
  vaultPrincipal,
} from '@vault/spki-caps'
import fc from 'fast-check'
import { cert, DAY, keyStates, later, NOW, nameCert, revoke, signer } from './world.ts'

/** How many certificates in a row are looked at: the judge tries all ways. */
export const DEEPEST: number = 4
/** Seconds for which a validation counts. */
const MAX_AGE = 60

/** Who can issue and be granted to: by number, so that a world is written down in a failure. */
export interface Actor {
  readonly principal: Principal
  /** Sets of signers each of which can issue for it. */
  readonly issuers: readonly (readonly Signer[])[]
}

/** One certificate, by numbers. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly tag: number
  readonly delegate: boolean
  readonly depth: number | undefined
  readonly expired: boolean
  /** Which of the sets of signers of its issuer sign it; one less than is needed where `short`. */
  readonly by: number
  readonly short: boolean
  /** Who revoked it: the number of a key. */
  readonly revokedBy: number | undefined
  /** Who has to validate it, the number of a key, and whether that was done. */
  readonly validation: { readonly by: number; readonly made: 'lately' | 'long ago' | 'never' } | undefined
}

/** One name certificate: its issuer is an actor who can have names. */
export interface Calling extends Pick<Edge, 'from' | 'to' | 'expired' | 'by' | 'short' | 'revokedBy'> {
  readonly word: number
}

export interface Plan {
  readonly callings: readonly Calling[]
  readonly edges: readonly Edge[]
  readonly roots: readonly {
    readonly at: number
    readonly tag: number
    readonly delegate: boolean
    readonly depth: number | undefined
  }[]
  /** Who asks: numbers of keys. */
  readonly asking: readonly number[]
  /** Keys that revoke themselves. */
  readonly stolen: readonly number[]
}

export const PEOPLE: readonly Signer[] = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => signer(`person ${name}`))
const [a, b, c, d, e, f] = PEOPLE as [Signer, Signer, Signer, Signer, Signer, Signer]
const inOrder = (...signers: Signer[]) => signers.sort((x, y) => (x.key < y.key ? -1 : 1))

export const STATES: readonly KeyState[] = [(await keyStates([{ operators: inOrder(e, f) }], 2)).at(-1) as KeyState]
const house = vaultPrincipal((STATES[0] as KeyState).vault)

const pairsOf = (...signers: Signer[]) =>
  signers.flatMap((x, i) => signers.slice(i + 1).map((y): readonly Signer[] => [x, y]))

export const ACTORS: readonly Actor[] = [
  ...PEOPLE.map((person) => ({ principal: person.key, issuers: [[person]] })),
  ...[a, c].map((person) => ({ principal: hashPrincipal(person.key), issuers: [[person]] })),
  { principal: house, issuers: [[e, f]] },
  { principal: thresholdPrincipal(2, [a.key, b.key, c.key]), issuers: pairsOf(a, b, c) },
  { principal: thresholdPrincipal(1, [b.key, d.key]), issuers: [[b], [d]] },
  // One person under two names, beside another.
  { principal: thresholdPrincipal(2, [a.key, hashPrincipal(a.key), d.key]), issuers: [[a, d]] },
  {
    principal: thresholdPrincipal(2, [house, c.key, d.key]),
    issuers: [
      [c, d],
      [c, e, f],
    ],
  },
  {
    principal: thresholdPrincipal(2, [thresholdPrincipal(2, [a.key, b.key]), c.key]),
    issuers: [[a, b, c]],
  },
]

/** Those who give names, by their numbers as actors. */
const CALLERS = [0, 1, 8]
export const WORDS: readonly string[] = ['x', 'y']
const nameOf = (actor: number, ...names: readonly string[]) => {
  const { principal } = ACTORS[actor] as Actor
  return namePrincipal(principal as typeof a.key | typeof house, ...names)
}

/** Who can be granted to, or called by a name: the actors first. Names issue nothing. */
export const RECEIVERS: readonly Principal[] = [
  ...ACTORS.map(({ principal }) => principal),
  nameOf(0, 'x'),
  nameOf(1, 'y'),
  nameOf(8, 'x'),
  nameOf(0, 'x', 'y'),
  nameOf(8, 'y', 'x'),
  thresholdPrincipal(2, [nameOf(0, 'x'), nameOf(1, 'y')]),
  thresholdPrincipal(2, [nameOf(8, 'x'), nameOf(8, 'y'), c.key]),
  thresholdPrincipal(2, [house, nameOf(0, 'x')]),
  thresholdPrincipal(1, [nameOf(8, 'x'), d.key]),
]

export const TAGS: readonly Tag[] = [
  '*',
  ['vault', { set: ['read', 'migrate'] }],
  ['vault', '*', 'x'],
  ['vault', 'read', 'x'],
  ['vault', 'migrate', { prefix: 'x' }],
]
export const ASKED: Tag = ['vault', 'migrate', 'x']

const anyIndex = (length: number) => fc.nat({ max: length - 1 })
const anyDepth = fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined, freq: 3 })
const rarely = fc.nat({ max: 15 }).map((n) => n === 0)
const anyTagIndex = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: anyIndex(TAGS.length) })

const anyReceiver = fc.oneof(
  { weight: 3, arbitrary: anyIndex(ACTORS.length) },
  { weight: 2, arbitrary: fc.integer({ min: ACTORS.length, max: RECEIVERS.length - 1 }) },
)

/** Of several whom a name may be, fewer may be counted than could be: here it is always told in how many ways they speak. */
const anyCalled = fc.constantFrom(
  ...[...RECEIVERS.keys()].filter((n) => {
    const { of = [], threshold = 1 } = { ...(RECEIVERS[n] as { of?: object; threshold?: number }) }
    return threshold === 1 || (Array.isArray(of) && of.length === threshold && !JSON.stringify(of).includes('names'))
  }),
)

/** The name that a calling is about. */
export function calledName({ from, word }: Pick<Calling, 'from' | 'word'>): ReturnType<typeof nameOf> {
  return nameOf(from, WORDS[word] as string)
}

function isNoSelf(calling: Calling): boolean {
  return principalText(calledName(calling)) !== principalText(RECEIVERS[calling.to] as Principal)
}

/** Roots that take several people, by their numbers as receivers. */
const COUNCILS = [...RECEIVERS.keys()].filter((n) => typeof RECEIVERS[n] === 'object' && 'threshold' in RECEIVERS[n])

/**
 * `revokers`: who revokes certificates beside their issuers. `where`: what is granted by `councils`, whose members mostly grant by
 * themselves.
 */
export function anyPlan(
  revokers: 'issuers' | 'anyone',
  where: 'anywhere' | 'councils' = 'anywhere',
): fc.Arbitrary<Plan> {
  const isCouncil = where === 'councils'
  const person = anyIndex(PEOPLE.length)
  const revokedBy = fc.option(anyIndex(PEOPLE.length), { nil: undefined, freq: revokers === 'anyone' ? 3 : 9 })
  const anyEdge: fc.Arbitrary<Edge> = fc.record({
    from: isCouncil
      ? fc.oneof({ weight: 4, arbitrary: person }, { weight: 1, arbitrary: anyIndex(ACTORS.length) })
      : anyIndex(ACTORS.length),
    to: isCouncil
      ? fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 2, max: 4 }) }, { weight: 1, arbitrary: anyReceiver })
      : anyReceiver,
    tag: anyTagIndex,
    delegate: fc.nat({ max: 4 }).map((n) => n > 0),
    depth: anyDepth,
    expired: rarely,
    by: fc.nat({ max: 5 }),
    short: rarely,
    validation: isCouncil
      ? fc.constant(undefined)
      : fc.option(
          fc.record({
            by: anyIndex(PEOPLE.length),
            made: fc.constantFrom('lately', 'lately', 'lately', 'long ago', 'never'),
          }),
          { nil: undefined, freq: 1 },
        ),
    revokedBy,
  })
  const anyCalling: fc.Arbitrary<Calling> = fc.record({
    from: fc.constantFrom(...CALLERS),
    word: anyIndex(WORDS.length),
    to: revokers === 'anyone' ? anyReceiver : anyCalled,
    expired: rarely,
    by: fc.nat({ max: 5 }),
    short: rarely,
    revokedBy,
  })
  return fc
    .record({
      callings: fc.uniqueArray(anyCalling.filter(isNoSelf), {
        maxLength: 10,
        selector: ({ from, word, to }) => `${from} ${word} ${to}`,
      }),
      edges: fc.array(anyEdge, { minLength: 10, maxLength: 30 }),
      roots: fc.array(
        fc.record({
          at: isCouncil ? fc.constantFrom(...COUNCILS) : anyReceiver,
          tag: anyTagIndex,
          delegate: fc.nat({ max: 6 }).map((n) => n > 0),
          depth: anyDepth,
        }),
        { minLength: 1, maxLength: 2 },
      ),
      asking: fc.uniqueArray(anyIndex(PEOPLE.length), { minLength: 1, maxLength: 3 }),
      stolen: fc.array(anyIndex(PEOPLE.length), { maxLength: 1 }).map((keys) => (keys[0] === 0 ? keys : [])),
    })

    .map((plan) =>
      revokers === 'anyone'
        ? plan
        : { ...plan, edges: plan.edges.map(byIssuer), callings: plan.callings.map(byIssuer) },
    )
}

/** People, a vault, councils and a council of one, and names and councils of names, by their numbers as actors or receivers. */
const FEW_ISSUERS = [0, 1, 2, 3, 6, 8, 9, 12, 13]
const FEW_RECEIVERS = [1, 2, 3, 4, 8, 9, 13, 14, 15, 17, 19, 21]
const FEW_ROOTS = [0, 8, 9, 12, 13, 14, 19, 21]

/** Few certificates that mostly hang together, revoked by anybody who may be above: a judge can try all of them in every order. */
export function anySmallPlan(most = 7): fc.Arbitrary<Plan> {
  const revokedBy = fc.option(fc.nat({ max: 4 }), { nil: undefined, freq: 2 })
  const person = fc.nat({ max: 3 })
  const anyEdge: fc.Arbitrary<Edge> = fc.record({
    from: fc.oneof({ weight: 3, arbitrary: person }, { weight: 2, arbitrary: fc.constantFrom(...FEW_ISSUERS) }),
    to: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 2, arbitrary: fc.constantFrom(...FEW_RECEIVERS) },
    ),
    tag: fc.constant(0),
    delegate: fc.nat({ max: 7 }).map((n) => n > 0),
    depth: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined, freq: 8 }),
    expired: fc.constant(false),
    by: fc.nat({ max: 5 }),
    short: fc.constant(false),
    validation: fc.constant(undefined),
    revokedBy,
  })
  const anyCalling: fc.Arbitrary<Calling> = fc.record({
    from: fc.constantFrom(...CALLERS),
    word: anyIndex(WORDS.length),
    to: fc.constantFrom(1, 2, 3, 4, ...FEW_RECEIVERS),
    expired: fc.constant(false),
    by: fc.nat({ max: 5 }),
    short: fc.constant(false),
    revokedBy,
  })
  return fc.record({
    callings: fc.uniqueArray(anyCalling.filter(isNoSelf), {
      maxLength: 3,
      selector: ({ from, word, to }) => `${from} ${word} ${to}`,
    }),
    edges: fc.array(anyEdge, { minLength: 3, maxLength: most }),
    roots: fc.array(
      fc.record({
        at: fc.constantFrom(...FEW_ROOTS),
        tag: fc.constant(0),
        delegate: fc.constant(true),
        depth: fc.constant(undefined),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    asking: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 2 }),
    stolen: fc.array(fc.nat({ max: 4 }), { maxLength: 1 }).map((keys) => (keys[0] === 0 ? keys : [])),
  })
}

/** Revoked by its issuer, where that is one key, or not at all. */
function byIssuer<T extends Pick<Edge, 'from' | 'revokedBy'>>(edge: T): T {
  return { ...edge, revokedBy: edge.revokedBy !== undefined && edge.from < PEOPLE.length ? edge.from : undefined }
}

/** A plan with everything signed. */
export interface World {
  /** Those of the edges, then those of the callings. */
  readonly certificates: readonly Envelope[]
  readonly question: Question
  readonly circumstances: Circumstances
}

export async function build(plan: Plan): Promise<World> {
  const certificates = await Promise.all([...plan.edges.map(certOf), ...plan.callings.map(nameCertOf)])
  const revocations = await Promise.all([
    ...[...plan.edges, ...plan.callings].flatMap(({ revokedBy }, i) =>
      revokedBy === undefined ? [] : [revoke(PEOPLE[revokedBy] as Signer, certificates[i] as Envelope)],
    ),
    ...plan.stolen.map((n) => PEOPLE[n] as Signer).map((person) => revoke(person, { key: person.key })),
  ])
  const validations = await Promise.all(
    plan.edges.flatMap((edge, i) => validationOf(edge, certificates[i] as Envelope)),
  )
  const keys = createKeyDirectory(STATES)
  const roots = plan.roots.map(
    ({ at, tag, delegate, depth }, i): Root => ({
      name: `root ${i}`,
      subject: RECEIVERS[at] as Principal,
      tag: TAGS[tag] as Tag,
      delegate,
      ...(depth === undefined ? {} : { depth }),
      revocations: 'none',
    }),
  )
  return {
    certificates,
    question: { action: 'migrate', tag: ASKED, voices: knownVoices(askingKeys(plan)) },
    circumstances: {
      roots,
      keys,
      revocations: createRevocationView({ revocations, sets: [], keys }),
      validations: createValidationView({ validations, keys }),
      now: NOW,
      limits: { depth: DEEPEST },
    },
  }
}

export function askingKeys({ asking }: Plan): readonly KeyId[] {
  return asking.map((n) => (PEOPLE[n] as Signer).key)
}

/** The signers of a certificate: too few where the plan says so. */
export function signersOf({ from, by, short }: Pick<Edge, 'from' | 'by' | 'short'>): readonly Signer[] {
  const { issuers } = ACTORS[from] as Actor
  const signers = issuers[by % issuers.length] as readonly Signer[]
  if (!short) return signers
  return signers.length > 1 ? signers.slice(1) : [signer('a stranger')]
}

function validationOf({ validation }: Edge, certificate: Envelope): readonly Promise<Envelope>[] {
  if (validation === undefined || validation.made === 'never') return []
  const by = PEOPLE[validation.by] as Signer
  const from = later(validation.made === 'lately' ? -MAX_AGE * 1000 : -(MAX_AGE + 1) * 1000)
  const draft = { issuer: by.key, certificate: openCapCert(certificate).id, from, until: later(DAY) }
  return [createValidation(draft, [by])]
}

async function certOf(edge: Edge): Promise<Envelope> {
  const { from, to, tag, delegate, depth, expired, validation } = edge
  const { principal } = ACTORS[from] as Actor
  return await cert(signersOf(edge), RECEIVERS[to] as Principal, {
    issuer: principal,
    tag: TAGS[tag] as Tag,
    delegate,
    ...(delegate && depth !== undefined ? { depth } : {}),
    ...(principalText(principal).startsWith('vault:') ? { epoch: 0 } : {}),
    expires: later(expired ? -1000 : DAY),
    ...(validation === undefined
      ? {}
      : { checks: [{ by: (PEOPLE[validation.by] as Signer).key, maxAge: MAX_AGE, kind: 'validation' }] }),
  })
}

async function nameCertOf(calling: Calling): Promise<Envelope> {
  const { from, to, word, expired } = calling
  const { principal } = ACTORS[from] as Actor
  return await nameCert(signersOf(calling), WORDS[word] as string, RECEIVERS[to] as Principal, {
    issuer: calledName(calling).of,
    ...(principalText(principal).startsWith('vault:') ? { epoch: 0 } : {}),
    expires: later(expired ? -1000 : DAY),
  })
}
