import type { Envelope, Signer } from '@vault/core'
import type { Act, Mandate } from '@vault/spki-caps'
import { checkMandate, countPeople, createKeyDirectory, knownVoices, openCapCert, vaultTag } from '@vault/spki-caps'
import { describe, expect, it, test } from 'vitest'
import { ana, ben, cert, eva, HERE, MIGRATE, mia, NOW, ROOT, signer, tom } from './world.ts'

const ROLE = (role: string) => vaultTag({ actions: [role], object: HERE })
const restore: Mandate = {
  name: 'restore',
  class: 'execution',
  scope: vaultTag({ actions: '*', object: HERE }),
  roles: { propose: ROLE('propose'), approve: ROLE('approve'), execute: ROLE('execute') },
  distinct: [['propose', 'approve', 'execute']],
  quorum: { approve: 2 },
}
const circumstances = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked' as const, now: NOW }
const codes = (acts: readonly Act[], mandate = restore) =>
  checkMandate(mandate, acts, circumstances).map(({ code }) => code)

const act = async (role: string, who: Signer, proof?: readonly Envelope[]): Promise<Act> => ({
  role,
  voices: knownVoices([who.key]),
  proof: (proof ?? [await cert(ana, who.key)]).map(openCapCert),
})
const good = [
  await act('propose', ben),
  await act('approve', eva),
  await act('approve', mia),
  await act('execute', tom),
]

describe('checkMandate', () => {
  it('finds nothing where everybody acts in a role of his own', () => {
    expect(codes(good)).toEqual([])
  })

  it('needs a quorum of different people', async () => {
    expect(codes(good.slice(0, 2).concat(good.slice(3)))).toEqual(['CAPS_MANDATE_QUORUM'])
    expect(codes([...good.slice(0, 2), await act('approve', eva), ...good.slice(3)])).toEqual(['CAPS_MANDATE_QUORUM'])
  })

  it('takes two keys of one person for one', async () => {
    const second = signer('the second key of eva')
    const proof = [await cert(ana, eva.key), await cert(eva, second.key)]
    expect(codes([...good.slice(0, 2), await act('approve', second, proof), ...good.slice(3)])).toEqual([
      'CAPS_MANDATE_QUORUM',
    ])
    expect(codes([...good, await act('execute', second, proof)])).toEqual(['CAPS_MANDATE_NOT_SEPARATE'])
  })

  it('counts people, of whom two keys of one grant are one', async () => {
    const second = signer('the second key of eva')
    const proof = [await cert(ana, eva.key), await cert(eva, second.key)]
    expect(countPeople([])).toBe(0)
    expect(countPeople([await act('approve', eva), await act('approve', second, proof)])).toBe(1)
    expect(countPeople([await act('approve', eva), await act('approve', mia), await act('approve', eva)])).toBe(2)
  })

  it('takes acts for one that hang together through a third', async () => {
    const both: Act = { ...(await act('approve', eva)), voices: knownVoices([eva.key, mia.key]) }
    expect(codes([...good, both])).toEqual(['CAPS_MANDATE_QUORUM'])
  })

  it('keeps roles apart', async () => {
    expect(codes([...good, await act('execute', ben)])).toEqual(['CAPS_MANDATE_NOT_SEPARATE'])
    expect(codes([...good, await act('execute', ben)], { ...restore, distinct: [] })).toEqual([])
  })

  it('counts nobody who is not granted the role', async () => {
    const proof = [await cert(ana, mia.key, { tag: MIGRATE })]
    expect(codes([...good.slice(0, 2), await act('approve', mia, proof), ...good.slice(3)])).toEqual([
      'CAPS_MANDATE_NOT_GRANTED',
      'CAPS_MANDATE_QUORUM',
    ])
  })

  it('knows its roles', async () => {
    for (const role of ['watch', 'toString'])
      expect(codes([...good, await act(role, ana, [])])).toEqual(['CAPS_MANDATE_ROLE_UNKNOWN'])
  })
})

test.each<[string, Partial<Mandate>]>([
  [
    'a role that needs more than it is about',
    { scope: ROLE('propose'), roles: { propose: ROLE('propose'), approve: ROLE('approve') } },
  ],
  ['a group with a role that it does not have', { distinct: [['propose', 'watch']] }],
  ['a quorum of a role that it does not have', { quorum: { watch: 1 } }],
  ['a quorum of nobody', { quorum: { approve: 0 } }],
])('a mandate with %s is none', (_, mandate) => {
  expect(codes(good, { ...restore, ...mandate })).toContain('CAPS_MANDATE_INVALID')
})
