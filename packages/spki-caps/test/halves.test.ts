import type { Envelope } from '@vault/core'
import type { AuthorityView, GrantNode } from '@vault/spki-caps'
import {
  answer,
  authorityTrees,
  countingCertificates,
  covers,
  createCertificateIndex,
  createSignatureMemo,
  hashPrincipal,
  knownVoices,
  listAuthority,
  namePrincipal,
  openCapCert,
  thresholdPrincipal,
  vaultTag,
  whatCan,
  whoCan,
} from '@vault/spki-caps'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setOf, viewOf } from './cast.ts'
import { ASKED, anyPlan, build, PEOPLE } from './model.ts'
import { isGranted, speaksAlone } from './reference-authority.ts'
import { PATIENCE, runs } from './support.ts'
import {
  ana,
  authorityView,
  ben,
  cert,
  DAY,
  eva,
  HERE,
  later,
  MIGRATE,
  mia,
  nameCert,
  ROOT,
  revoke,
  signer,
  tom,
} from './world.ts'

// A council grants something where enough of its members do, each by a certificate of his own.

const trio = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
const READ = vaultTag({ actions: ['read'], object: HERE })
const asked = { action: 'migrate', tag: MIGRATE }
const idOf = (envelope: Envelope) => openCapCert(envelope).id
const seen = (certificates: readonly Envelope[], view: Partial<AuthorityView> = {}) =>
  authorityView(certificates, { roots: [{ ...ROOT, subject: trio }], ...view })

/** Who holds what is asked by himself, as it is listed. */
function holders(view: AuthorityView) {
  return whoCan(asked, view)
    .filter(({ shares }) => shares.length === 0)
    .map(({ holder }) => holder)
}

/** What a member gives mia by so many certificates, through people whom nobody else knows. */
async function longHalf(member: typeof ana, length: number, called: string): Promise<Envelope[]> {
  const between = Array.from({ length: length - 1 }, (_, i) => signer(`${called}, ${i}`))
  const row = [member, ...between]
  return await Promise.all(row.map((one, i) => cert(one, (row[i + 1] ?? mia).key)))
}

async function isExplained(key: typeof ana.key, { certificates, ...circumstances }: AuthorityView) {
  const question = { ...asked, voices: knownVoices([key]) }
  return (await answer(question, createCertificateIndex(certificates), circumstances)).verdict.ok
}

describe('halves of what a council grants', () => {
  it('are told with one another, and each as what it is', async () => {
    const longer = { tag: MIGRATE, expires: later(2 * DAY) }
    const [first, second] = [await cert(ana, mia.key, longer), await cert(ben, mia.key)]
    const alone = seen([first])
    expect([holders(alone), await isExplained(mia.key, alone)]).toEqual([[trio], false])
    expect(whatCan([mia.key], alone)).toMatchObject({
      alone: [],
      together: [{ parts: [{ member: ana.key, needed: 2 }] }],
    })
    const both = seen([first, second])
    expect([holders(both), await isExplained(mia.key, both)]).toEqual([[trio, mia.key], true])
    const halves = [[idOf(first)], [idOf(second)]]
    expect(whatCan([mia.key], both).alone).toMatchObject([{ subject: mia.key, tag: MIGRATE, shares: [], halves }])
    expect(listAuthority(both).filter(({ shares }) => shares.length > 0)).toHaveLength(2)
    const marks = (nodes: readonly GrantNode[] = []) => nodes.map(({ parts, together }) => [parts[0]?.needed, together])
    expect(marks(authorityTrees(alone).trees[0]?.below)).toEqual([[2, undefined]])
    expect(marks(authorityTrees(both).trees[0]?.below)).toEqual([
      [2, MIGRATE],
      [2, MIGRATE],
    ])
  })

  it('go on together with what is granted on by them', async () => {
    const on = await cert(mia, tom.key)
    const both = seen([await cert(ana, mia.key), await cert(eva, mia.key), on])
    expect(holders(both)).toEqual([trio, mia.key, tom.key])
    expect(
      listAuthority(both)
        .find(({ subject, halves }) => subject === tom.key && halves)
        ?.chain.at(-1),
    ).toBe(idOf(on))
  })

  it('count as halves until one completes another, and with it what was granted on by them', async () => {
    const halves = [await cert(ana, mia.key), await cert(mia, tom.key), await cert(mia, tom.key, { tag: READ })]
    const counting = (...more: Envelope[]) => [...countingCertificates(seen([...halves, ...more])).values()]
    expect(counting()).toEqual(['share', 'share', 'share'])
    expect(counting(await cert(ana, mia.key))).toEqual(['share', 'share', 'share', 'share'])
    expect(counting(await cert(ben, mia.key))).toEqual(['whole', 'whole', 'whole', 'whole'])
  })

  it('make a member that is given one enough, who is the other', async () => {
    const view = seen([await cert(ana, ben.key)])
    expect([holders(view), await isExplained(ben.key, view)]).toEqual([[trio, ben.key], true])
    expect(holders(seen([await cert(ana, hashPrincipal(ben.key))]))).toEqual([trio, ben.key])
  })

  it('are not two where one goes to whoever gave it, by the hash of his key', async () => {
    const own = hashPrincipal(ana.key)
    const certificates = [await cert(ana, mia.key), await cert(mia, own), await nameCert(ben, 'x', own)]
    for (const other of [own, namePrincipal(ben.key, 'x')]) {
      const roots = [{ ...ROOT, subject: thresholdPrincipal(2, [ana.key, other, tom.key]) }]
      expect(holders(seen(certificates, { roots }))).not.toContainEqual(own)
      expect(holders(seen([...certificates, await cert(tom, own)], { roots }))).toContainEqual(own)
    }
  })

  it('go by groups in which those who grant have a part, and past groups that are silent', async () => {
    const group = thresholdPrincipal(2, [ana.key, eva.key, tom.key])
    const through = [
      await cert(ana, group),
      await cert([ana, eva], mia.key, { issuer: group }),
      await cert(ben, mia.key),
    ]
    expect([holders(seen(through)), await isExplained(mia.key, seen(through))]).toEqual([[trio, mia.key], true])
    const past = [await cert(ben, thresholdPrincipal(2, [eva.key, mia.key, tom.key])), await cert(eva, ana.key)]
    expect([holders(seen(past)), await isExplained(ana.key, seen(past))]).toEqual([[trio, ana.key], true])
  })

  it('are bound by each other where they go by the same name', async () => {
    const x = namePrincipal(tom.key, 'x')
    const [self, hers] = [await nameCert(tom, 'x', tom.key), await nameCert(tom, 'x', mia.key)]
    const first = await cert(ana, namePrincipal(tom.key, 'x', 'x'))
    const isHeld = async (member: typeof ana, taken: Envelope) => {
      const revocations = viewOf([await revoke(eva, taken)])
      const view = seen([first, self, hers, await cert(member, x)], { revocations })
      return [holders(view).includes(mia.key), await isExplained(mia.key, view)]
    }
    // Whoever gave one half may take back what both go by.
    expect(await isHeld(eva, hers)).toEqual([false, false])
    expect((await isHeld(eva, self))[0]).toBe(false)
    expect(await isHeld(ben, hers)).toEqual([true, true])
  })

  it('count once for each member, and only what they have in common', async () => {
    expect(holders(seen([await cert(ana, mia.key), await cert(ana, mia.key, { expires: null })]))).toEqual([trio])
    const apart = seen([await cert(ana, mia.key, { tag: READ }), await cert(ben, mia.key, { tag: MIGRATE })])
    expect(holders(apart)).toEqual([trio])
    const three = seen([
      await cert(ana, mia.key, { tag: READ }),
      await cert(ben, mia.key),
      await cert(eva, mia.key, { tag: MIGRATE, expires: later(DAY / 2) }),
    ])
    const tags = listAuthority(three).flatMap(({ halves, tag }) => (halves ? [tag] : []))
    expect(tags).toHaveLength(2)
    expect([READ, MIGRATE].every((tag) => tags.some((each) => covers(each, tag)))).toBe(true)
  })

  it.each<[string, () => Promise<AuthorityView>]>([
    ['has expired', async () => seen([await cert(ana, mia.key), await cert(ben, mia.key, { expires: later(-1) })])],
    [
      'was revoked',
      async () => {
        const both = [await cert(ana, mia.key), await cert(ben, mia.key)]
        return seen(both, { revocations: viewOf([await revoke(ben, both[1] as Envelope)]) })
      },
    ],
    [
      'was signed with a revoked key',
      async () =>
        seen([await cert(ana, mia.key), await cert(ben, mia.key)], {
          revocations: viewOf([await revoke(ben, { key: ben.key })]),
        }),
    ],
    [
      'is granted on by one who may not',
      async () =>
        seen([await cert(ana, mia.key), await cert(ben, tom.key, { delegate: false }), await cert(tom, mia.key)]),
    ],
    [
      'goes to a revoked key',
      async () =>
        seen([await cert(ana, mia.key), await cert(ben, mia.key)], {
          revocations: viewOf([await revoke(mia, { key: mia.key })]),
        }),
    ],
  ])('are none where one %s', async (_, make) => {
    const view = await make()
    expect([holders(view), await isExplained(mia.key, view)]).toEqual([[trio], false])
    expect(listAuthority(view).some(({ halves }) => halves)).toBe(false)
  })

  it('are granted by nobody where the set of revocations is not fresh enough for the action', async () => {
    const both = [await cert(ana, mia.key), await cert(ben, mia.key)]
    const roots = [{ ...ROOT, subject: trio, revocations: tom.key }]
    const past = viewOf([], [await setOf(tom, later(-DAY), later(-1000))])
    expect(holders(seen(both, { roots, revocations: past }))).toEqual([])
    const present = viewOf([], [await setOf(tom, later(-DAY), later(DAY))])
    expect(holders(seen(both, { roots, revocations: present }))).toEqual([trio, mia.key])
  })

  it('are hidden by no number of long ones that one member gave', async () => {
    const certificates = await longHalf(ben, 6, 'his own')
    for (let i = 0; i < 20; i++) certificates.push(...(await longHalf(ana, 5, `hers ${i}`)))
    const view = seen(certificates)
    expect([holders(view), await isExplained(mia.key, view)]).toEqual([[trio, mia.key], true])
  })

  it('cost no more where many are long', async () => {
    const members = Array.from({ length: 16 }, (_, i) => signer(`member ${i}`))
    const subject = thresholdPrincipal(
      2,
      members.map(({ key }) => key),
    )
    const certificates: Envelope[] = []
    for (const member of members)
      for (let i = 0; i < 16; i++) certificates.push(...(await longHalf(member, 4, `${member.key} ${i}`)))
    const { view, looks } = counting(seen(certificates, { roots: [{ ...ROOT, subject }] }))
    expect(holders(view)).toContain(mia.key)
    // Each on the way down, and on the way up for each of those behind it.
    expect(looks()).toBeLessThan(certificates.length * 16)
  }, 60_000)

  it('are looked at no more often than a search may, also where they are of many tags', async () => {
    const certificates: Envelope[] = []
    for (let i = 0; i < 60; i++)
      certificates.push(
        await cert(ana, mia.key, { tag: vaultTag({ actions: ['read'], object: HERE, path: [`part ${i}`] }) }),
      )
    expect(listAuthority(seen(certificates))).toHaveLength(61)
    const few = seen(certificates, { limits: { search: 200 } })
    // It is said that it was not looked at to the end.
    const marked = listAuthority(few).filter(({ more }) => more)
    expect(marked.map(({ subject }) => subject)).toEqual(Array.from({ length: 60 }, () => mia.key))
    expect(listAuthority(few, { together: false }).some(({ more }) => more)).toBe(false)
    expect(countingCertificates(few)).toEqual(new Map(certificates.map((each) => [idOf(each), 'share'])))
    expect(authorityTrees(few).trees[0]?.below).toHaveLength(60)
  })

  it('take work in proportion, for hundreds of people by a council of twelve', async () => {
    const members = Array.from({ length: 12 }, (_, i) => signer(`member ${i}`))
    const council = thresholdPrincipal(
      7,
      members.map(({ key }) => key),
    )
    const looksFor = async (people: number) => {
      const certificates = []
      for (let i = 0; i < people; i++)
        for (const member of members.slice(0, 7)) certificates.push(await cert(member, signer(`person ${i}`).key))
      const { view, looks } = counting(seen(certificates, { roots: [{ ...ROOT, subject: council }] }))
      expect(holders(view)).toHaveLength(people + 1)
      return looks()
    }
    const [some, more] = [await looksFor(50), await looksFor(200)]
    expect(more / some).toBeLessThan(4.2)
    expect(more).toBeLessThan(200 * 7 * 16)
  }, 60_000)
})

/** A view that counts how often it is asked whether a signature was verified or anything revoked, which is for each look at a certificate. */
function counting(given: AuthorityView): { readonly view: AuthorityView; readonly looks: () => number } {
  let count = 0
  const memo = createSignatureMemo(100_000)
  const revocations = viewOf([])
  const view = {
    ...given,
    memo: { ...memo, has: (...asked: Parameters<typeof memo.has>) => ++count > 0 && memo.has(...asked) },
    revocations: {
      ...revocations,
      revokers: (target: Parameters<typeof revocations.revokers>[0]) =>
        ++count > 0 ? revocations.revokers(target) : [],
    },
  }
  return { view, looks: () => count }
}

/** The same graphs in every run, and others in a campaign. */
const SAME_GRAPHS = process.env.VAULT_FUZZ_RUNS === undefined ? { seed: 20_261_130 } : {}

describe('what is listed', () => {
  it.each(['councils', 'anywhere'] as const)(
    'is what is granted, to each key and each two keys: %s',
    async (where) => {
      const counted = { together: 0, alone: 0, no: 0 }
      await fc.assert(
        fc.asyncProperty(anyPlan('issuers', where), async (plan) => {
          const { certificates, circumstances, question } = await build(plan)
          const view = { ...circumstances, certificates }
          const index = createCertificateIndex(certificates)
          const listed = whoCan({ action: 'migrate', tag: ASKED }, view).filter(({ shares }) => shares.length === 0)
          const isListed = (...keys: (typeof ana.key)[]) =>
            whatCan(keys, view).alone.some(({ tag }) => covers(tag, ASKED))
          for (const [i, { key }] of PEOPLE.entries()) {
            const { verdict } = await answer({ ...question, voices: knownVoices([key]) }, index, circumstances)
            const own = listed.filter(({ holder }) => speaksAlone(key, holder))
            const isStolen = plan.stolen.some((n) => PEOPLE[n]?.key === key)
            expect([own.length > 0 && !isStolen, isListed(key)]).toEqual([verdict.ok, verdict.ok])
            const kind = own.some(({ halves }) => halves === undefined) ? 'alone' : 'together'
            counted[verdict.ok ? kind : 'no']++
            for (const { key: other } of PEOPLE.slice(i + 1, i + 3)) {
              const two = await answer({ ...question, voices: knownVoices([key, other]) }, index, circumstances)
              expect(isListed(key, other)).toBe(two.verdict.ok)
            }
          }
        }),
        { ...SAME_GRAPHS, ...runs(where === 'councils' ? 80 : 40) },
      )
      expect(Math.min(counted.no, counted.alone)).toBeGreaterThan(8)
      if (where === 'councils') expect(counted.together).toBeGreaterThan(8)
    },
    PATIENCE,
  )

  it(
    'is nothing that the judge refuses, whoever revokes what',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyPlan('anyone', 'councils'), async (plan) => {
          const { certificates, circumstances } = await build(plan)
          const view = { ...circumstances, certificates }
          for (const [i, { key }] of PEOPLE.entries()) {
            const { alone } = whatCan([key], view)
            if (alone.some(({ tag, halves }) => halves && covers(tag, ASKED)))
              expect(isGranted({ ...plan, asking: [i] })).toBe(true)
          }
        }),
        runs(60),
      )
    },
    PATIENCE,
  )
})
