import type { Envelope, KeyId } from '@vault/core'
import type { Act, CapsFindingCode, Mandate, NamePrincipal } from '@vault/spki-caps'
import {
  answer,
  authorityTrees,
  checkMandate,
  createCertificateIndex,
  createKeyDirectory,
  diffAuthority,
  explain,
  hashPrincipal,
  knownVoices,
  listAuthority,
  namePrincipal,
  nearestMiss,
  openNameCert,
  openProofCert,
  thresholdPrincipal,
  whatCan,
  whoCan,
} from '@vault/spki-caps'
import { describe, expect, it, test } from 'vitest'
import type { Case } from './cast.ts'
import { house, houseRoot, knowing, lost, states, viewOf } from './cast.ts'
import {
  ALL,
  ana,
  authorityView,
  authorizeHere,
  ben,
  cert,
  eva,
  later,
  MIGRATE,
  mia,
  NOW,
  nameCert,
  ROOT,
  request,
  revoke,
  signer,
  tom,
} from './world.ts'

const staff = namePrincipal(ana.key, 'staff')
const clerks = namePrincipal(ana.key, 'clerks')
const seconds = (date: Date) => Math.floor(date.getTime() / 1000)
const ask = async (by: Parameters<typeof request>[0], proof: readonly Envelope[], input = {}) =>
  authorizeHere(await request(by), proof, input)
const codeOf = (verdict: ReturnType<typeof authorizeHere>) => (verdict.ok ? undefined : verdict.code)

describe('what is granted to a name', () => {
  it('reaches whoever is called so, for as long as that is said', async () => {
    const proof = [
      await cert(ana, staff, { expires: later(9_000_000), delegate: false }),
      await nameCert(ana, 'staff', ben.key, { expires: later(30_000) }),
    ]
    const verdict = await ask([ben], proof)
    expect(verdict).toMatchObject({ ok: true, effective: { keys: [ben.key], expires: seconds(later(30_000)) } })
    expect(verdict.trace.map(({ kind }) => kind)).toEqual(['root', 'certificate', 'name', 'request'])
    expect(explain(verdict).join('\n')).toContain(
      `✓ name, certificate ${openNameCert(proof[1] as Envelope).id}  name:${ana.key}/staff → ${ben.key}  until`,
    )
    expect(codeOf(await ask([eva], proof))).toBe('CAPS_NOT_SIGNER')
  })

  it('reaches him through names of names, and is granted on by him', async () => {
    const proof = [
      await cert(ana, namePrincipal(ana.key, 'firm', 'staff')),
      await nameCert(ana, 'firm', mia.key),
      await nameCert(mia, 'staff', namePrincipal(mia.key, 'people', 'old')),
      await nameCert(mia, 'people', eva.key),
      await nameCert(eva, 'old', tom.key),
      await cert(tom, ben.key),
    ]
    expect(await ask([ben], proof)).toMatchObject({ ok: true })
    expect(codeOf(await ask([ben], proof.toSpliced(3, 1)))).toBe('CAPS_CHAIN_BROKEN')
  })

  it('takes no certificate of those that may follow', async () => {
    const proof = [
      await cert(ana, staff, { depth: 1 }),
      await nameCert(ana, 'staff', clerks),
      await nameCert(ana, 'clerks', eva.key),
      await cert(eva, ben.key),
    ]
    expect(await ask([ben], proof)).toMatchObject({ ok: true })
    expect(codeOf(await ask([tom], [...proof, await cert(ben, tom.key)]))).toBe('CAPS_TOO_DEEP')
    const kept = await cert(ana, staff, { delegate: false })
    expect(codeOf(await ask([ben], [kept, ...proof.slice(1)]))).toBe('CAPS_NOT_DELEGABLE')
  })

  it('is found among others, also where a root is a name', async () => {
    const heap = [
      await nameCert(mia, 'staff', ben.key),
      await nameCert(eva, 'old', ben.key),
      await nameCert(mia, 'staff', namePrincipal(eva.key, 'old')),
      await cert(ana, namePrincipal(ana.key, 'firm', 'staff'), { tag: MIGRATE }),
      await nameCert(ana, 'firm', mia.key),
      await cert(ana, eva.key),
    ]
    const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices([ben.key]) }
    const circumstances = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked' as const, now: NOW }
    const found = await answer(question, createCertificateIndex(heap), circumstances)
    expect(found).toMatchObject({ verdict: { ok: true } })
    expect(found.proof.map(({ record }) => record.type)).toEqual(['cap', 'cap-name', 'cap-name'])
    const roots = [{ ...ROOT, subject: namePrincipal(mia.key, 'staff'), delegate: false }]
    const named = await answer(question, createCertificateIndex(heap), { ...circumstances, roots })
    expect(named).toMatchObject({ verdict: { ok: true }, proof: [{ record: { type: 'cap-name' } }] })
    const member = await nameCert(mia, 'staff', ben.key)
    expect(codeOf(await ask([ben], [member], { roots }))).toBeUndefined()
    expect(codeOf(await ask([ben], [], { roots }))).toBe('CAPS_NOT_SIGNER')
  })

  it('goes on where a vault says it, by its present operators', async () => {
    const granted = await cert(tom, namePrincipal(house, 'staff'), { issuer: house, epoch: 1 })
    const member = await nameCert(tom, 'staff', ben.key, { issuer: house, epoch: 1 })
    const input = { roots: [houseRoot], keys: knowing(states) }
    expect(codeOf(await ask([ben], [granted, member], input))).toBeUndefined()
    expect(codeOf(await ask([ben], [granted, member], { roots: [houseRoot] }))).toBe('CAPS_KEYS_UNKNOWN')
    const old = await nameCert(mia, 'staff', ben.key, { issuer: house, epoch: 0 })
    expect(codeOf(await ask([ben], [granted, old], input))).toBeUndefined()
    expect(codeOf(await ask([ben], [granted, old], { ...input, keys: knowing(lost) }))).toBe('CAPS_EPOCH')
    const without = await nameCert(tom, 'staff', ben.key, { issuer: house, epoch: 1, expires: null })
    expect(codeOf(await ask([ben], [granted, without], input))).toBeUndefined()
  })
})

describe('a name certificate is refused', () => {
  const granted = async () => await cert(ana, staff)
  const member = async (draft = {}) => await nameCert(ana, 'staff', ben.key, draft)
  const cases: readonly [code: CapsFindingCode, what: string, make: () => Promise<Case>][] = [
    ['CAPS_NO_ROOT', 'before what grants to the name', async () => ({ proof: [await member(), await granted()] })],
    [
      'CAPS_CHAIN_BROKEN',
      'by somebody else',
      async () => ({ proof: [await granted(), await nameCert(eva, 'staff', ben.key)] }),
    ],
    [
      'CAPS_CHAIN_BROKEN',
      'of another name',
      async () => ({ proof: [await granted(), await nameCert(ana, 'clerks', ben.key)] }),
    ],
    [
      'CAPS_CHAIN_BROKEN',
      'where nothing was granted to the name',
      async () => ({ proof: [await cert(ana, ben.key), await member()] }),
    ],
    [
      'CAPS_CHAIN_BROKEN',
      'where nobody is left whose name the rest could be',
      async () => ({
        proof: [
          await cert(ana, namePrincipal(ana.key, 'staff', 'old')),
          await nameCert(ana, 'staff', thresholdPrincipal(1, [ben.key, eva.key])),
        ],
      }),
    ],
    [
      'CAPS_CHAIN_BROKEN',
      'where the name would become too long',
      async () => ({
        proof: [
          await cert(ana, namePrincipal(ana.key, 'staff', 'b', 'c', 'd')),
          await nameCert(ana, 'staff', namePrincipal(ana.key, 'a', 'b')),
        ],
      }),
    ],
    [
      'CAPS_EXPIRED',
      'when it has ended',
      async () => ({ proof: [await granted(), await member({ expires: later(0) })] }),
    ],
    [
      'CAPS_NOT_YET',
      'before it begins',
      async () => ({ proof: [await granted(), await member({ notBefore: later(1000) })] }),
    ],
    [
      'CAPS_SIGNATURE',
      'not signed by whose name it is',
      async () => ({ proof: [await granted(), await nameCert(eva, 'staff', ben.key, { issuer: ana.key })] }),
    ],
    [
      'CAPS_REVOKED',
      'taken back by whoever said it',
      async () => {
        const grant = await cert(ana, namePrincipal(mia.key, 'staff'))
        const said = await nameCert(mia, 'staff', ben.key)
        return { proof: [grant, said], input: { revocations: viewOf([await revoke(mia, said)]) } }
      },
    ],
    [
      'CAPS_REVOKED',
      'taken back by whoever granted to the name',
      async () => {
        const said = await nameCert(mia, 'staff', ben.key)
        const proof = [await cert(ana, eva.key), await cert(eva, namePrincipal(mia.key, 'staff')), said]
        return { proof, input: { revocations: viewOf([await revoke(eva, said)]) } }
      },
    ],
    [
      'CAPS_KEY_REVOKED',
      'by a key that was given up',
      async () => {
        const proof = [await cert(ana, namePrincipal(mia.key, 'staff')), await nameCert(mia, 'staff', ben.key)]
        return { proof, input: { revocations: viewOf([await revoke(mia, { key: mia.key })]) } }
      },
    ],
    [
      'CAPS_CYCLIC',
      'twice',
      async () => {
        const said = await member()
        return { proof: [await granted(), said, said] }
      },
    ],
    [
      'CAPS_CYCLIC',
      'where it leads back',
      async () => ({
        proof: [
          await granted(),
          await nameCert(ana, 'staff', clerks),
          await nameCert(ana, 'clerks', staff),
          await member(),
        ],
      }),
    ],
    [
      'CAPS_CYCLIC',
      'where it names one who has granted on',
      async () => ({
        proof: [await cert(ana, eva.key), await cert(eva, staff), await nameCert(ana, 'staff', eva.key)],
      }),
    ],
    ['CAPS_NOT_SIGNER', 'where nobody says who is called so', async () => ({ proof: [await granted()] })],
    [
      'CAPS_NOT_SIGNER',
      'beside one that is not needed',
      async () => ({ proof: [await granted(), await member(), await nameCert(ana, 'staff', eva.key)] }),
    ],
  ]
  test.each(cases)('%s %s', async (code, _, make) => {
    const { proof, input } = await make()
    expect(codeOf(await ask([ben], proof, input))).toBe(code)
  })

  it('is not one of those who revoke what somebody else has said', async () => {
    const said = await member()
    const revocations = viewOf([await revoke(tom, said)])
    expect(codeOf(await ask([ben], [await granted(), said], { revocations }))).toBeUndefined()
  })
})

describe('a threshold of names', () => {
  const both = thresholdPrincipal(2, [staff, clerks])

  it('counts one person once, however often he is called', async () => {
    const granted = await cert(ana, both)
    const anaIn = [await nameCert(ana, 'staff', ben.key), await nameCert(ana, 'clerks', ben.key)]
    const more = await nameCert(ana, 'staff', ben.key)
    const alias = await nameCert(ana, 'clerks', hashPrincipal(ben.key))
    expect(codeOf(await ask([ben], [granted, ...anaIn]))).toBe('CAPS_NOT_DISTINCT')
    expect(codeOf(await ask([ben], [granted, ...anaIn, more]))).toBe('CAPS_NOT_DISTINCT')
    expect(codeOf(await ask([ben], [granted, anaIn[0] as Envelope, alias]))).toBe('CAPS_NOT_DISTINCT')
    // Nor where what he was granted as one he grants on to a second key of his.
    const onward = [granted, ...anaIn, await cert(ben, tom.key)]
    expect(codeOf(await ask([ben, tom], onward))).toBe('CAPS_NOT_DISTINCT')
    expect(codeOf(await ask([ben, eva], [granted, anaIn[0] as Envelope, await nameCert(ana, 'clerks', eva.key)]))).toBe(
      undefined,
    )
  })

  it('lets one who is called by both names leave one of them to another', async () => {
    const callings = [
      await nameCert(ana, 'clerks', ben.key),
      await nameCert(ana, 'clerks', eva.key),
      await nameCert(ana, 'staff', ben.key),
    ]
    const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices([ben.key, eva.key]) }
    const circumstances = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked' as const, now: NOW }
    for (const heap of [callings, callings.toReversed()]) {
      const index = createCertificateIndex([await cert(ana, both), ...heap])
      expect((await answer(question, index, circumstances)).verdict).toMatchObject({ ok: true })
    }
  })

  it('takes all whom somebody calls by a name of his own as him alone', async () => {
    const own = namePrincipal(mia.key, 'hands')
    const hands = [await nameCert(mia, 'hands', ben.key), await nameCert(mia, 'hands', eva.key)]
    const granted = await cert(ana, both)
    const proof = [granted, await nameCert(ana, 'staff', own), await nameCert(ana, 'clerks', own), ...hands]
    expect(codeOf(await ask([ben, eva], proof))).toBe('CAPS_NOT_DISTINCT')
    // Who grants to the names themselves says by that who decides.
    const hers = thresholdPrincipal(2, [namePrincipal(mia.key, 'hands'), namePrincipal(mia.key, 'heads')])
    const direct = [await cert(ana, hers), hands[0] as Envelope, await nameCert(mia, 'heads', eva.key)]
    expect(codeOf(await ask([ben, eva], direct))).toBeUndefined()
  })
})

describe('what is seen of names', () => {
  const heap = async () => [
    await cert(ana, staff, { tag: MIGRATE }),
    await nameCert(ana, 'staff', ben.key),
    await nameCert(ana, 'staff', clerks),
    await nameCert(ana, 'clerks', staff),
    await nameCert(ana, 'clerks', eva.key, { expires: later(-1) }),
    await nameCert(eva, 'friends', tom.key),
  ]

  it('is who holds what by them', async () => {
    const view = authorityView(await heap())
    expect(new Set(whoCan({ action: 'migrate', tag: MIGRATE }, view).map(({ subject }) => subject))).toEqual(
      new Set([ana.key, `name:${ana.key}/staff`, `name:${ana.key}/clerks`, ben.key]),
    )
    expect(whatCan([ben.key], view).alone).toHaveLength(1)
    expect(whatCan([eva.key], view).alone).toHaveLength(0)
    expect(listAuthority(view).find(({ subject }) => subject === ben.key)?.chain).toHaveLength(2)
  })

  it('is nothing by a name that leads through one certificate twice', async () => {
    const ways = [
      await cert(ana, namePrincipal(ana.key, 'staff', 'friends')),
      await nameCert(ana, 'staff', ben.key),
      await nameCert(ben, 'friends', staff),
    ]
    expect(whatCan([ben.key], authorityView(ways)).alone).toEqual([])
    expect(codeOf(await ask([ben], ways))).toBe('CAPS_NOT_SIGNER')
  })

  it('is what was gained and lost where somebody is called so no more', async () => {
    const all = await heap()
    const before = authorityView(all)
    const revocations = viewOf([await revoke(ana, all[1] as Envelope)])
    const after = authorityView([...all, await nameCert(ana, 'staff', mia.key)], { revocations })
    const { gained, lost: gone } = diffAuthority(before, after)
    expect([gained, gone].map((held) => held.map(({ subject }) => subject))).toEqual([[mia.key], [ben.key]])
  })

  it('is in the tree, with those that do not count and those to which nothing was granted', async () => {
    const { trees, loose, names } = authorityTrees(authorityView(await heap()))
    const [granted] = trees[0]?.below ?? []
    expect(granted).toMatchObject({ kind: 'grant', subject: `name:${ana.key}/staff` })
    expect(granted?.below).toMatchObject([
      { kind: 'name', issuer: `name:${ana.key}/staff`, subject: ben.key },
      { kind: 'name', subject: `name:${ana.key}/clerks` },
    ])
    expect(granted?.below[1]?.below).toMatchObject([
      { subject: `name:${ana.key}/staff`, refusal: { code: 'CAPS_CYCLIC' } },
      { subject: eva.key, refusal: { code: 'CAPS_EXPIRED' } },
    ])
    expect(loose).toEqual([])
    expect(names).toMatchObject([{ issuer: `name:${eva.key}/friends`, subject: tom.key }])
  })

  it('is why somebody is refused who was called so once', async () => {
    const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices([eva.key]) }
    const circumstances = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked' as const, now: NOW }
    const miss = await nearestMiss(question, createCertificateIndex(await heap()), circumstances)
    expect(codeOf(miss)).toBe('CAPS_EXPIRED')
    const stranger = { ...question, voices: knownVoices([tom.key]) }
    expect(codeOf(await nearestMiss(stranger, createCertificateIndex(await heap()), circumstances))).toBe(
      'CAPS_NO_CHAIN',
    )
  })

  it('ends where more call each other by names than are looked through', async () => {
    const circle = await Promise.all(
      ['a', 'b', 'c', 'd'].flatMap((from) =>
        ['a', 'b', 'c', 'd'].flatMap((word) => [
          nameCert(signer(from), word, ben.key),
          nameCert(signer(from), word, signer(word).key),
        ]),
      ),
    )
    const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices([ben.key]) }
    const circumstances = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked' as const, now: NOW }
    const index = createCertificateIndex(circle)
    expect((await answer(question, index, circumstances)).verdict).toMatchObject({ code: 'CAPS_NO_CHAIN' })
    const bounded = { ...circumstances, limits: { search: 8 } }
    await expect(answer(question, index, bounded)).rejects.toMatchObject({ code: 'CAPS_LIMIT' })
  })
})

describe('people who act in roles', () => {
  const approve: Mandate = {
    name: 'approve',
    class: 'execution',
    scope: ALL,
    roles: { approve: ALL },
    distinct: [],
    quorum: { approve: 2 },
  }
  const acts = (...each: readonly (readonly [KeyId, readonly Envelope[]])[]): readonly Act[] =>
    each.map(([key, proof]) => ({ role: 'approve', voices: knownVoices([key]), proof: proof.map(openProofCert) }))
  const circumstances = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked' as const, now: NOW }
  const codes = (given: readonly Act[]) => checkMandate(approve, given, circumstances).map(({ code }) => code)

  it('are whoever is called by the name to which was granted', async () => {
    const granted = await cert(ana, staff)
    const [first, second] = [await nameCert(ana, 'staff', ben.key), await nameCert(ana, 'staff', eva.key)]
    expect(codes(acts([ben.key, [granted, first]], [eva.key, [granted, second]]))).toEqual([])
    const onward = await cert(ben, tom.key)
    expect(codes(acts([ben.key, [granted, first]], [tom.key, [granted, first, onward]]))).toEqual([
      'CAPS_MANDATE_QUORUM',
    ])
  })

  it('are one where somebody is called so by a name of his own', async () => {
    const hands: NamePrincipal = namePrincipal(mia.key, 'hands')
    const proof = [await cert(ana, staff), await nameCert(ana, 'staff', hands)]
    const [first, second] = [await nameCert(mia, 'hands', ben.key), await nameCert(mia, 'hands', eva.key)]
    expect(codes(acts([ben.key, [...proof, first]], [eva.key, [...proof, second]]))).toEqual(['CAPS_MANDATE_QUORUM'])
  })
})

describe('many names', () => {
  const words = Array.from({ length: 28 }, (_, i) => `w${i}`)
  const asked = { action: 'migrate', tag: MIGRATE, voices: knownVoices([ben.key]) }
  const grants = async () => [
    await cert(ana, ben.key),
    await cert(ana, namePrincipal(mia.key, 'w0'), { delegate: false }),
  ]

  it('of one keep nobody from what was granted to him', async () => {
    // A million names of four words, and ben is called by each of them.
    const flood = [
      ...(await Promise.all(words.map((word) => nameCert(mia, word, mia.key)))),
      await nameCert(mia, 'w0', ben.key),
    ]
    const all = [...(await grants()), ...flood]
    const { verdict } = await answer(asked, createCertificateIndex(all), {
      ...authorityView(all),
      limits: { search: 1000 },
    })
    expect(verdict.ok).toBe(true)
  })

  it('are followed so far when everything is listed, and refused beyond', async () => {
    const flood = await Promise.all(
      words
        .slice(0, 8)
        .flatMap((word) => [
          nameCert(mia, word, mia.key),
          ...words.slice(0, 8).map((other) => nameCert(mia, word, namePrincipal(mia.key, other, word))),
        ]),
    )
    const view = authorityView([...(await grants()), ...flood])
    expect(listAuthority(view).some(({ subject }) => subject === ben.key)).toBe(true)
    expect(JSON.stringify(authorityTrees(view).trees)).toContain('CAPS_TOO_LARGE')
  })

  it('in a row are followed as far as a proof may be long', async () => {
    const row = await Promise.all(
      Array.from({ length: 80 }, (_, i) => nameCert(mia, `w${i}`, namePrincipal(mia.key, `w${i + 1}`))),
    )
    const all = [...(await grants()), ...row, await nameCert(mia, 'w80', eva.key)]
    expect(listAuthority(authorityView(all)).some(({ subject }) => subject === eva.key)).toBe(false)
    const { verdict } = await answer(
      { ...asked, voices: knownVoices([eva.key]) },
      createCertificateIndex(all),
      authorityView(all),
    )
    expect(verdict.ok).toBe(false)
  })

  it('that were all taken back hide no other chain', async () => {
    const gone = await Promise.all(words.map((word) => nameCert(mia, word, ben.key)))
    const granted = await Promise.all(words.map((word) => cert(ana, namePrincipal(mia.key, word))))
    const honest = [await cert(ana, eva.key), await cert(eva, ben.key)]
    const revocations = viewOf(await Promise.all(gone.map((each) => revoke(ana, each))))
    const all = [...granted, ...gone, ...honest]
    const { verdict } = await answer(asked, createCertificateIndex(all), authorityView(all, { revocations }))
    expect(verdict.ok).toBe(true)
  })

  it('show in a tree who has come to hold what', async () => {
    const all = [await cert(ana, namePrincipal(ana.key, 'lead', 'deputy')), await nameCert(ana, 'lead', mia.key)]
    expect(authorityTrees(authorityView(all)).trees[0]?.below[0]?.below).toMatchObject([
      { kind: 'name', issuer: `name:${ana.key}/lead/deputy`, subject: `name:${mia.key}/deputy` },
    ])
  })
})
