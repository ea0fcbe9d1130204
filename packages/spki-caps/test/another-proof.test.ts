import type { Envelope } from '@vault/core'
import type { Circumstances } from '@vault/spki-caps'
import {
  answer,
  createCertificateIndex,
  createKeyDirectory,
  knownVoices,
  namePrincipal,
  thresholdPrincipal,
} from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { viewOf } from './cast.ts'
import { ana, ben, cert, eva, MIGRATE, mia, NOW, nameCert, ROOT, revoke, signer, tom } from './world.ts'

// Whoever is above in one chain may revoke what follows there. That refuses the chain, and no other one by which the same is granted.

const VIEW = { keys: createKeyDirectory([]), now: NOW }

async function ask(
  certificates: readonly Envelope[],
  revoked: readonly Envelope[],
  {
    roots = [ROOT],
    keys = [ben.key],
    ...more
  }: Omit<Partial<Circumstances>, 'keys'> & { readonly keys?: readonly (typeof ben.key)[] } = {},
) {
  const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices(keys) }
  const circumstances = { ...VIEW, roots, revocations: viewOf(revoked), ...more }
  const { verdict } = await answer(question, createCertificateIndex(certificates), circumstances)
  return verdict.ok ? 'granted' : verdict.code
}

/** In this order and in the other one. */
async function both(...given: Parameters<typeof ask>) {
  const [certificates, ...rest] = given
  return [await ask(...given), await ask(certificates.toReversed(), ...rest)]
}

describe('where a chain is refused by one who is above in it', () => {
  it('another one is found, past whoever has revoked', async () => {
    const last = await cert(mia, ben.key)
    const ways = [
      await cert(ana, eva.key),
      await cert(eva, mia.key),
      await cert(ana, tom.key),
      await cert(tom, mia.key),
    ]
    expect(await both([...ways, last], [await revoke(eva, last)])).toEqual(['granted', 'granted'])
    const denied = [await revoke(eva, last), await revoke(tom, last)]
    expect(await both([...ways, last], denied)).toEqual(['CAPS_REVOKED', 'CAPS_REVOKED'])
  })

  it('another one is found at another root', async () => {
    const last = await cert(mia, ben.key)
    const roots = [ROOT, { ...ROOT, name: 'tom', subject: tom.key }]
    const ways = [await cert(ana, mia.key), await cert(tom, mia.key), last]
    for (const each of [roots, roots.toReversed()])
      expect(await both(ways, [await revoke(ana, last)], { roots: each })).toEqual(['granted', 'granted'])
  })

  it('another one is found of a council, by other members and by other names', async () => {
    const trio = thresholdPrincipal(2, [ana.key, eva.key, tom.key])
    const halves = [await cert(ana, mia.key), await cert(eva, mia.key), await cert(tom, mia.key)]
    const last = await cert(mia, ben.key)
    const roots = [{ ...ROOT, subject: trio }]
    expect(await both([...halves, last], [await revoke(eva, last)], { roots })).toEqual(['granted', 'granted'])
    const staff = namePrincipal(ana.key, 'staff')
    const called = [await nameCert(ana, 'staff', eva.key), await nameCert(ana, 'staff', tom.key)]
    const named = [await cert(ana, staff), ...called, await cert(eva, mia.key), await cert(tom, mia.key), last]
    expect(await both(named, [await revoke(eva, last)])).toEqual(['granted', 'granted'])
  })

  it('a member whose council speaks without him goes on with what he has beside it', async () => {
    // What tom gives the council binds ana where it stands before hers; it need not.
    const pair = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
    const on = await cert(ana, mia.key)
    const certificates = [await cert(signer('x'), ana.key), on, await cert(tom, pair)]
    const roots = [{ ...ROOT, subject: thresholdPrincipal(2, [signer('x').key, tom.key]) }]
    const keys = [ben.key, eva.key, mia.key]
    expect(await both(certificates, [await revoke(tom, on)], { roots, keys })).toEqual(['granted', 'granted'])
  })

  it('whoever could speak for a council himself, and is needed beside it, is heard by what it has issued', async () => {
    const council = thresholdPrincipal(2, [ben.key, eva.key, mia.key])
    const certificates = [await nameCert(ana, 'x', council), await cert([ben, eva], mia.key, { issuer: council })]
    const roots = [{ ...ROOT, subject: thresholdPrincipal(2, [namePrincipal(ana.key, 'x'), mia.key]) }]
    for (const keys of [[mia.key], [eva.key, mia.key]])
      expect(await both(certificates, [], { roots, keys })).toEqual(['granted', 'granted'])
  })

  it('a council that is called by a name is heard by those of its members whom nothing else needs', async () => {
    const council = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
    const halves = [await cert(ana, mia.key), await cert(ben, mia.key), await cert(eva, ben.key)]
    for (const member of council.of) {
      const certificates = [await nameCert(tom, 'x', council), ...halves]
      const roots = [{ ...ROOT, subject: thresholdPrincipal(2, [namePrincipal(tom.key, 'x'), member]) }]
      // Whoever is heard alone is so with others beside him.
      for (const keys of [[mia.key], [eva.key, mia.key], [ana.key, mia.key], [ben.key, mia.key]])
        expect(await both(certificates, [], { roots, keys })).toEqual(['granted', 'granted'])
    }
  })

  it('any number of certificates that one has revoked hide no other', async () => {
    const ways = [await cert(ana, eva.key), await cert(eva, mia.key)]
    const revoked: Envelope[] = []
    for (let i = 0; i < 300; i++) {
      const taken = await cert(mia, ben.key, { expires: null })
      ways.push(taken)
      revoked.push(await revoke(eva, taken))
    }
    expect(await ask(ways, revoked)).toBe('CAPS_REVOKED')
    expect(await both([...ways, await cert(mia, ben.key)], revoked)).toEqual(['granted', 'granted'])
    expect(await both([...ways, await cert(ana, tom.key), await cert(tom, mia.key)], revoked)).toEqual([
      'granted',
      'granted',
    ])
  })

  it('any number of chains each of which refuses itself hide none in which nobody has revoked anything', async () => {
    const ways = [await cert(ana, mia.key)]
    const revoked: Envelope[] = []
    for (let i = 0; i < 300; i++) {
      const [over, under] = [signer(`over ${i}`), signer(`under ${i}`)]
      const taken = await cert(under, ben.key)
      ways.push(await cert(mia, over.key), await cert(over, under.key), taken)
      revoked.push(await revoke(over, taken))
    }
    expect(await ask(ways, revoked)).toBe('CAPS_REVOKED')
    const [x, y] = [signer('x'), signer('y')]
    const honest = [await cert(ana, eva.key), await cert(eva, x.key), await cert(x, y.key), await cert(y, tom.key)]
    expect(await both([...ways, ...honest, await cert(tom, ben.key)], revoked)).toEqual(['granted', 'granted'])
  })
})
