import type { Envelope, KeyState, Signer } from '@vault/core'
import { signEnvelope, utf8 } from '@vault/core'
import {
  createKeyDirectory,
  createRevocation,
  createRevocationSet,
  createRevocationView,
  openCapCert,
  openRevocation,
  openRevocationSet,
  principalText,
} from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { house, states } from './cast.ts'
import { ana, authorizeHere, ben, cert, DAY, eva, later, mia, NOW, ROOT, request, revoke, tom } from './world.ts'

const certificate = await cert(ana, ben.key)
const { id } = openCapCert(certificate)
const keys = createKeyDirectory([states[1] as KeyState])
const view = (revocations: readonly Envelope[], sets: readonly Envelope[] = []) =>
  createRevocationView({ revocations, sets, keys })

const byHouse = async (by: Signer, epoch: number) =>
  await createRevocation({ issuer: house, epoch, target: { certificate: id }, reason: 'superseded', at: NOW }, [by])
const setBy = async (by: Signer, epoch: number, from = later(-1000), next = later(DAY)) =>
  await createRevocationSet({ issuer: house, epoch, from, next, revocations: [] }, [by])

describe('a revocation', () => {
  it('counts under the signature of its issuer, and of nobody else', async () => {
    const good = await revoke(ana, certificate)
    const forged = { ...good, signatures: (await signEnvelope('cap-revocation', good.payload, [eva])).signatures }
    expect(view([good]).revokers(id)).toEqual([ana.key])
    const refused = view([forged, await signEnvelope('cap-revocation', utf8('junk'), [ana])])
    expect(refused.revokers(id)).toEqual([])
    expect(refused.unusable.map(({ code }) => code)).toEqual(Array(2).fill('CAPS_REVOCATION_UNUSABLE'))
    expect(authorizeHere(await request([ben]), [certificate], { revocations: refused })).toMatchObject({ ok: true })
  })

  it('of a vault counts whichever keys it had, and not by keys that it never had', async () => {
    expect(view([await byHouse(mia, 0)]).revokers(id)).toEqual([principalText(house)])
    expect(view([await byHouse(tom, 1)]).revokers(id)).toEqual([principalText(house)])
    expect(view([await byHouse(tom, 0)]).revokers(id)).toEqual([])
    expect(view([await byHouse(tom, 2)]).revokers(id)).toEqual([])
  })
})

describe('a set of revocations', () => {
  it('of a vault counts by its present keys only: it says that nothing else is revoked', async () => {
    expect(view([], [await setBy(mia, 0)]).latest(principalText(house))).toBeUndefined()
    expect(view([], [await setBy(tom, 1)]).latest(principalText(house))?.seq).toBe(0)
    const roots = [{ ...ROOT, revocations: house }]
    const asked = async (by: Signer, epoch: number) =>
      authorizeHere(await request([ben]), [certificate], {
        roots,
        keys,
        revocations: view([], [await setBy(by, epoch)]),
      })
    expect(await asked(mia, 0)).toMatchObject({ ok: false, code: 'CAPS_STALE' })
    expect(await asked(tom, 1)).toMatchObject({ ok: true })
  })

  it('is the last one, in whatever order they come', async () => {
    const first = await setBy(tom, 1)
    const previous = openRevocationSet(first)
    const draft = { issuer: house, epoch: 1, previous, from: later(DAY), next: later(2 * DAY), revocations: [] }
    const second = await createRevocationSet(draft, [tom])
    for (const sets of [
      [first, second],
      [second, first],
      [first, first, second],
    ]) {
      expect(view([], sets).latest(principalText(house))?.seq).toBe(1)
      expect(view([], sets).unusable).toEqual([])
    }
  })

  it('counts for nothing beside one that contradicts it', async () => {
    const first = await setBy(tom, 1)
    const other = await setBy(tom, 1, later(-2000))
    const following = {
      issuer: house,
      epoch: 1,
      previous: openRevocationSet(other),
      next: later(3 * DAY),
      revocations: [],
    }
    const second = await createRevocationSet({ ...following, from: later(2 * DAY) }, [tom])
    for (const sets of [
      [first, other],
      [first, second],
      [second, first],
    ]) {
      expect(view([], sets).latest(principalText(house))).toBeUndefined()
      expect(view([], sets).unusable).toHaveLength(1)
    }
  })

  it('counts whole, with revocations that are themselves good', async () => {
    const good = await revoke(ana, certificate)
    const forged = { ...good, signatures: (await signEnvelope('cap-revocation', good.payload, [eva])).signatures }
    const draft = {
      issuer: house,
      epoch: 1,
      from: later(-1000),
      next: later(DAY),
      revocations: [openRevocation(good).id],
    }
    const set = await createRevocationSet(draft, [tom])
    expect(view([good], [set]).latest(principalText(house))?.seq).toBe(0)
    expect(view([], [set]).latest(principalText(house))).toBeUndefined()
    expect(view([forged], [set]).latest(principalText(house))).toBeUndefined()
  })
})
