import { copyBytes, decode, decodeEnvelope, encode, encodeEnvelope } from '@vault/core'
import { describe, expect, test } from 'vitest'
import type { Certificate, CertificateParts } from '../../src/index.ts'
import { buildCertificate, describeCertificate, verifyCertificate } from '../../src/index.ts'
import { REFUSED, REFUSED_LATER, signedAsAnotherType, trailing, unsigned, VALID } from './cases.ts'
import { AT, forge, INCEPTION, NEW, OLD, PLAN, STRANGER, VAULT } from './forge.ts'

const trust = { vaults: [VAULT] }
const honest = await forge()
const honestCertificate = decode(decodeEnvelope(honest).payload) as Certificate

const faults = (bytes: Uint8Array) =>
  verifyCertificate(bytes, { trust }).findings.map(({ code, subject }) => [code, subject])

describe('verifyCertificate', () => {
  test.each(VALID)('takes $name', async ({ forgery }) => {
    expect(verifyCertificate(await forge(forgery), { trust })).toMatchObject({
      consistent: true,
      trusted: true,
      findings: [],
    })
  })

  test.each([...REFUSED, ...REFUSED_LATER])('refuses $name, signed', async ({ forgery, code, subject }) => {
    const bytes = await forge(forgery)
    expect(faults(bytes)).toContainEqual([code, subject])
    expect(verifyCertificate(bytes, { trust })).toMatchObject({ consistent: false, trusted: false })
  })

  test('refuses each of these changes without the signer', async () => {
    for (const { name, forgery } of REFUSED.filter(({ subject }) => subject !== 'signatures')) {
      const { consistent } = verifyCertificate(await unsigned(forgery), { trust })
      expect([name, consistent]).toEqual([name, false])
    }
    for (const { name, forgery } of VALID.slice(1)) {
      const { consistent } = verifyCertificate(await unsigned(forgery), { trust })
      expect([name, consistent]).toEqual([name, false])
    }
  })

  test('refuses another type of signature, and bytes after the end', async () => {
    expect(faults(await signedAsAnotherType())).toEqual([['MIGRATION_CERTIFICATE_UNSIGNED', 'signatures']])
    expect(faults(trailing(honest))).toEqual([['MIGRATION_CERTIFICATE_INVALID', 'certificate']])
  })

  test('refuses every one of a thousand flipped bits, and every truncation that was tried', () => {
    // A fixed sequence over the whole file (Knuth's multiplier), so that a failure is found again.
    const bits = honest.length * 8
    const seen = new Set<number>()
    for (let i = 0; seen.size < 1_000; i++) seen.add((Math.imul(i, 2_654_435_761) >>> 0) % bits)
    for (const bit of seen) {
      const bytes = copyBytes(honest)
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      const { consistent, trusted } = verifyCertificate(bytes, { trust })
      expect([bit, consistent, trusted]).toEqual([bit, false, false])
    }
    for (let length = 0; length < honest.length; length += 97) {
      expect(verifyCertificate(honest.subarray(0, length)).consistent).toBe(false)
    }
  })

  test('never throws: not for what is no certificate, nor for too much', () => {
    const tooLong = new Uint8Array(1024 * 1024 + 1)
    for (const bytes of [
      new Uint8Array(),
      encode(null),
      encode({ payload: new Uint8Array(), signatures: [] }),
      tooLong,
    ]) {
      const verdict = verifyCertificate(bytes)
      expect(verdict).toMatchObject({ consistent: false, trusted: false })
      expect(verdict.certificate).toBeUndefined()
      expect(verdict.findings).toHaveLength(1)
    }
  })

  test('is consistent and not trusted without trust, and says whom to trust', () => {
    for (const given of [{}, { vaults: [] }, { keys: [NEW.identity.key, OLD.log.key, STRANGER.key] }]) {
      const { consistent, trusted, findings } = verifyCertificate(honest, { trust: given })
      expect([consistent, trusted]).toEqual([true, false])
      expect(findings).toEqual([expect.objectContaining({ code: 'MIGRATION_CERTIFICATE_UNTRUSTED', subject: VAULT })])
      expect(findings[0]?.message).toContain(OLD.identity.key)
    }
    expect(verifyCertificate(honest, { trust: { keys: [OLD.identity.key] } }).trusted).toBe(true)
  })

  test('is never trusted where it is not consistent', async () => {
    const bytes = await forge({ handoff: (handoff) => ({ ...handoff, epoch: 0 }) })
    expect(verifyCertificate(bytes, { trust: { keys: [OLD.identity.key], vaults: [VAULT] } }).trusted).toBe(false)
  })
})

describe('buildCertificate', () => {
  const parts: CertificateParts = {
    plan: honestCertificate.plan,
    keyEvents: honestCertificate.key_events,
    acceptance: honestCertificate.acceptance,
    ready: honestCertificate.ready,
    handoff: honestCertificate.handoff,
    verification: honestCertificate.verification,
    transfer: honestCertificate.transfer,
    possession: honestCertificate.possession,
    audit: {
      target: honestCertificate.audit.target,
      consistency: honestCertificate.audit.consistency,
      handoff: honestCertificate.audit.handoff,
      complete: honestCertificate.audit.complete,
    },
    times: { planned: AT, completed: AT + 40 },
  }

  test('makes the same bytes as the format says', async () => {
    expect(await buildCertificate(parts, [NEW.log])).toEqual(honest)
  })

  test('puts times of clocks that differ at that of the hand-off', async () => {
    const skewed = { ...parts, times: { planned: AT + 60, completed: AT } }
    const { certificate, consistent } = verifyCertificate(await buildCertificate(skewed, [NEW.log]))
    expect(consistent).toBe(true)
    expect(certificate?.times).toEqual({ planned: AT + 30, handed_off: AT + 30, completed: AT + 30 })
  })

  test('refuses parts that do not agree, and another signer', async () => {
    const incomplete = { ...parts, keyEvents: [INCEPTION, INCEPTION].map(encodeEnvelope) }
    await expect(buildCertificate(incomplete, [NEW.log])).rejects.toMatchObject({
      code: 'MIGRATION_CERTIFICATE_INCONSISTENT',
    })
    await expect(buildCertificate(parts, [OLD.log])).rejects.toMatchObject({
      code: 'MIGRATION_CERTIFICATE_INCONSISTENT',
      details: { findings: [expect.objectContaining({ subject: 'signatures' })] },
    })
  })
})

describe('describeCertificate', () => {
  const described = (bytes: Uint8Array, given = trust) => {
    const verdict = verifyCertificate(bytes, { trust: given })
    return describeCertificate(verdict.certificate as Certificate, verdict)
  }

  test('says what was proven, what was not, and whether it is trusted', () => {
    const text = described(honest)
    expect(text).toMatch(/^TRUSTED: /)
    for (const part of [
      VAULT,
      'no key stays',
      'old identity',
      'only the log key of the source vouches',
      'Verification: full',
      '2 proofs',
      'not compared',
      'nobody but source and target',
    ])
      expect(text).toContain(part)
    expect(described(honest, { vaults: [] })).toMatch(/^CONSISTENT, NOT TRUSTED: .*\n.*trust the vault/)
  })

  test('says how likely a sample misses something, by its own reckoning', async () => {
    const sampled = VALID.find(({ name }) => name.startsWith('a sample'))
    const text = described(await forge(sampled?.forgery))
    expect(text).toContain('a sample of 2 with the seed "seed"')
    expect(text).toContain('1: 0.333')
  })

  test('says only what is wrong of one that is not consistent', async () => {
    const text = described(await forge({ handoff: (handoff) => ({ ...handoff, epoch: 0 }) }))
    expect(text).toMatch(/^REFUSED: /)
    expect(text).toContain('MIGRATION_CERTIFICATE_INVALID handoff.epoch')
    expect(text).not.toContain('objects')
  })

  test('lets no label control a terminal', async () => {
    const source = { ...PLAN.source, label: 'a\u001b[2J\u202eb\n' }
    const text = described(await forge({ plan: (plan) => ({ ...plan, source }) }))
    for (const control of ['\u001b', '\u202e']) expect(text).not.toContain(control)
  })
})
