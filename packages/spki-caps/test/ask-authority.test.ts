import type { Envelope } from '@vault/core'
import {
  askedTag,
  authorityTrees,
  hashPrincipal,
  openCapCert,
  principalText,
  thresholdPrincipal,
  vaultGrantOf,
  vaultTag,
  whatCan,
  whoCan,
} from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { viewOf as revocationsOf } from './cast.ts'
import { codeOf } from './support.ts'
import { ana, authorityView, ben, cert, DAY, eva, HERE, later, mia, revoke, tom } from './world.ts'

const idOf = (envelope: Envelope) => openCapCert(envelope).id
const reading = vaultTag({ actions: ['read'], object: HERE, path: ['docs'] })

describe('whoCan and whatCan', () => {
  it('name those who hold all of what is asked', async () => {
    const view = authorityView([await cert(ana, eva.key), await cert(eva, ben.key, { tag: reading })])
    const who = (action: string, ...path: string[]) =>
      whoCan({ action, tag: askedTag(action, { path: [HERE, ...path] }) }, view).map(({ subject }) => subject)
    expect(who('read', 'docs', 'a')).toEqual([ana.key, eva.key, ben.key])
    expect(who('read')).toEqual([ana.key, eva.key])
    expect(who('delete')).toEqual(who('delete', 'docs'))
  })

  it('tell what keys hold alone from what they have a part in', async () => {
    const pair = thresholdPrincipal(2, [ben.key, hashPrincipal(eva.key), mia.key])
    const view = authorityView([
      await cert(ana, pair),
      await cert(ana, hashPrincipal(tom.key)),
      await cert(ben, mia.key),
    ])
    const what = (...keys: (typeof ana.key)[]) => {
      const { alone, together } = whatCan(keys, view)
      return [alone, together].map((held) => held.map(({ subject }) => subject))
    }
    expect(what(ben.key)).toEqual([[], [principalText(pair)]])
    expect(what(ben.key, eva.key)).toEqual([[principalText(pair)], []])
    expect(what(tom.key)).toEqual([[principalText(hashPrincipal(tom.key))], []])
    // What one member of the pair granted on counts only together with another one: she is one herself, and tom is none.
    expect(what(mia.key)).toEqual([[mia.key], [principalText(pair), mia.key]])
  })

  it('give a revoked key nothing', async () => {
    const gone = await revoke(ben, { key: ben.key })
    const view = authorityView([await cert(ana, ben.key)], { revocations: revocationsOf([gone]) })
    expect(whatCan([ben.key], view).alone).toEqual([])
  })
})

describe('authorityTrees', () => {
  it('has every certificate once under its issuer, also what does not count and why', async () => {
    const first = await cert(ana, eva.key)
    const second = await cert(eva, ben.key, { tag: reading, delegate: false })
    const kept = await cert(ben, tom.key)
    const old = await cert(eva, mia.key, { expires: later(-1) })
    const taken = await cert(ana, tom.key)
    const loose = await cert(mia, tom.key)
    const revocations = revocationsOf([await revoke(ana, taken)])
    const { trees, loose: hanging } = authorityTrees(
      authorityView([first, second, kept, old, taken, loose], { revocations }),
    )
    expect(trees).toMatchObject([
      {
        root: 'ana',
        below: [
          {
            certificate: idOf(first),
            below: [
              {
                certificate: idOf(second),
                below: [{ certificate: idOf(kept), refusal: { code: 'CAPS_NOT_DELEGABLE' } }],
              },
              { certificate: idOf(old), refusal: { code: 'CAPS_EXPIRED' }, below: [] },
            ],
          },
          { certificate: idOf(taken), refusal: { code: 'CAPS_REVOKED' }, below: [] },
        ],
      },
    ])
    expect(hanging.map(({ certificate }) => certificate)).toEqual([idOf(loose)])
  })

  it('ends in circles, and says what somebody has already', async () => {
    const ways = [
      await cert(ana, eva.key),
      await cert(eva, ben.key),
      await cert(ben, eva.key),
      await cert(ana, ben.key),
    ]
    const { trees } = authorityTrees(authorityView(ways))
    const [viaEva, straight] = trees[0]?.below ?? []
    expect(viaEva?.below[0]?.below[0]?.refusal?.code).toBe('CAPS_CYCLIC')
    expect(straight).toMatchObject({ subject: ben.key, repeated: false })
    const again = authorityTrees(
      authorityView([...ways.toReversed(), await cert(ana, ben.key, { expires: later(DAY / 2) })]),
    )
    expect(again.trees[0]?.below.map(({ repeated }) => repeated)).toContain(true)
  })

  it('is bounded', async () => {
    const view = authorityView([await cert(ana, eva.key), await cert(ana, ben.key)], { limits: { search: 1 } })
    expect(codeOf(() => authorityTrees(view))).toBe('CAPS_LIMIT')
  })
})

describe('vaultGrantOf', () => {
  it('reads back what vaultTag makes, and nothing else', () => {
    const limit = ['size', { range: { order: 'numeric', le: '9' } }] as const
    for (const grant of [
      { actions: ['read', 'write'], object: HERE, path: ['docs'], limits: [limit] },
      { actions: ['read'], object: HERE, path: [], limits: [] },
      { actions: '*', object: HERE, path: [], limits: [] },
    ] as const) {
      expect(vaultGrantOf(vaultTag(grant))).toEqual(grant)
    }
    expect([
      vaultGrantOf('*'),
      vaultGrantOf(['vault', 'read']),
      vaultGrantOf(['vault', 'read', { path: ['docs'] }]),
    ]).toEqual([undefined, undefined, undefined])
    expect(vaultGrantOf(['vault', { prefix: 're' }, { path: [HERE] }])).toBeUndefined()
  })
})
