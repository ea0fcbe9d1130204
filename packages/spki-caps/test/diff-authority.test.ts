import type { Envelope } from '@vault/core'
import type { AuthorityView, OnlineTest } from '@vault/spki-caps'
import {
  createKeyDirectory,
  createRevocationView,
  diffAuthority,
  knownVoices,
  listAuthority,
  openCapCert,
  openProofCert,
  principalText,
  reduce,
  thresholdPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { house, houseRoot, knowing, states } from './cast.ts'
import { ACTORS, anyPlan, build } from './model.ts'
import { codeOf, runs } from './support.ts'
import {
  ALL,
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
  ROOT,
  revoke,
  signer,
  tom,
} from './world.ts'

const subjects = (held: readonly { readonly subject: string }[]) => held.map(({ subject }) => subject)

describe('listAuthority', () => {
  it('names what everybody holds, by the shortest chain that grants it', async () => {
    const first = await cert(ana, eva.key, { tag: vaultTag({ actions: ['migrate', 'read'], object: HERE }) })
    const second = await cert(eva, ben.key, { tag: vaultTag({ actions: ['migrate', 'write'], object: HERE }) })
    const back = await cert(ben, ana.key)
    const held = listAuthority(authorityView([second, back, first]))
    expect(held).toMatchObject([
      { root: 'ana', subject: ana.key, tag: ALL, chain: [] },
      { subject: eva.key, chain: [openCapCert(first).id] },
      { subject: ben.key, tag: MIGRATE, chain: [openCapCert(first).id, openCapCert(second).id] },
    ])
  })

  it('says what is only a share of a threshold', async () => {
    const pair = thresholdPrincipal(2, [ana.key, ben.key])
    const view = authorityView([await cert(ana, eva.key)], { roots: [{ ...ROOT, subject: pair }] })
    expect(listAuthority(view)).toMatchObject([
      { subject: principalText(pair), shares: [] },
      { subject: eva.key, shares: [principalText(pair)] },
    ])
  })

  it('keeps a second chain that those above the first cannot revoke', async () => {
    const last = await cert(ben, tom.key)
    const ways = [
      await cert(ana, eva.key),
      await cert(eva, ben.key),
      await cert(ana, mia.key),
      await cert(mia, ben.key),
    ]
    const revocations = createRevocationView({
      revocations: [await revoke(eva, last)],
      sets: [],
      keys: createKeyDirectory([]),
    })
    expect(subjects(listAuthority(authorityView([...ways, last], { revocations })))).toContain(tom.key)
    expect(subjects(listAuthority(authorityView([...ways.slice(0, 2), last], { revocations })))).not.toContain(tom.key)
  })

  it('stops where it was told to', async () => {
    const people = Array.from({ length: 5 }, (_, i) => signer(`person ${i}`))
    const all = await Promise.all(people.flatMap((x) => people.map((y) => cert(x, y.key))))
    const view = authorityView([await cert(ana, (people[0] as (typeof people)[number]).key), ...all], {
      limits: { search: 10 },
    })
    // Everybody was granted to by the first, who has a part for each; what they grant on is more than that, and it is said.
    const held = listAuthority(view)
    expect(held.filter(({ more }) => more).map(({ subject }) => subject)).toEqual(subjects(held).slice(2))
    expect(codeOf(() => listAuthority({ ...view, limits: { search: 0 } }))).toBe('CAPS_LIMIT')
  })

  it('lists chains that hold: what a person holds alone, that person is granted', async () => {
    let held = 0
    await fc.assert(
      fc.asyncProperty(anyPlan('anyone'), async (plan) => {
        const { certificates, circumstances } = await build(plan)
        const byId = new Map(certificates.map((envelope) => [openProofCert(envelope).id, openProofCert(envelope)]))
        for (const { subject, shares, tag, chain } of listAuthority({ ...circumstances, certificates })) {
          const person = ACTORS.find(({ principal }) => principal === subject)?.principal
          if (shares.length > 0 || typeof person !== 'string') continue
          const question = { action: 'migrate', tag, voices: knownVoices([person]) }
          const proof = chain.map((id) => byId.get(id) as ReturnType<typeof openProofCert>)
          expect(reduce(question, proof, circumstances).ok).toBe(true)
          held++
        }
      }),
      runs(60),
    )
    expect(held).toBeGreaterThan(20)
  })
})

describe('diffAuthority', () => {
  it('finds nothing between a view and itself, or one whose certificates were replaced by equal ones', async () => {
    const one = [await cert(ana, ben.key), await cert(ben, eva.key)]
    const other = [await cert(ana, ben.key), await cert(ben, eva.key)]
    for (const certificates of [one, other]) {
      const { kept, gained, lost } = diffAuthority(authorityView(one), authorityView(certificates))
      expect([subjects(kept), gained, lost]).toEqual([[ana.key, ben.key, eva.key], [], []])
    }
  })

  it('finds who lost and who gained', async () => {
    const before = [await cert(ana, ben.key), await cert(ben, eva.key)]
    const after = [await cert(ana, mia.key), await cert(mia, eva.key), await cert(mia, tom.key)]
    const { kept, gained, lost } = diffAuthority(authorityView(before), authorityView(after))
    expect([subjects(kept), subjects(gained), subjects(lost)]).toEqual([
      [ana.key, eva.key],
      [mia.key, tom.key],
      [ben.key],
    ])
  })

  it.each<[string, Parameters<typeof cert>[2], Parameters<typeof cert>[2]]>([
    ['what', { tag: vaultTag({ actions: ['migrate', 'read'], object: HERE }) }, { tag: MIGRATE }],
    ['how long', { expires: null }, {}],
    ['how far', { depth: 3 }, { depth: 2 }],
    ['whether it may be granted on', {}, { delegate: false }],
  ])('sees less in %s as lost, and more as gained', async (_, more, less) => {
    const [a, b] = [authorityView([await cert(ana, ben.key, more)]), authorityView([await cert(ana, ben.key, less)])]
    expect(subjects(diffAuthority(a, b).lost)).toEqual([ben.key])
    expect(diffAuthority(a, b).gained).toEqual([])
    expect(subjects(diffAuthority(b, a).gained)).toEqual([ben.key])
    expect(diffAuthority(b, a).lost).toEqual([])
  })

  it('sees what was revoked, and what ended, as lost', async () => {
    const certificates = [await cert(ana, ben.key), await cert(ben, eva.key)]
    const keys = createKeyDirectory([])
    const revocations = createRevocationView({
      revocations: [await revoke(ana, certificates[1] as Envelope)],
      sets: [],
      keys,
    })
    expect(
      subjects(diffAuthority(authorityView(certificates), authorityView(certificates, { revocations })).lost),
    ).toEqual([eva.key])
    expect(
      diffAuthority(authorityView(certificates), authorityView(certificates, { now: later(2 * DAY) })).lost,
    ).toHaveLength(2)
  })

  it.each(['none', 'validation', 'once'] as const)(
    'sees what new keys end and begin, whether or not it is validated now: %s',
    async (kind) => {
      const checks = kind === 'none' ? [] : [{ by: ben.key, maxAge: 600, kind }]
      const old = await cert(mia, eva.key, { issuer: house, epoch: 0, expires: null, checks })
      const early = await cert(tom, ben.key, { issuer: house, epoch: 1, checks })
      const certificates = [old, early]
      const view = (event: number) => authorityView(certificates, { roots: [houseRoot], keys: knowing(states, event) })
      const { gained, lost } = diffAuthority(view(0), view(1))
      expect([subjects(gained), subjects(lost)]).toEqual([[ben.key], [eva.key]])
      // That is for comparing only.
      const has = kind === 'none' ? [principalText(house), ben.key] : [principalText(house)]
      expect(subjects(listAuthority(view(1)))).toEqual(has)
    },
  )

  it.each(['validation', 'once'] as const)(
    'does not take what waits for a %s for what waits for nothing',
    async (kind) => {
      const checks = [{ by: ben.key, maxAge: 600, kind }]
      const tested = [await cert(mia, eva.key, { checks }), await cert(mia, tom.key, { checks })]
      const plain = await cert(mia, eva.key)
      const [before, after] = [await cert(mia, eva.key), await cert(mia, tom.key)].map((free) =>
        authorityView([...tested, free], { roots: [{ ...ROOT, subject: mia.key }] }),
      ) as [AuthorityView, AuthorityView]
      const { gained, lost } = diffAuthority(before, after)
      expect([subjects(gained), subjects(lost)]).toEqual([[tom.key], [eva.key]])
      // What is granted on from it waits as well, and one more test is less.
      const below = [...tested, await cert(eva, ana.key)]
      const more = await cert(mia, tom.key, { checks: [...checks, { ...checks[0], by: ana.key } as OnlineTest] })
      const view = (...certificates: Envelope[]) => ({ ...before, certificates })
      expect(subjects(diffAuthority(view(...below), view(...below, plain)).gained)).toEqual([eva.key, ana.key])
      expect(diffAuthority(view(...below, plain), view(plain, ...below, more)).gained).toEqual([])
      expect(subjects(diffAuthority(view(tested[1] as Envelope), view(more)).lost)).toEqual([tom.key])
      expect(diffAuthority(view(tested[1] as Envelope), view(more)).gained).toEqual([])
    },
  )

  it('sees that a share of one more member came, or went', async () => {
    const pair = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
    const roots = [{ ...ROOT, subject: pair }]
    const [one, other] = [await cert(ana, mia.key), await cert(ben, mia.key)]
    const [less, more] = [authorityView([one], { roots }), authorityView([one, other], { roots })]
    expect(subjects(diffAuthority(less, more).gained)).toEqual([mia.key])
    expect(subjects(diffAuthority(more, less).lost)).toEqual([mia.key])
    // Two by one member are no more than one.
    expect(diffAuthority(less, authorityView([one, await cert(ana, mia.key)], { roots })).gained).toEqual([])
  })

  it('finds nothing gained where a certificate was taken away', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan('issuers'), fc.nat(), async (plan, n) => {
        const { certificates, circumstances } = await build(plan)
        const less = certificates.filter((_, i) => i !== n % certificates.length)
        const { gained } = diffAuthority({ ...circumstances, certificates }, { ...circumstances, certificates: less })
        expect(gained).toEqual([])
      }),
      runs(60),
    )
  })
})
