import type { Envelope } from '@vault/core'
import {
  answer,
  askedTag,
  authorityTrees,
  createCertificateIndex,
  createKeyDirectory,
  createRevocation,
  diffAuthority,
  type GrantNode,
  knownVoices,
  listAuthority,
  namePrincipal,
  openNameCert,
  whoCan,
} from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { viewOf } from './cast.ts'
import { ALL, ana, authorityView, ben, cert, eva, HERE, mia, NOW, nameCert, ROOT } from './world.ts'

const WORDS = 28
const question = { action: 'migrate', tag: askedTag('migrate', { path: [HERE] }), voices: knownVoices([ben.key]) }
const VIEW = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked', now: NOW } as const

/** Of mia, to whom one name was granted: all names of four words are hers, and so is ben. */
async function flood(): Promise<Envelope[]> {
  const certs = [await cert(ana, namePrincipal(mia.key, 'w0'), { delegate: false, tag: HELD_BY_NAME })]
  for (let i = 0; i < WORDS; i++) certs.push(await nameCert(mia, `w${i}`, mia.key))
  return [...certs, await nameCert(mia, 'w0', ben.key)]
}
const HELD_BY_NAME = askedTag('read', { path: [HERE] })

async function ask(certs: readonly Envelope[], revocations: ReturnType<typeof viewOf> | 'unchecked' = 'unchecked') {
  const { verdict } = await answer(question, createCertificateIndex(certs), { ...VIEW, revocations })
  return verdict.ok ? 'granted' : verdict.code
}

test('one key with more names than there can be looked at hides no grant, and no name of somebody else', async () => {
  const names = await flood()
  expect(await ask([...names, await cert(ana, ben.key)])).toBe('granted')
  expect(await ask([...names, await cert(ana, eva.key), await cert(eva, ben.key)])).toBe('granted')
  const staff = [await cert(ana, namePrincipal(ana.key, 'staff')), await nameCert(ana, 'staff', ben.key)]
  expect(await ask([...names, ...staff])).toBe('granted')
  // By two certificates that grant, and a name between them, which is looked at after hers.
  expect(
    await ask([...names, staff[0] as Envelope, await nameCert(ana, 'staff', eva.key), await cert(eva, ben.key)]),
  ).toBe('granted')
})

test('where it leads nowhere, that is an answer', async () => {
  expect(await ask(await flood())).toBe('CAPS_NO_CHAIN')
})

test('what the subject of all roots has revoked is not tried', async () => {
  const certs = [await cert(ana, namePrincipal(mia.key, 'team'))]
  const revoked: Envelope[] = []
  for (let i = 0; i < 17; i++) {
    const said = await nameCert(mia, 'team', ben.key)
    certs.push(said)
    const target = { certificate: openNameCert(said).id }
    revoked.push(await createRevocation({ issuer: ana.key, target, reason: 'cessation', at: NOW }, [ana]))
  }
  const honest = [await cert(ana, namePrincipal(eva.key, 'team')), await nameCert(eva, 'team', ben.key)]
  expect(await ask([...certs, ...honest], viewOf(revoked))).toBe('granted')
})

function refusals(nodes: readonly GrantNode[]): readonly string[] {
  return nodes.flatMap(({ refusal, below }) => [...(refusal === undefined ? [] : [refusal.code]), ...refusals(below)])
}

test('what everybody holds is listed, drawn and compared, however many names one who holds by a name has', async () => {
  // Each leads on to two others, one of them longer; and he grants on to more of them.
  const own = (i: number, ...more: string[]) => namePrincipal(mia.key, `w${i % 40}`, ...more)
  const certs = [await cert(ana, own(0)), await nameCert(mia, 'w0', mia.key), await cert(ana, ben.key)]
  for (let i = 0; i < 40; i++) {
    certs.push(await nameCert(mia, `w${i}`, own(i + 1)), await nameCert(mia, `w${i}`, own(i + 1, `w${i}`)))
    certs.push(await cert(mia, own(i)))
  }
  const view = authorityView(certs)
  const held = listAuthority(view)
  expect(held.length).toBeLessThan(1200)
  expect(whoCan(question, view).map(({ subject }) => subject)).toContain(ben.key)
  const moved = diffAuthority(view, authorityView(certs.toReversed()))
  expect(moved.gained).toEqual([])
  expect(moved.lost).toEqual([])
  expect(refusals(authorityTrees(view).trees[0]?.below ?? [])).toContain('CAPS_TOO_LARGE')
  // So it is told that not all of mia's was looked at, and of nobody else.
  const marked = moved.unlisted.map(({ subject }) => subject)
  expect(new Set(marked.map((subject) => subject.includes(mia.key)))).toEqual(new Set([true]))
}, 20_000)

test('a row of names is followed as far as a proof may be long', async () => {
  const certs = [await cert(ana, namePrincipal(ana.key, 'n0'), { tag: ALL })]
  for (let i = 0; i < 2000; i++) certs.push(await nameCert(ana, `n${i}`, namePrincipal(ana.key, `n${i + 1}`)))
  const view = authorityView(certs)
  const held = listAuthority(view)
  expect(Math.max(...held.map(({ chain }) => chain.length))).toBe(64)
  expect(held.filter(({ more }) => more).map(({ chain }) => chain.length)).toEqual([64])
  expect(refusals(authorityTrees(view).trees[0]?.below ?? [])).toEqual(['CAPS_TOO_LARGE'])
}, 20_000)
