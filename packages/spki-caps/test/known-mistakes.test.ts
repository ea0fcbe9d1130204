import type { KeyState } from '@vault/core'
import { decodeEnvelope, encode, encodeEnvelope } from '@vault/core'
import {
  createKeyDirectory,
  hashPrincipal,
  openCapCert,
  thresholdPrincipal,
  vaultPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { viewOf } from './cast.ts'
import {
  ana,
  authorizeHere,
  ben,
  cert,
  DAY,
  eva,
  HERE,
  keyStates,
  later,
  MIGRATE,
  mia,
  NOW,
  ROOT,
  request,
  revoke,
  signer,
  tom,
} from './world.ts'

// What implementations of SPKI and of its descendants are known to do wrong: once more in one place.

describe('mistakes that are not made', () => {
  it('tags are compared by what they grant, and not as texts', async () => {
    const wide = vaultTag({ actions: ['migrate', 'read', 'write'], object: HERE })
    const proof = [await cert(ana, eva.key, { tag: wide }), await cert(eva, ben.key, { tag: MIGRATE })]
    expect(authorizeHere(await request([ben]), proof)).toMatchObject({ ok: true, effective: { tag: MIGRATE } })
  })

  it('a path ends at a segment', async () => {
    const tag = vaultTag({ actions: '*', object: HERE, path: ['my'] })
    const asked = await request([ben], { object: { path: [HERE, 'myPublic'] } })
    expect(authorizeHere(asked, [await cert(ana, ben.key, { tag })])).toMatchObject({ code: 'CAPS_NOT_COVERED' })
  })

  it('the time of a certificate is looked at wherever it stands in a chain', async () => {
    const chain = async (at: number) => [
      await cert(ana, eva.key, at === 0 ? { expires: NOW } : {}),
      await cert(eva, mia.key, at === 1 ? { expires: NOW } : {}),
      await cert(mia, ben.key, at === 2 ? { expires: NOW } : {}),
    ]
    for (const at of [0, 1, 2]) {
      expect(authorizeHere(await request([ben]), await chain(at))).toMatchObject({ ok: false, code: 'CAPS_EXPIRED' })
    }
    expect(authorizeHere(await request([ben]), await chain(3))).toMatchObject({ ok: true })
  })

  it('a certificate is revoked, and not everything of the one to whom it grants', async () => {
    const [gone, other] = [await cert(ana, ben.key), await cert(ana, ben.key)]
    const revocations = viewOf([await revoke(ana, gone)])
    expect(authorizeHere(await request([ben]), [gone], { revocations })).toMatchObject({ code: 'CAPS_REVOKED' })
    expect(authorizeHere(await request([ben]), [other], { revocations })).toMatchObject({ ok: true })
  })

  it('the members of a threshold count, each once, and nobody else', async () => {
    const issuer = thresholdPrincipal(3, [ana.key, ben.key, eva.key])
    const roots = [{ ...ROOT, subject: issuer }]
    const strangers = [signer('one'), signer('two'), signer('three')]
    const asked = await request([mia])
    const by = async (...signers: readonly (typeof ana)[]) => [await cert(signers, mia.key, { issuer })]
    expect(authorizeHere(asked, await by(...strangers), { roots })).toMatchObject({ code: 'CAPS_BELOW_THRESHOLD' })
    expect(authorizeHere(asked, await by(ana, ana, ana), { roots })).toMatchObject({ code: 'CAPS_NOT_DISTINCT' })
    expect(authorizeHere(asked, await by(ana, ben, eva), { roots })).toMatchObject({ ok: true })
  })

  it('a signature comes back from its bytes as what it was, and is none of another kind of document', async () => {
    const sent = encodeEnvelope(await cert(ana, ben.key))
    expect(authorizeHere(await request([ben]), [decodeEnvelope(sent)])).toMatchObject({ ok: true })
    const { payload } = await cert(ana, ben.key)
    const { signatures } = await request([ana])
    expect(authorizeHere(await request([ben]), [{ payload, signatures }])).toMatchObject({ code: 'CAPS_SIGNATURE' })
  })

  it('bytes have one form', async () => {
    const { payload, signatures } = await cert(ana, ben.key)
    // The same map with its first key behind the others would decode to the same values elsewhere.
    const longer = Uint8Array.of(0xb9, 0, (payload[0] as number) & 31, ...payload.subarray(1))
    expect(authorizeHere(await request([ben]), [{ payload: longer, signatures }])).toMatchObject({
      code: 'CAPS_MALFORMED',
    })
    expect(encode(openCapCert({ payload, signatures }).record)).toEqual(payload)
  })

  it('a key may be named by its hash', async () => {
    const proof = [await cert(ana, hashPrincipal(eva.key)), await cert(eva, ben.key)]
    expect(authorizeHere(await request([ben]), proof)).toMatchObject({ ok: true })
  })

  it('a vault keeps what it was granted and what it granted when its keys are replaced', async () => {
    const states = await keyStates([{ operators: [mia] }, { operators: [tom] }])
    const house = vaultPrincipal((states[0] as KeyState).vault)
    const proof = [await cert(ana, house), await cert(mia, ben.key, { issuer: house, epoch: 0 })]
    const keys = createKeyDirectory([states[1] as KeyState])
    expect(authorizeHere(await request([ben]), proof, { keys })).toMatchObject({ ok: true })
    expect(authorizeHere(await request([tom]), proof.slice(0, 1), { keys })).toMatchObject({ ok: true })
  })

  it('times are whole seconds in, and whole seconds out', async () => {
    const { record } = openCapCert(await cert(ana, ben.key, { notBefore: NOW, expires: later(DAY) }))
    expect([record.notBefore, record.expires]).toEqual([NOW.getTime() / 1000, (NOW.getTime() + DAY) / 1000])
  })

  it('a chain of any length is refused, and not walked', async () => {
    const proof = Array.from({ length: 1_000_000 }, () => null as never)
    const one = await cert(ana, ben.key)
    expect(authorizeHere(await request([ben]), proof.fill(one as never))).toMatchObject({ code: 'CAPS_TOO_LARGE' })
  })
})
