import type { Envelope } from '@vault/core'
import { decode, decodeEnvelope, encode, encodeEnvelope, link, mergeEnvelopes, signEnvelope } from '@vault/core'
import {
  capCertPayload,
  createNameCert,
  createRevocationSet,
  createValidation,
  hashPrincipal,
  namePrincipal,
  openCapCert,
  openCapRequest,
  openNameCert,
  openRevocation,
  openRevocationSet,
  openValidation,
  parsePrincipal,
  principalText,
  thresholdPrincipal,
  vaultPrincipal,
} from '@vault/spki-caps'
import { describe, expect, it, test } from 'vitest'
import { codeOf } from './support.ts'
import { ALL, ana, ben, cert, DAY, eva, HERE, later, NOW, nameCert, nonce, request, revoke, tom } from './world.ts'

const certificate = await cert(ana, ben.key, {
  depth: 2,
  notBefore: NOW,
  comment: 'until the spring',
  checks: [
    { by: tom.key, maxAge: 60 },
    { by: tom.key, maxAge: 60, kind: 'validation' },
    { by: tom.key, maxAge: 60, kind: 'once' },
  ],
})
const asked = await request([ben], { args: [['size', '5']] })
const revocation = await revoke(ana, certificate)
const set = await createRevocationSet(
  { issuer: tom.key, from: NOW, next: later(DAY), revocations: [openRevocation(revocation).id] },
  [tom],
)
const validation = await createValidation(
  {
    issuer: tom.key,
    certificate: openCapCert(certificate).id,
    request: openCapRequest(asked).id,
    from: NOW,
    until: later(DAY),
  },
  [tom],
)

const named = await nameCert(ana, 'staff', ben.key, { notBefore: NOW, comment: 'since the spring' })

const formats: readonly [string, Envelope, (envelope: Envelope) => { readonly record: unknown }][] = [
  ['cap', certificate, openCapCert],
  ['cap-name', named, openNameCert],
  ['cap-request', asked, openCapRequest],
  ['cap-revocation', revocation, openRevocation],
  ['cap-revocation-set', set, openRevocationSet],
  ['cap-validation', validation, openValidation],
]

describe.each(formats)('a %s', (_, envelope, open) => {
  const fields = decode(envelope.payload) as Readonly<Record<string, unknown>>
  const altered = (payload: Uint8Array) => open({ ...envelope, payload: new Uint8Array(payload) })

  it('is read as it was written, and written as it was read', () => {
    expect(encode(open(envelope).record)).toEqual(envelope.payload)
    expect(open(decodeEnvelope(encodeEnvelope(envelope))).record).toEqual(open(envelope).record)
  })

  it('has exactly its fields', () => {
    for (const name of Object.keys(fields)) {
      const { [name]: _gone, ...others } = fields
      expect(
        codeOf(() => altered(encode(others))),
        name,
      ).toBe('CAPS_RECORD_INVALID')
    }
    expect(codeOf(() => altered(encode({ ...fields, extra: 1 })))).toBe('CAPS_RECORD_INVALID')
  })

  it('has no field of another kind, and is of version 1', () => {
    for (const name of Object.keys(fields)) {
      if (name === 'comment') continue
      expect(
        codeOf(() => altered(encode({ ...fields, [name]: { odd: true } }))),
        name,
      ).toMatch(/^CAPS_\w+_INVALID$/)
    }
    expect(codeOf(() => altered(encode({ ...fields, v: 2 })))).toBe('CAPS_RECORD_INVALID')
  })

  it('is strict DAG-CBOR to its last byte', () => {
    expect(codeOf(() => altered(Uint8Array.of(...envelope.payload, 0)))).toBe('CAPS_RECORD_INVALID')
    expect(codeOf(() => altered(envelope.payload.subarray(0, -1)))).toBe('CAPS_RECORD_INVALID')
  })
})

const change = async (fields: Record<string, unknown>) =>
  await signEnvelope('cap', encode({ ...(decode(certificate.payload) as object), ...fields }), [ana])

test.each<[string, Record<string, unknown>]>([
  ['a depth of 0', { depth: 0 }],
  ['a depth where nothing may follow', { delegate: false }],
  ['an end before the beginning', { notBefore: 5, expires: 5 }],
  ['an epoch of a key', { epoch: 0 }],
  ['no epoch of a vault', { issuer: { vault: link(HERE) } }],
  ['a time with a fraction', { notBefore: 1.5 }],
  ['a time as text', { expires: '2026-02-01' }],
  ['a nonce too short', { nonce: new Uint8Array(12) }],
  ['more checks than four', { checks: Array(5).fill({ by: tom.key, maxAge: 1 }) }],
  ['a check with more in it', { checks: [{ by: tom.key, maxAge: 1, at: 'https://example.org' }] }],
  ['an empty comment', { comment: '' }],
])('a certificate with %s is refused', async (_, fields) => {
  const envelope = await change(fields)
  expect(codeOf(() => openCapCert(envelope))).toBe('CAPS_RECORD_INVALID')
})

test('no certificate is signed that no reader takes', async () => {
  await expect(cert(ana, ben.key, { delegate: false, depth: 1 })).rejects.toMatchObject({ code: 'CAPS_RECORD_INVALID' })
  await expect(cert(ana, ben.key, { tag: { set: ['a'] } })).rejects.toMatchObject({ code: 'CAPS_TAG_INVALID' })
})

test('a request lives a day at most', async () => {
  await expect(request([ben], { expires: later(DAY + 1000) })).rejects.toMatchObject({ code: 'CAPS_RECORD_INVALID' })
  await expect(request([ben], { action: '*' })).rejects.toMatchObject({ code: 'CAPS_RECORD_INVALID' })
})

test('signers that are apart make one certificate', async () => {
  const both = thresholdPrincipal(2, [ana.key, eva.key])
  const payload = capCertPayload({ issuer: both, subject: ben.key, tag: ALL, expires: null, nonce: nonce() })
  const parts = await Promise.all([ana, eva].map((one) => signEnvelope('cap', payload, [one])))
  expect(openCapCert(mergeEnvelopes(parts)).id).toBe(openCapCert(parts[0] as Envelope).id)
})

test('a set follows the one before: a later time, and all of its revocations', async () => {
  const previous = openRevocationSet(set)
  const [known] = previous.record.revocations
  const next = { issuer: tom.key, previous, from: later(DAY), next: later(2 * DAY) }
  const good = openRevocationSet(await createRevocationSet({ ...next, revocations: [known?.id as never] }, [tom]))
  expect(good.record).toMatchObject({ seq: 1, prev: { id: previous.id } })
  const early = { ...next, from: later(DAY - 1000), revocations: [known?.id as never] }
  await expect(createRevocationSet(early, [tom])).rejects.toMatchObject({ code: 'CAPS_RECORD_INVALID' })
  await expect(createRevocationSet({ ...next, revocations: [] }, [tom])).rejects.toMatchObject({
    code: 'CAPS_RECORD_INVALID',
  })
})

test.each<[string, unknown]>([
  ['a number', 5],
  ['a key as bytes', new Uint8Array(32)],
  ['a text that is no key', 'ed25519:z6Mk'],
  ['a threshold of 0', { threshold: 0, of: [ana.key] }],
  ['a threshold above its members', { threshold: 2, of: [ana.key] }],
  ['a threshold of nobody', { threshold: 1, of: [] }],
  ['a member twice', { threshold: 1, of: [ana.key, ana.key] }],
  ['members out of order', { threshold: 1, of: [ana.key, ben.key].sort().reverse() }],
  ['thresholds three deep', { threshold: 1, of: [{ threshold: 1, of: [{ threshold: 1, of: [ana.key] }] }] }],
  ['a vault that is no link', { vault: HERE }],
  ['a vault that is no inception', { vault: hashPrincipal(ana.key).hash }],
  ['a hash that is no key', { hash: link(HERE) }],
  ['two kinds at once', { vault: link(HERE), hash: hashPrincipal(ana.key).hash }],
])('%s is no principal', (_, value) => {
  expect(codeOf(() => parsePrincipal(value))).toBe('CAPS_PRINCIPAL_INVALID')
})

test('a principal has at most 64 members, however they are nested', () => {
  const vaults = Array.from({ length: 66 }, (_, i) =>
    vaultPrincipal(
      openCapCert({
        ...certificate,
        payload: capCertPayload({ issuer: ana.key, subject: ben.key, tag: `${i}`, expires: null, nonce: nonce() }),
      }).id,
    ),
  )
  const halves = [vaults.slice(0, 33), vaults.slice(33)].map((some) => thresholdPrincipal(1, some))
  expect(codeOf(() => thresholdPrincipal(1, halves))).toBe('CAPS_PRINCIPAL_INVALID')
  expect(codeOf(() => thresholdPrincipal(1, vaults.slice(0, 64)))).toBeUndefined()
})

const HOUSE = { vault: link(HERE) }
const nameOf = (...words: readonly unknown[]) => ({ of: ana.key, names: words })
test.each<[string, unknown]>([
  ['no word', nameOf()],
  ['five words', nameOf('a', 'b', 'c', 'd', 'e')],
  ['a word that is no text', nameOf(1)],
  ['an empty word', nameOf('')],
  ['a word of 65 characters', nameOf('a'.repeat(65))],
  ['a capital', nameOf('Staff')],
  ['a digit first', nameOf('1st')],
  ['a letter that looks like another', nameOf('st\u0430ff')],
  ['a slash in it', nameOf('a/b')],
  ['a comma in it', nameOf('a,b')],
  ['a line end behind it', nameOf('staff\n')],
  ['more fields', { ...nameOf('a'), extra: 1 }],
  ['a threshold as whose name it is', { of: thresholdPrincipal(1, [ana.key]), names: ['a'] }],
  ['a hash as whose name it is', { of: hashPrincipal(ana.key), names: ['a'] }],
  ['a name as whose name it is', { of: nameOf('a'), names: ['b'] }],
])('a name with %s is none', (_, value) => {
  expect(codeOf(() => parsePrincipal(value))).toBe('CAPS_PRINCIPAL_INVALID')
})

test('names have texts of their own', () => {
  const all = [
    namePrincipal(ana.key, 'a', 'b'),
    namePrincipal(ana.key, 'a-b'),
    namePrincipal(ana.key, 'a_b'),
    namePrincipal(ana.key, 'a'),
    namePrincipal(ben.key, 'a'),
    namePrincipal(vaultPrincipal(HERE), 'a'),
    vaultPrincipal(HERE),
    thresholdPrincipal(1, [namePrincipal(ana.key, 'a')]),
    thresholdPrincipal(1, [namePrincipal(ana.key, 'a'), namePrincipal(ana.key, 'b')]),
    thresholdPrincipal(2, [namePrincipal(ana.key, 'a', 'b'), ana.key]),
  ]
  expect(new Set(all.map(principalText)).size).toBe(all.length)
  for (const each of all) expect(parsePrincipal(decode(encode(each)))).toEqual(each)
})

test('a name signs nothing, nor does a threshold with one in it', async () => {
  const name = namePrincipal(ana.key, 'staff')
  for (const issuer of [name, thresholdPrincipal(1, [ana.key, name])]) {
    expect(codeOf(() => capCertPayload({ issuer, subject: ben.key, tag: ALL, expires: null, nonce: nonce() }))).toBe(
      'CAPS_RECORD_INVALID',
    )
  }
})

test.each<[string, object, string]>([
  ['by a threshold', { issuer: thresholdPrincipal(1, [ana.key]) }, 'CAPS_RECORD_INVALID'],
  ['by a hash', { issuer: hashPrincipal(ana.key) }, 'CAPS_RECORD_INVALID'],
  ['by a vault without an epoch', { issuer: HOUSE }, 'CAPS_RECORD_INVALID'],
  ['of a word that is none', { name: 'Staff' }, 'CAPS_RECORD_INVALID'],
  ['of itself', { subject: namePrincipal(ana.key, 'staff') }, 'CAPS_RECORD_INVALID'],
  ['of nobody', { subject: 'somebody' }, 'CAPS_PRINCIPAL_INVALID'],
  ['that ends before it begins', { notBefore: later(DAY), expires: NOW }, 'CAPS_RECORD_INVALID'],
  ['with a short nonce', { nonce: new Uint8Array(15) }, 'CAPS_RECORD_INVALID'],
])('a name certificate %s is not signed', async (_, draft, code) => {
  const said = { issuer: ana.key, name: 'staff', subject: ben.key, expires: null, nonce: nonce(), ...draft }
  await expect(createNameCert(said, [ana])).rejects.toMatchObject({ code })
})

test('a reader that knows no names takes no name certificate for one that grants', () => {
  expect(codeOf(() => openCapCert(named))).toBe('CAPS_RECORD_INVALID')
  expect(codeOf(() => openNameCert(certificate))).toBe('CAPS_RECORD_INVALID')
})
