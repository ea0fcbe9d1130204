import type { Envelope, Signer } from '@vault/core'
import type { AuthorityTrees, GrantNode, OpenProofCert } from '@vault/spki-caps'
import {
  authorityTrees,
  countingCertificates,
  diffAuthority,
  listAuthority,
  openProofCert,
  principalText,
  thresholdPrincipal,
  whatCan,
  whoCan,
} from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { inProofOrder } from '../src/proof-order.ts'
import { viewOf } from './cast.ts'
import { ALL, ana, authorityView, ben, cert, eva, MIGRATE, mia, ROOT, revoke, signer, tom } from './world.ts'

// Whoever was granted something may write any number of certificates, for people that he makes up. What others have is listed all the same.

const PEOPLE = 5
const LAYERS = 8
const crowd = (layer: number): readonly Signer[] =>
  Array.from({ length: PEOPLE }, (_, i) => signer(`made up, ${layer} ${i}`))

/** Of mia: councils whose members all grant to the next council, so that there are 5 to the power of 8 ways to the last. */
async function councils(): Promise<Envelope[]> {
  const councilOf = (layer: number) =>
    thresholdPrincipal(
      2,
      crowd(layer).map(({ key }) => key),
    )
  const certs = [await cert(mia, councilOf(0))]
  for (let layer = 0; layer < LAYERS; layer++)
    for (const one of crowd(layer)) certs.push(await cert(one, councilOf(layer + 1)))
  return certs
}

/** Of mia: people who all grant to all of the next layer; everybody has revoked something, so it matters by whom one came to what he has. */
async function people(): Promise<readonly [Envelope[], Envelope[]]> {
  const certs: Envelope[] = []
  const revoked: Envelope[] = []
  for (const one of crowd(0)) certs.push(await cert(mia, one.key))
  for (let layer = 0; layer < LAYERS; layer++)
    for (const one of crowd(layer)) {
      for (const other of crowd(layer + 1)) certs.push(await cert(one, other.key))
      const taken = await cert(crowd(LAYERS)[0] as Signer, tom.key, { expires: null })
      certs.push(taken)
      revoked.push(await revoke(one, taken))
    }
  return [certs, revoked]
}

const honest = async () => [await cert(ana, eva.key), await cert(eva, ben.key)]
const marks = (nodes: readonly GrantNode[]): number =>
  nodes.reduce((count, { more, below }) => count + (more ? 1 : 0) + marks(below), 0)
const below = ({ trees }: AuthorityTrees) => trees.flatMap((tree) => tree.below)

describe('certificates that go more ways than anybody looks at', () => {
  it.each<[string, () => Promise<readonly [Envelope[], Envelope[]]>]>([
    ['councils of councils', async () => [await councils(), []]],
    ['people of whom each has revoked something', people],
  ])(
    'keep nobody from a list of what others have: %s',
    async (_, make) => {
      const [flood, revoked] = await make()
      const given = await cert(ana, mia.key)
      const revocations = viewOf(revoked)
      const view = (...certs: readonly Envelope[]) =>
        authorityView([given, ...flood, ...certs], { revocations, limits: { search: 1_000 } })
      const certs = await honest()
      const whole = view(...certs)
      const held = listAuthority(whole)
      expect(held.map(({ subject }) => subject)).toEqual(expect.arrayContaining([ana.key, eva.key, ben.key, mia.key]))
      // It is said where there is more, and that is below mia.
      const more = held.filter((each) => each.more)
      expect(more.length).toBeGreaterThan(0)
      for (const { chain } of more) expect(chain).toContain(openProofCert(given).id)
      expect(whoCan({ action: 'migrate', tag: MIGRATE }, whole).map(({ subject }) => subject)).toContain(ben.key)
      const what = whatCan([ben.key], whole)
      expect([what.alone.map(({ subject }) => subject), what.unlisted.length > 0]).toEqual([[ben.key], true])
      expect(marks(below(authorityTrees(whole)))).toBeGreaterThan(0)
      expect(countingCertificates(whole).get(openProofCert(certs[1] as Envelope).id)).toBe('whole')
      // So is what a place lost, or has gained.
      const less = view(certs[0] as Envelope)
      const lost = diffAuthority(whole, less)
      expect([lost.lost.map(({ subject }) => subject), lost.gained, lost.unlisted.length > 0]).toEqual([
        [ben.key],
        [],
        true,
      ])
      expect(diffAuthority(less, whole).gained.map(({ subject }) => subject)).toEqual([ben.key])
    },
    60_000,
  )

  it('are none where it does not matter by whom one came to what he has', async () => {
    const [flood] = await people()
    const view = authorityView([await cert(ana, mia.key), ...flood, ...(await honest())])
    const held = listAuthority(view)
    expect(held).toHaveLength(PEOPLE * (LAYERS + 1) + 4)
    expect(held.some(({ more }) => more)).toBe(false)
  })

  it('are told where it was not seen to the end what shares are together', async () => {
    const halves = [await cert(ana, tom.key), await cert(ben, tom.key)]
    const others = await Promise.all(Array.from({ length: 100 }, (_, i) => cert(signer(`a stranger, ${i}`), tom.key)))
    const trio = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
    const roots = [{ ...ROOT, subject: trio }]
    const few = authorityView([...halves, ...others], { roots, limits: { search: 4 } })
    expect(listAuthority(few).map(({ subject, more }) => [subject, more])).toEqual([
      [principalText(trio), undefined],
      [tom.key, true],
      [tom.key, true],
    ])
    expect(below(authorityTrees(few)).map(({ more, together }) => [more, together])).toEqual([
      [true, undefined],
      [true, undefined],
    ])
    const enough = authorityView([...halves, ...others], { roots })
    expect(below(authorityTrees(enough)).map(({ more, together }) => [more, together])).toEqual([
      [undefined, ALL],
      [undefined, ALL],
    ])
  })

  it('are put in order where a proof takes thousands of them', async () => {
    const members = (name: string) => Array.from({ length: 64 }, (_, i) => signer(`${name} ${i}`))
    const council = (name: string) =>
      thresholdPrincipal(
        64,
        members(name).map(({ key }) => key),
      )
    const link = (envelope: Envelope, by: readonly { readonly cert: OpenProofCert }[]) => ({
      cert: openProofCert(envelope),
      by: new Set(by.map(({ cert }) => cert.id)),
    })
    const links = []
    const seconds = []
    for (const [i, over] of members('over').entries()) {
      const own = []
      for (const under of members(`under ${i}`)) own.push(link(await cert(under, ben.key), []))
      const second = link(await cert(over, council(`under ${i}`)), own)
      seconds.push(second)
      links.push(...own, second)
    }
    const first = link(await cert(ana, council('over')), seconds)
    links.push(first)
    const started = performance.now()
    const ordered = inProofOrder(links)
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(ordered[0]).toBe(first.cert)
    expect(new Set(ordered.slice(1, 65))).toEqual(new Set(seconds.map(({ cert }) => cert)))
    expect(ordered).toHaveLength(links.length)
  }, 60_000)
})
