import type { Envelope, KeyState } from '@vault/core'
import { mergeEnvelopes, signEnvelope } from '@vault/core'
import type { Principal, Root } from '@vault/spki-caps'
import {
  createKeyDirectory,
  createNonceLedger,
  hashPrincipal,
  openCapCert,
  principalText,
  thresholdPrincipal,
  vaultPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import { describe, expect, it, test } from 'vitest'
import {
  type Case,
  council,
  house,
  houseRoot,
  kept,
  knowing,
  lost,
  ofHouse,
  setOf,
  states,
  trio,
  viewOf,
} from './cast.ts'
import {
  ALL,
  ana,
  authorizeHere,
  ben,
  cert,
  eva,
  HERE,
  keyStates,
  later,
  MIGRATE,
  mia,
  ROOT,
  request,
  revoke,
  tom,
} from './world.ts'

test('CAPS_REPLAY: a request is taken once, and only when it is granted', async () => {
  const nonces = createNonceLedger()
  const asked = await request([ben])
  const proof = [await cert(ana, ben.key)]
  expect(authorizeHere(asked, [], { nonces })).toMatchObject({ ok: false })
  expect(authorizeHere(asked, proof, { nonces })).toMatchObject({ ok: true })
  expect(authorizeHere(asked, proof, { nonces })).toMatchObject({ ok: false, code: 'CAPS_REPLAY' })
})

describe('what is granted', () => {
  const granted = async (made: Case) => authorizeHere(made.request ?? (await request([ben])), made.proof, made.input)

  it('is what all certificates of a chain grant, until the first of them ends', async () => {
    const proof = [
      await cert(ana, eva.key, {
        tag: vaultTag({ actions: ['migrate', 'write'], object: HERE }),
        expires: later(5000),
      }),
      await cert(eva, ben.key, { tag: vaultTag({ actions: ['migrate', 'read'], object: HERE }), delegate: false }),
    ]
    const verdict = await granted({ proof })
    expect(verdict).toMatchObject({
      ok: true,
      effective: { root: 'ana', tag: MIGRATE, expires: later(5000).getTime() / 1000 },
    })
  })

  it('needs no certificate for the root itself', async () => {
    expect(await granted({ request: await request([ana]), proof: [] })).toMatchObject({
      ok: true,
      effective: { tag: ALL },
    })
  })

  it('may come from any of several roots', async () => {
    const other: Root = { ...ROOT, name: 'other', tag: vaultTag({ actions: ['read'], object: HERE }) }
    const proof = [await cert(ana, ben.key)]
    expect(await granted({ proof, input: { roots: [other, ROOT] } })).toMatchObject({
      ok: true,
      effective: { root: 'ana' },
    })
  })

  it('goes to a key by its hash, and on from there', async () => {
    const hashed = hashPrincipal(eva.key)
    const byKey = [await cert(ana, hashed), await cert(eva, ben.key)]
    const byHash = [await cert(ana, hashed), await cert(eva, ben.key, { issuer: hashed })]
    expect(await granted({ proof: byKey })).toMatchObject({ ok: true })
    expect(await granted({ proof: byHash })).toMatchObject({ ok: true })
    expect(await granted({ request: await request([eva]), proof: byKey.slice(0, 1) })).toMatchObject({ ok: true })
  })

  it('takes any order of signatures, whoever else signs, and signatures that are added', async () => {
    const payloads = [await cert([ben, tom], tom.key, { issuer: trio })]
    const one = payloads[0] as Envelope
    const added = await signEnvelope('cap', one.payload, [ana])
    const proof = [mergeEnvelopes([one, added])]
    expect(await granted({ request: await request([tom]), proof, input: { roots: [council] } })).toMatchObject({
      ok: true,
    })
  })

  it('leads through certificates of members of a threshold, enough of them', async () => {
    const byBen = await cert(ben, mia.key)
    const byEva = await cert(eva, tom.key)
    const both = { request: await request([mia, tom]), proof: [byBen, byEva], input: { roots: [council] } }
    expect(await granted(both)).toMatchObject({ ok: true })
    expect(await granted({ ...both, request: await request([mia]) })).toMatchObject({
      ok: false,
      code: 'CAPS_NOT_SIGNER',
    })
    expect(await granted({ ...both, request: await request([mia]), proof: [byBen] })).toMatchObject({
      ok: false,
      code: 'CAPS_BELOW_THRESHOLD',
    })
  })

  it('lets two members of a threshold grant to one person, and one member not twice', async () => {
    const one = { request: await request([mia]), input: { roots: [council] } }
    expect(await granted({ ...one, proof: [await cert(ben, mia.key), await cert(eva, mia.key)] })).toMatchObject({
      ok: true,
    })
    expect(await granted({ ...one, proof: [await cert(ben, mia.key), await cert(ben, mia.key)] })).toMatchObject({
      ok: false,
    })
  })

  it('counts one who granted on once, under whatever names', async () => {
    const twice = thresholdPrincipal(2, [ana.key, hashPrincipal(ana.key), ben.key])
    const one = { request: await request([mia]), proof: [await cert(ana, mia.key)] }
    const input = { roots: [{ ...council, subject: twice }] }
    expect(await granted({ ...one, input })).toMatchObject({ ok: false, code: 'CAPS_NOT_DISTINCT' })
    const both = thresholdPrincipal(2, [tom.key, house])
    const proof = [await cert(tom, mia.key), await cert(tom, mia.key, { issuer: house, epoch: 1 })]
    const known = { roots: [{ ...council, subject: both }], keys: knowing(states) }
    expect(await granted({ ...one, proof, input: known })).toMatchObject({ ok: false, code: 'CAPS_NOT_DISTINCT' })
  })

  it('bounds what a member of a threshold grants by all from whom it comes', async () => {
    const read = vaultTag({ actions: ['read'], object: HERE })
    const proof = [
      await cert([ben, eva], thresholdPrincipal(1, [mia.key, tom.key]), { issuer: trio, tag: read }),
      await cert(mia, ben.key),
    ]
    expect(await granted({ proof, input: { roots: [council] } })).toMatchObject({ ok: false, code: 'CAPS_NOT_COVERED' })
  })

  it('does not let what an operator grants speak for the vault', async () => {
    const ofHouse = await cert(ana, house, { delegate: false })
    const input = { keys: knowing(states) }
    const mixed = [ofHouse, await cert(ana, tom.key), await cert(tom, ben.key)]
    expect(await granted({ proof: mixed, input })).toMatchObject({ ok: false, code: 'CAPS_NOT_SIGNER' })
    expect(await granted({ request: await request([tom]), proof: [ofHouse], input })).toMatchObject({ ok: true })
  })

  it('goes no further than each of those allows from whom it comes', async () => {
    const either = thresholdPrincipal(1, [mia.key, tom.key])
    const far = [await cert(ana, either, { depth: 5 }), await cert(mia, eva.key), await cert(eva, ben.key)]
    const near = await cert(ana, mia.key, { depth: 1 })
    expect(await granted({ proof: far })).toMatchObject({ ok: true })
    const both = await granted({ request: await request([ben, mia]), proof: [near, ...far] })
    expect(both).toMatchObject({ ok: false, code: 'CAPS_TOO_DEEP' })
  })

  it('needs no revoked key where a threshold has enough others', async () => {
    const proof = [await cert([ana, ben, eva], tom.key, { issuer: trio })]
    const revocations = viewOf([await revoke(eva, { key: eva.key }, 'key-compromise')])
    expect(
      await granted({ request: await request([tom]), proof, input: { roots: [council], revocations } }),
    ).toMatchObject({
      ok: true,
    })
  })

  it('is not revoked by those who have no part in it', async () => {
    const first = await cert(ana, eva.key)
    const second = await cert(eva, ben.key)
    const strangers = [await revoke(ben, first), await revoke(mia, second), await revoke(mia, { key: eva.key })]
    expect(await granted({ proof: [first, second], input: { revocations: viewOf(strangers) } })).toMatchObject({
      ok: true,
    })
  })

  it('is as fresh as the action needs', async () => {
    const sets = [await setOf(tom, later(-23 * 60 * 60 * 1000), later(-1000))]
    const input = { roots: [kept], revocations: viewOf([], sets) }
    const proof = [await cert(ana, ben.key)]
    const asked = async (action: string) => authorizeHere(await request([ben], { action }), proof, input)
    expect(await asked('read')).toMatchObject({ ok: true })
    expect(await asked('write')).toMatchObject({ ok: false, code: 'CAPS_STALE' })
    expect(await asked('toString')).toMatchObject({ ok: false, code: 'CAPS_STALE' })
  })
})

describe('a vault as principal', () => {
  it('is whoever its operators are, before and after they are replaced', async () => {
    const proof = [await cert(ana, house), await cert(tom, ben.key, { issuer: house, epoch: 1 })]
    expect(authorizeHere(await request([ben]), proof, { keys: knowing(states) })).toMatchObject({ ok: true })
    expect(authorizeHere(await request([tom]), proof.slice(0, 1), { keys: knowing(states) })).toMatchObject({
      ok: true,
    })
  })

  it('keeps what it granted for a time when its keys are replaced in good order, and says what is not known', async () => {
    const verdict = authorizeHere(await request([ben]), [await ofHouse(mia, 0)], {
      roots: [houseRoot],
      keys: knowing(states),
    })
    expect(verdict).toMatchObject({ ok: true })
    expect(verdict.trace[1]?.checks.find(({ name }) => name === 'keys')?.state).toBe('unchecked')
  })

  it('keeps what it provably granted before its keys were lost', async () => {
    const granted = await ofHouse(mia, 0, null)
    const anchored = (claim: { readonly certificate: string; readonly seq: number }) =>
      claim.certificate === openCapCert(granted).id && claim.seq === 1
    const input = { roots: [houseRoot], keys: createKeyDirectory([lost[1] as KeyState], anchored) }
    expect(authorizeHere(await request([ben]), [granted], input)).toMatchObject({ ok: true })
    expect(authorizeHere(await request([ben]), [await ofHouse(mia, 0, null)], input)).toMatchObject({
      code: 'CAPS_EPOCH',
    })
  })

  it('needs the threshold of its operators', async () => {
    const two = await keyStates([{ operators: [mia, tom].sort((a, b) => (a.key < b.key ? -1 : 1)) }], 2)
    const principal: Principal = vaultPrincipal((two[0] as KeyState).vault)
    const input = { roots: [{ ...ROOT, subject: principal }], keys: knowing(two) }
    expect(authorizeHere(await request([mia]), [], input)).toMatchObject({ ok: false, code: 'CAPS_BELOW_THRESHOLD' })
    expect(authorizeHere(await request([mia, tom]), [], input)).toMatchObject({ ok: true })
    expect(principalText(principal)).toMatch(/^vault:b/)
  })
})
