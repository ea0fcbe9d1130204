import type { Verdict } from '@vault/spki-caps'
import { createCapCert, openCapCert, resultCert, thresholdPrincipal } from '@vault/spki-caps'
import { describe, expect, it } from 'vitest'
import { ana, authorizeHere, ben, cert, eva, later, MIGRATE, mia, NOW, nonce, ROOT, request, tom } from './world.ts'

const RESULTS = { ...ROOT, name: 'results', subject: tom.key, depth: 1 }
type Granted = Extract<Verdict, { readonly ok: true }>

describe('resultCert', () => {
  it('stands for a chain, for an hour at most', async () => {
    const proof = [await cert(ana, eva.key, { tag: MIGRATE }), await cert(eva, ben.key)]
    const verdict = authorizeHere(await request([ben], { expires: later(7_200_000) }), proof) as Granted
    const draft = resultCert(verdict, { issuer: tom.key, now: NOW, seconds: 3600, nonce: nonce() })
    const result = await createCapCert(draft, [tom])
    expect(openCapCert(result).record).toMatchObject({ subject: ben.key, tag: MIGRATE, delegate: false })
    const input = { roots: [RESULTS] }
    expect(authorizeHere(await request([ben]), [result], input)).toMatchObject({ ok: true })
    expect(authorizeHere(await request([eva]), [result], input)).toMatchObject({ code: 'CAPS_NOT_SIGNER' })
    const late = { ...input, now: later(3_600_000) }
    const asked = await request([ben], { at: late.now, expires: later(3_700_000) })
    expect(authorizeHere(asked, [result], late)).toMatchObject({ code: 'CAPS_EXPIRED' })
  })

  it('grants to all who asked, and not to any of them', async () => {
    const roots = [{ ...ROOT, subject: thresholdPrincipal(2, [ana.key, eva.key, mia.key]) }]
    const verdict = authorizeHere(await request([ana, eva]), [], { roots }) as Granted
    const draft = resultCert(verdict, { issuer: tom.key, now: NOW, seconds: 60, nonce: nonce() })
    const result = await createCapCert(draft, [tom])
    const input = { roots: [RESULTS] }
    expect(authorizeHere(await request([ana]), [result], input)).toMatchObject({ code: 'CAPS_BELOW_THRESHOLD' })
    expect(authorizeHere(await request([ana, eva]), [result], input)).toMatchObject({ ok: true })
  })

  it('does not outlive its chain, nor an hour', async () => {
    const verdict = authorizeHere(await request([ben]), [await cert(ana, ben.key, { expires: later(9000) })]) as Granted
    const result = { issuer: tom.key, now: NOW, nonce: nonce() }
    expect(resultCert(verdict, { ...result, seconds: 3600 }).expires).toEqual(later(9000))
    for (const seconds of [0, 3601, 1.5]) expect(() => resultCert(verdict, { ...result, seconds })).toThrow(RangeError)
    expect(() => resultCert(verdict, { ...result, now: later(9000), seconds: 60 })).toThrow(RangeError)
  })
})
