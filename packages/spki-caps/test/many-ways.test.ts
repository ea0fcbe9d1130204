import type { Envelope, Signer } from '@vault/core'
import type { AuthorityTrees, GrantNode } from '@vault/spki-caps'
import {
  authorityTrees,
  countingCertificates,
  diffAuthority,
  listAuthority,
  openProofCert,
  thresholdPrincipal,
  whatCan,
  whoCan,
} from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { viewOf } from './cast.ts'
import { ana, authorityView, ben, cert, eva, MIGRATE, mia, revoke, signer, tom } from './world.ts'

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
})
