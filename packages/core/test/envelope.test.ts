import type { Envelope, KeyId, Signer, VaultError } from '@vault/core'
import {
  countSigners,
  createSigner,
  decodeEnvelope,
  encode,
  encodeEnvelope,
  generateSecretKey,
  signEnvelope,
  systemRandom,
} from '@vault/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOf } from './support.ts'

const signers = Array.from({ length: 5 }, () => createSigner(generateSecretKey(systemRandom)))
const keys = signers.map(({ key }) => key)
const payload = encode({ type: 'note', text: 'hello' })
const [ana, ben, eva] = signers as [Signer, Signer, Signer]

const forged = (key: KeyId) => ({ key, signature: new Uint8Array(64).fill(1) })

describe('countSigners', () => {
  it('counts distinct listed keys with a good signature, in the order of the list', async () => {
    const good = new Map(
      await Promise.all(
        signers.map(async (signer) => [signer.key, await signEnvelope('note', payload, [signer])] as const),
      ),
    )
    const anySignature = fc.tuple(fc.constantFrom(...keys), fc.boolean()).map(([key, honest]) => ({ key, honest }))
    fc.assert(
      fc.property(
        fc.array(anySignature, { minLength: 1, maxLength: 8 }),
        fc.shuffledSubarray(keys, { minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        (given, listed, threshold) => {
          const signatures = given.map(({ key, honest }) =>
            honest ? (good.get(key) as Envelope).signatures[0] : forged(key),
          ) as Envelope['signatures']
          const expected = listed.filter((key) => given.some((one) => one.key === key && one.honest))
          const count = () => countSigners({ payload, signatures }, 'note', { keys: listed, threshold })
          if (expected.length >= threshold) expect(count()).toEqual(expected)
          else expect(codeOf(count)).toBe('SIGNATURE_THRESHOLD')
        },
      ),
      { numRuns: 60 },
    )
  })

  it('counts a key once, however often it signed or is listed', async () => {
    const envelope = await signEnvelope('note', payload, [ana, ana, ana])
    expect(countSigners(envelope, 'note', { keys: [ana.key, ana.key], threshold: 1 })).toEqual([ana.key])
    expect(codeOf(() => countSigners(envelope, 'note', { keys: [ana.key, ana.key], threshold: 2 }))).toBe(
      'SIGNATURE_THRESHOLD',
    )
  })

  it('says what is missing', async () => {
    const { signatures } = await signEnvelope('note', payload, [ana])
    const envelope = { payload, signatures: [...signatures, forged(ben.key)] }
    let details: unknown
    try {
      countSigners(envelope, 'note', { keys: [ana.key, ben.key, eva.key], threshold: 2 })
    } catch (error) {
      details = (error as VaultError).details
    }
    expect(details).toEqual({ needed: 2, signed: [ana.key], bad: [ben.key], missing: [eva.key] })
  })

  it('is bound to the type and the exact payload', async () => {
    const envelope = await signEnvelope('note', payload, [ana])
    const threshold = { keys: [ana.key], threshold: 1 }
    const altered = { ...envelope, payload: payload.slice(0, -1) }
    expect(codeOf(() => countSigners(envelope, 'plan', threshold))).toBe('SIGNATURE_THRESHOLD')
    expect(codeOf(() => countSigners(altered, 'note', threshold))).toBe('SIGNATURE_THRESHOLD')
  })

  it('is of each payload by itself, however long it and those before it are', async () => {
    const payloads = [1, 4_070, 10, 4_083, 4_084, 4_096, 5_000, 3, 0].map((length) =>
      new Uint8Array(length).fill(length),
    )
    const threshold = { keys: [ana.key], threshold: 1 }
    for (const payload of payloads) {
      const envelope = await signEnvelope('note', payload, [ana])
      for (const other of payloads) {
        const count = () => countSigners({ ...envelope, payload: other }, 'note', threshold)
        if (other === payload) expect(count()).toEqual([ana.key])
        else expect(codeOf(count)).toBe('SIGNATURE_THRESHOLD')
      }
    }
  })

  it.each([0, -1, 0.5, Number.NaN])('fails closed for a threshold of %s', async (threshold) => {
    const envelope = await signEnvelope('note', payload, [ana])
    expect(() => countSigners(envelope, 'note', { keys: [ana.key], threshold })).toThrow(RangeError)
  })

  it('never finds enough in an empty list', async () => {
    const envelope = await signEnvelope('note', payload, [ana])
    expect(codeOf(() => countSigners(envelope, 'note', { keys: [], threshold: 1 }))).toBe('SIGNATURE_THRESHOLD')
  })
})

describe('envelopes', () => {
  it('round-trip', async () => {
    const envelope = await signEnvelope('note', payload, signers)
    expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope)
  })

  it('share no memory with what they were made of', async () => {
    const own = payload.slice()
    const envelope = await signEnvelope('note', own, [ana])
    own.fill(0)
    const bytes = encodeEnvelope(envelope)
    const decoded = decodeEnvelope(bytes)
    bytes.fill(0)
    expect(countSigners(decoded, 'note', { keys: [ana.key], threshold: 1 })).toEqual([ana.key])
  })

  it('need 1 to 256 signers', async () => {
    await expect(signEnvelope('note', payload, [])).rejects.toThrow(RangeError)
    await expect(signEnvelope('note', payload, new Array(257).fill(ana))).rejects.toThrow(RangeError)
  })

  it('are not signed once the signal has been aborted', async () => {
    const reason = new Error('enough')
    await expect(signEnvelope('note', payload, [ana], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  const one = { key: ana.key, signature: new Uint8Array(64) }
  it.each([
    ['no CBOR', Uint8Array.of(0xff)],
    ['nothing', new Uint8Array(0)],
    ['a list', encode([payload, [one]])],
    ['a missing field', encode({ payload })],
    ['an unknown field', encode({ payload, signatures: [one], note: 1 })],
    ['an unknown field of a signature', encode({ payload, signatures: [{ ...one, at: 1 }] })],
    ['a payload that is text', encode({ payload: 'text', signatures: [one] })],
    ['no signatures', encode({ payload, signatures: [] })],
    ['257 signatures', encode({ payload, signatures: new Array(257).fill(one) })],
    ['a short signature', encode({ payload, signatures: [{ ...one, signature: new Uint8Array(63) }] })],
    ['a key that is none', encode({ payload, signatures: [{ ...one, key: 'ed25519:z6Mk' }] })],
    ['a key in a list', encode({ payload, signatures: [{ ...one, key: [ana.key] }] })],
  ])('are refused: %s', (_, bytes) => {
    expect(codeOf(() => decodeEnvelope(bytes))).toBe('ENVELOPE_INVALID')
  })
})
