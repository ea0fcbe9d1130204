import { readFileSync } from 'node:fs'
import type { ContentId, Envelope, KeyState, Signer } from '@vault/core'
import { contentId, decode, decodeEnvelope, encode, link, mergeEnvelopes, signEnvelope, utf8 } from '@vault/core'
import type { OnlineTest, ValidationDraft, Verdict } from '@vault/spki-caps'
import {
  answer,
  createCertificateIndex,
  createKeyDirectory,
  createNonceLedger,
  createRevocation,
  createValidation,
  createValidationView,
  diffAuthority,
  explain,
  findChain,
  hashPrincipal,
  knownVoices,
  listAuthority,
  namePrincipal,
  nearestMiss,
  openCapCert,
  openCapRequest,
  openValidation,
  resultCert,
  thresholdPrincipal,
  validationPayload,
} from '@vault/spki-caps'
import { describe, expect, it, test } from 'vitest'
import { house, lost, states, trio, viewOf } from './cast.ts'
import { codeOf } from './support.ts'
import { validationCases } from './validation-cases.ts'
import {
  ana,
  authorityView,
  authorizeHere,
  ben,
  cert,
  DAY,
  eva,
  later,
  MIGRATE,
  mia,
  NOW,
  nonce,
  request,
  tom,
} from './world.ts'

const lately = (by: OnlineTest['by'] = tom.key, maxAge = 600): OnlineTest => ({ by, maxAge, kind: 'validation' })
const once = (by: OnlineTest['by'] = tom.key, maxAge = 600): OnlineTest => ({ by, maxAge, kind: 'once' })
const bens = async (...checks: readonly OnlineTest[]) => await cert(ana, ben.key, { checks })
const idOf = (certificate: Envelope) => openCapCert(certificate).id

/** A validation by tom of all requests, made ten seconds ago, unless something else is said. */
const valid = async (
  certificate: Envelope,
  draft: Partial<ValidationDraft> = {},
  signers: readonly Signer[] = [tom],
): Promise<Envelope> =>
  await createValidation(
    { issuer: tom.key, certificate: idOf(certificate), from: later(-10_000), until: later(DAY), ...draft },
    signers,
  )

const viewed = (validations: readonly Envelope[], keys = createKeyDirectory([])) =>
  createValidationView({ validations, keys })
const asked = async (certificate: Envelope, validations: readonly Envelope[], input = {}): Promise<Verdict> =>
  authorizeHere(await request([ben]), [certificate], { validations: viewed(validations), ...input })

const GRANTED = { ok: true }
const REFUSED = { ok: false, code: 'CAPS_NOT_VALIDATED' }
/** The note of the check, and both sides where it refuses. */
const seen = (verdict: Verdict) => {
  const step = verdict.trace.find(({ kind }) => kind === 'certificate')
  return { ...step?.checks.find(({ name }) => name === 'validation'), ...step?.refusal }
}

describe('a certificate that asks for a validation', () => {
  it('holds by a good one, and by nothing else', async () => {
    const certificate = await bens(lately())
    expect(await asked(certificate, [await valid(certificate)])).toMatchObject(GRANTED)
    expect(await asked(certificate, [])).toMatchObject(REFUSED)
    expect(authorizeHere(await request([ben]), [certificate])).toMatchObject(REFUSED)
    // Whoever looks at no revocations looks at this all the same.
    expect(await asked(certificate, [], { revocations: viewOf([]) })).toMatchObject(REFUSED)
    expect(await asked(certificate, [await valid(certificate)], { revocations: viewOf([]) })).toMatchObject(GRANTED)
  })

  it('holds by the one that it names only', async () => {
    const certificate = await bens(lately())
    const by = async (issuer: Signer) => await valid(certificate, { issuer: issuer.key }, [issuer])
    expect(await asked(certificate, [await by(eva)])).toMatchObject(REFUSED)
    expect(await asked(certificate, [await by(ana), await by(ben)])).toMatchObject(REFUSED)
    expect(await asked(certificate, [await by(eva), await by(tom)])).toMatchObject(GRANTED)
  })

  it('does not hold by that of another certificate, nor by one for a request', async () => {
    const certificate = await bens(lately())
    expect(await asked(certificate, [await valid(await bens(lately()))])).toMatchObject(REFUSED)
    const asking = await request([ben])
    const forOne = await valid(certificate, { request: openCapRequest(asking).id })
    const verdict = authorizeHere(asking, [certificate], { validations: viewed([forOne]) })
    expect(verdict).toMatchObject(REFUSED)
    expect(seen(verdict)).toMatchObject({ have: openCapRequest(asking).id, asked: 'for all requests' })
  })

  it('asks for all that it names', async () => {
    const certificate = await bens(lately(), lately(eva.key, 5))
    const evas = async (from: Date) => await valid(certificate, { issuer: eva.key, from }, [eva])
    expect(await asked(certificate, [await valid(certificate)])).toMatchObject(REFUSED)
    expect(await asked(certificate, [await valid(certificate), await evas(later(-10_000))])).toMatchObject(REFUSED)
    const verdict = await asked(certificate, [await valid(certificate), await evas(later(-2000))])
    expect(verdict).toMatchObject({ ...GRANTED, effective: { expires: later(4000).getTime() / 1000 } })
    const inOtherOrder = await bens(lately(eva.key, 5), lately())
    const both = [await valid(inOtherOrder), await valid(inOtherOrder, { issuer: eva.key, from: later(-2000) }, [eva])]
    expect(await asked(inOtherOrder, both)).toMatchObject({
      effective: { expires: later(4000).getTime() / 1000 },
    })
  })

  it('asks for it beside a set of revocations, of which each is looked at by itself', async () => {
    const certificate = await bens({ by: tom.key, maxAge: 60 }, lately())
    expect(await asked(certificate, [await valid(certificate)])).toMatchObject({ code: 'CAPS_STALE' })
  })
})

describe('the time of a validation', () => {
  test.each<[string, number, number, object]>([
    ['from now on', 0, 60_000, GRANTED],
    ['from the next second on', 1000, 60_000, { ...REFUSED, refusal: 'begins later' }],
    ['up to the next second', -60_000, 1000, GRANTED],
    ['up to now', -60_000, 0, { ...REFUSED, refusal: 'has ended' }],
    ['as old as it may be', -600_000, DAY, GRANTED],
    ['a second older', -601_000, DAY, { ...REFUSED, refusal: 'is too old' }],
  ])('%s', async (_, from, until, { refusal, ...expected }: { readonly refusal?: string }) => {
    const certificate = await bens(lately())
    const verdict = await asked(certificate, [await valid(certificate, { from: later(from), until: later(until) })])
    expect(verdict).toMatchObject(expected)
    if (refusal === undefined) return
    expect(seen(verdict)).toMatchObject({ state: 'failed', have: expect.any(String), asked: expect.any(String) })
    expect(seen(verdict).message).toContain(refusal)
  })

  it('bounds for how long something is granted: by its end, and by its age', async () => {
    const certificate = await bens(lately())
    const until = async (draft: Partial<ValidationDraft>) => {
      const verdict = await asked(certificate, [await valid(certificate, draft)])
      return verdict.ok ? verdict.effective.expires : undefined
    }
    expect(await until({ until: later(20_000) })).toBe(later(20_000).getTime() / 1000)
    const asking = await request([ben], { expires: later(3_600_000) })
    const verdict = authorizeHere(asking, [certificate], { validations: viewed([await valid(certificate)]) })
    const end = later(-10_000 + 601_000)
    expect(verdict).toMatchObject({ ...GRANTED, effective: { expires: end.getTime() / 1000 } })
    // In the last second before, the same still holds; from then on it does not.
    for (const [now, expected] of [
      [new Date(end.getTime() - 1000), GRANTED],
      [end, REFUSED],
    ] as const) {
      const later = await request([ben], { at: now, expires: new Date(now.getTime() + 1000) })
      const input = { validations: viewed([await valid(certificate)]), now }
      expect(authorizeHere(later, [certificate], input)).toMatchObject(expected)
    }
  })

  it('is that of the one that lasts longest, in whatever order they come', async () => {
    const certificate = await bens(lately())
    const short = await valid(certificate, { from: later(-1000), until: later(5000) })
    const long = await valid(certificate, { until: later(30_000) })
    const old = await valid(certificate, { from: later(-DAY) })
    for (const validations of [
      [short, long, old],
      [old, long, short],
    ]) {
      const verdict = await asked(certificate, validations)
      expect(verdict).toMatchObject({ ...GRANTED, effective: { expires: later(30_000).getTime() / 1000 } })
    }
  })
})

describe('who has signed a validation', () => {
  it('is verified', async () => {
    const certificate = await bens(lately())
    const good = await valid(certificate)
    const forged = { ...good, signatures: (await signEnvelope('cap-validation', good.payload, [eva])).signatures }
    const underAnotherType = await signEnvelope('cap', good.payload, [tom])
    const junk = await signEnvelope('cap-validation', utf8('junk'), [tom])
    const view = viewed([forged, underAnotherType, junk])
    expect(view.of(idOf(certificate))).toEqual([])
    expect(view.unusable.map(({ code }) => code)).toEqual(Array(3).fill('CAPS_VALIDATION_UNUSABLE'))
    expect(await asked(certificate, [forged, underAnotherType, junk])).toMatchObject(REFUSED)
    expect(await asked(certificate, [forged, good])).toMatchObject(GRANTED)
  })

  it('of a threshold is enough of them, each once', async () => {
    const certificate = await bens(lately(trio))
    const by = async (...signers: Signer[]) => await valid(certificate, { issuer: trio }, signers)
    expect(await asked(certificate, [await by(ana)])).toMatchObject(REFUSED)
    expect(await asked(certificate, [await by(ana, ana)])).toMatchObject(REFUSED)
    expect(await asked(certificate, [await by(ana, tom)])).toMatchObject(REFUSED)
    expect(await asked(certificate, [await by(ana, eva)])).toMatchObject(GRANTED)
    const payload = validationPayload({
      issuer: trio,
      certificate: idOf(certificate),
      from: later(-10_000),
      until: later(DAY),
    })
    const apart = await Promise.all([ana, ben].map((one) => signEnvelope('cap-validation', payload, [one])))
    expect(await asked(certificate, [mergeEnvelopes(apart)])).toMatchObject(GRANTED)
  })

  it('may be known by the hash of its key', async () => {
    const certificate = await bens(lately(hashPrincipal(tom.key)))
    expect(await asked(certificate, [await valid(certificate, { issuer: hashPrincipal(tom.key) })])).toMatchObject(
      GRANTED,
    )
    expect(await asked(certificate, [await valid(certificate)])).toMatchObject(REFUSED)
  })

  it('of a vault is its present operators, and not those of an earlier time', async () => {
    const certificate = await bens(lately(house))
    const by = async (signer: Signer, epoch: number) => await valid(certificate, { issuer: house, epoch }, [signer])
    for (const known of [states, lost]) {
      const keys = createKeyDirectory([known[1] as KeyState])
      const judged = async (validation: Envelope) =>
        authorizeHere(await request([ben]), [certificate], { keys, validations: viewed([validation], keys) })
      if (known === states) {
        expect(await judged(await by(tom, 1))).toMatchObject(GRANTED)
        expect(viewed([await by(mia, 0)], keys).unusable).toHaveLength(1)
        expect(await judged(await by(mia, 0))).toMatchObject(REFUSED)
      }
      expect(await judged(await by(tom, 0))).toMatchObject(REFUSED)
      expect(await judged(await by(mia, 1))).toMatchObject(REFUSED)
      expect(await judged(await by(tom, 2))).toMatchObject(REFUSED)
    }
    expect(await asked(certificate, [await by(tom, 1)])).toMatchObject(REFUSED)
  })
})

describe('what was revoked', () => {
  const revoked = async (by: Signer, target: Parameters<typeof createRevocation>[0]['target']) =>
    viewOf([await createRevocation({ issuer: by.key, target, reason: 'superseded', at: NOW }, [by])])

  it('ends a validation: by its issuer, and by those from whom the certificate comes', async () => {
    const certificate = await bens(lately())
    const good = await valid(certificate)
    const target = { certificate: openValidation(good).id }
    for (const by of [tom, ana]) {
      expect(await asked(certificate, [good], { revocations: await revoked(by, target) })).toMatchObject(REFUSED)
    }
    expect(await asked(certificate, [good], { revocations: await revoked(ben, target) })).toMatchObject(GRANTED)
    const another = await valid(certificate, { from: later(-5000) })
    const revocations = await revoked(tom, target)
    expect(await asked(certificate, [good, another], { revocations })).toMatchObject(GRANTED)
  })

  it('ends all that a key has validated, unless enough others have', async () => {
    const certificate = await bens(lately())
    const good = await valid(certificate)
    for (const by of [tom, ana]) {
      const revocations = await revoked(by, { key: tom.key })
      expect(await asked(certificate, [good], { revocations })).toMatchObject(REFUSED)
    }
    expect(await asked(certificate, [good], { revocations: await revoked(mia, { key: tom.key }) })).toMatchObject(
      GRANTED,
    )
    const three = thresholdPrincipal(2, [mia.key, eva.key, tom.key])
    const byThree = await bens(lately(three))
    const revocations = await revoked(tom, { key: tom.key })
    const signed = async (...signers: Signer[]) => [await valid(byThree, { issuer: three }, signers)]
    expect(await asked(byThree, await signed(tom, eva), { revocations })).toMatchObject(REFUSED)
    expect(await asked(byThree, await signed(tom, eva, mia), { revocations })).toMatchObject(GRANTED)
  })

  it('ends the certificate, whatever is validated', async () => {
    const certificate = await bens(lately())
    const revocations = await revoked(tom, { certificate: idOf(certificate) })
    expect(await asked(certificate, [await valid(certificate)], { revocations })).toMatchObject({
      code: 'CAPS_REVOKED',
    })
  })
})

describe('a certificate for one request at a time', () => {
  const forRequest = async (certificate: Envelope, asking: Envelope, draft: Partial<ValidationDraft> = {}) =>
    viewed([await valid(certificate, { request: openCapRequest(asking).id, ...draft })])

  it('lets the request pass that was validated, once', async () => {
    const certificate = await bens(once())
    const [asking, another] = [await request([ben]), await request([ben])]
    const nonces = createNonceLedger()
    const validations = await forRequest(certificate, asking)
    const judge = (envelope: Envelope) => authorizeHere(envelope, [certificate], { validations, nonces })
    expect(judge(another)).toMatchObject(REFUSED)
    const first = judge(asking)
    expect(first).toMatchObject({ ...GRANTED, effective: { once: true } })
    expect(judge(asking)).toMatchObject({ code: 'CAPS_REPLAY' })
    expect(judge(another)).toMatchObject(REFUSED)
    expect(seen(judge(another))).toMatchObject({
      have: openCapRequest(asking).id,
      asked: openCapRequest(another).id,
    })
    // No certificate stands for what was granted once.
    if (!first.ok) throw new Error('not granted')
    expect(() => resultCert(first, { issuer: tom.key, now: NOW, seconds: 60, nonce: nonce() })).toThrow(RangeError)
  })

  it('does not hold by a validation for all requests, nor without a request', async () => {
    const certificate = await bens(once())
    const all = [await valid(certificate)]
    expect(await asked(certificate, all)).toMatchObject(REFUSED)
    const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices([ben.key]) }
    const view = authorityView([certificate], { validations: viewed(all) })
    const { verdict } = await answer(question, createCertificateIndex([certificate]), view)
    expect(verdict.ok).toBe(false)
    const near = await nearestMiss(question, createCertificateIndex([certificate]), view)
    expect(near).toMatchObject(REFUSED)
    expect(seen(near).message).toContain('no signed request')
    expect(listAuthority(view).filter(({ chain }) => chain.length > 0)).toEqual([])
  })

  it('does not hold longer than the validation, and by whom it names', async () => {
    const certificate = await bens(once())
    const asking = await request([ben])
    for (const [draft, expected] of [
      [{ from: later(-601_000) }, REFUSED],
      [{ from: later(1000) }, REFUSED],
      [{ from: later(-60_000), until: NOW }, REFUSED],
      [{ from: NOW }, GRANTED],
    ] as const) {
      const validations = await forRequest(certificate, asking, draft)
      expect(authorizeHere(asking, [certificate], { validations })).toMatchObject(expected)
    }
    const byEva = await valid(certificate, { issuer: eva.key, request: openCapRequest(asking).id }, [eva])
    expect(authorizeHere(asking, [certificate], { validations: viewed([byEva]) })).toMatchObject(REFUSED)
  })
})

describe('in a chain', () => {
  it('each certificate is held against its own', async () => {
    const first = await cert(ana, eva.key, { checks: [lately()] })
    const second = await cert(eva, ben.key, { checks: [lately(mia.key)] })
    const of = async (certificate: Envelope, by: Signer) => await valid(certificate, { issuer: by.key }, [by])
    const judge = async (...validations: Envelope[]) =>
      authorizeHere(await request([ben]), [first, second], { validations: viewed(validations) })
    expect(await judge(await of(first, tom), await of(second, mia))).toMatchObject(GRANTED)
    expect(await judge(await of(first, tom))).toMatchObject(REFUSED)
    expect(await judge(await of(second, mia))).toMatchObject(REFUSED)
    expect(await judge(await of(first, mia), await of(second, tom))).toMatchObject(REFUSED)
  })

  it('a search passes those that do not hold', async () => {
    const [waiting, held] = [await bens(lately()), await bens(lately(eva.key))]
    const question = { action: 'migrate', tag: MIGRATE, voices: knownVoices([ben.key]) }
    const validations = viewed([await valid(held, { issuer: eva.key }, [eva])])
    for (const certificates of [
      [waiting, held],
      [held, waiting],
    ]) {
      const view = authorityView(certificates, { validations })
      const index = createCertificateIndex(certificates)
      expect((await findChain(question, index, view))?.map(({ id }) => id)).toEqual([idOf(held)])
      expect((await answer(question, index, view)).verdict).toMatchObject(GRANTED)
      const later = { ...view, validations: viewed([]) }
      expect(await findChain(question, index, later)).toBeUndefined()
    }
  })

  it('what is held is listed as long as it is validated', async () => {
    const certificate = await bens(lately())
    const [held] = listAuthority(
      authorityView([certificate], { validations: viewed([await valid(certificate)]) }),
    ).filter(({ chain }) => chain.length > 0)
    expect(held).toMatchObject({ subject: ben.key, expires: later(591_000).getTime() / 1000 })
  })

  it('nothing that depends on the time is remembered', async () => {
    const certificate = await bens(lately())
    const validations = viewed([await valid(certificate)])
    const facts = new Set<string>()
    const memo = { has: (fact: string) => facts.has(fact), add: (fact: string) => void facts.add(fact) }
    const judge = async (now: Date) => {
      const asking = await request([ben], { at: now, expires: new Date(now.getTime() + 1000) })
      return authorizeHere(asking, [certificate], { validations, memo, now })
    }
    expect(await judge(NOW)).toMatchObject(GRANTED)
    expect(await judge(later(700_000))).toMatchObject(REFUSED)
    expect(await judge(NOW)).toMatchObject(GRANTED)
  })
})

test('a trace says by whom, how old, and up to when', async () => {
  const certificate = await bens(lately())
  const lines = explain(await asked(certificate, [await valid(certificate)]))
  expect(lines.join('\n')).toContain(
    `✓ validation: validated by ${tom.key}, 10 s old, at most 600 s old, until 2026-01-15T12:09:51Z`,
  )
  const refused = explain(await asked(certificate, [await valid(certificate, { from: later(-700_000) })]))
  expect(refused.join('\n')).toContain(`✗ validation: the validation by ${tom.key} is too old`)
  expect(refused.join('\n')).toContain('have 700 s old  asked at most 600 s old')
  // A certificate that asks for none has no such line.
  expect(explain(authorizeHere(await request([ben]), [await cert(ana, ben.key)])).join('\n')).not.toContain(
    'validation',
  )
})

describe('the record', async () => {
  const certificate = await cert(ana, ben.key)
  const good = await valid(certificate)
  const fields = decode(good.payload) as Readonly<Record<string, unknown>>
  const raw = contentId(utf8('raw'), { hash: 'sha2-256' }) as ContentId
  const blake = contentId(good.payload, { hash: 'blake3', codec: 'dag-cbor' })

  test.each<[string, Record<string, unknown>]>([
    ['an end before its beginning', { from: 5, until: 4 }],
    ['no time at all', { from: 5, until: 5 }],
    ['no end', { until: null }],
    ['a time with a fraction', { from: 1.5 }],
    ['a certificate of another codec', { certificate: link(raw) }],
    ['a certificate of another hash', { certificate: link(blake) }],
    ['a request of another codec', { request: link(raw) }],
    ['a certificate as text', { certificate: idOf(certificate) }],
    ['no certificate', { certificate: null }],
    ['an epoch of a key', { epoch: 0 }],
    ['another field', { at: 5 }],
  ])('with %s is refused', (_, changed) => {
    const payload = encode({ ...fields, ...changed })
    expect(codeOf(() => openValidation({ ...good, payload }))).toBe('CAPS_RECORD_INVALID')
  })

  it('is signed only where it can be read', async () => {
    await expect(valid(certificate, { until: later(-20_000) })).rejects.toMatchObject({ code: 'CAPS_RECORD_INVALID' })
    await expect(valid(certificate, { issuer: house })).rejects.toMatchObject({ code: 'CAPS_RECORD_INVALID' })
  })

  test.each<[string, unknown]>([
    ['another kind', { by: tom.key, maxAge: 1, kind: 'revocations' }],
    ['a kind that is none', { by: tom.key, maxAge: 1, kind: null }],
    ['no age', { by: tom.key, kind: 'once' }],
    ['an age below zero', { by: tom.key, maxAge: -1, kind: 'once' }],
    ['more in it', { by: tom.key, maxAge: 1, kind: 'once', uri: 'https://example.org' }],
  ])('of a certificate with a check with %s is refused', (_, check) => {
    const payload = encode({ ...(decode(certificate.payload) as object), checks: [check] } as never)
    expect(codeOf(() => openCapCert({ ...certificate, payload }))).toBe('CAPS_RECORD_INVALID')
  })

  it('of a certificate with sets of revocations has the bytes that it always had', async () => {
    const checked = await cert(ana, ben.key, { checks: [{ by: tom.key, maxAge: 60 }], nonce: new Uint8Array(16) })
    expect(decode(checked.payload)).toMatchObject({ checks: [{ by: tom.key, maxAge: 60 }] })
    expect(Object.keys((decode(checked.payload) as { checks: object[] }).checks[0] as object)).toEqual(['by', 'maxAge'])
  })
})

describe('the published vectors', () => {
  const read = (path: string) =>
    JSON.parse(readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), 'utf8')) as readonly {
      readonly envelope: string
      readonly id?: string
      readonly code?: string
    }[]

  it.each(['valid', 'invalid'])('hold: capability/v1/%s/validations', (kind) => {
    for (const { envelope, id, code } of read(`capability/v1/${kind}/validations.json`)) {
      const opened = () => decodeEnvelope(Uint8Array.from(Buffer.from(envelope, 'hex')))
      const found = codeOf(() => openValidation(opened())) ?? viewed([opened()]).unusable[0]?.code
      expect(found).toBe(code)
      if (id !== undefined) expect(openValidation(opened()).id).toBe(id)
    }
  })

  it('are still what the implementation writes', async () => {
    for (const [path, cases] of Object.entries(await validationCases())) expect(read(path), path).toEqual(cases)
  })
})

describe('where names, thresholds and comparisons meet validations', () => {
  it('a key that the threshold itself has revoked validates for it no more', async () => {
    const certificate = await bens(lately(trio))
    const said = await valid(certificate, { issuer: trio }, [ana, ben])
    const revocation = { issuer: trio, target: { key: ben.key }, reason: 'key-compromise' as const, at: NOW }
    const revocations = viewOf([await createRevocation(revocation, [ana, eva])])
    expect(await asked(certificate, [said])).toMatchObject(GRANTED)
    expect(await asked(certificate, [said], { revocations })).toMatchObject(REFUSED)
  })

  it('a test is by nobody who signs nothing', async () => {
    const friends = namePrincipal(tom.key, 'friends')
    for (const by of [friends, thresholdPrincipal(1, [ana.key, friends])]) {
      for (const test of [lately(by), { by, maxAge: 600 }])
        await expect(bens(test)).rejects.toMatchObject({ code: 'CAPS_RECORD_INVALID' })
    }
  })

  it('what two places grant is compared as if all tests were passed', async () => {
    for (const test of [lately(), once()]) {
      const certificate = await bens(test)
      const view = authorityView([certificate])
      const revocations = viewOf([
        await createRevocation(
          { issuer: ana.key, target: { certificate: idOf(certificate) }, reason: 'superseded', at: NOW },
          [ana],
        ),
      ])
      const { kept, lost: gone } = diffAuthority(view, { ...view, revocations })
      expect([kept, gone].map((held) => held.map(({ subject }) => subject))).toEqual([[ana.key], [ben.key]])
      expect(listAuthority(view).map(({ subject }) => subject)).toEqual([ana.key])
    }
  })
})
