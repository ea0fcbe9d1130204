import type { KeyId, Signer } from '@vault/core'
import {
  createSigner,
  fromUtf8,
  generateSecretKey,
  keyId,
  parseKeyId,
  publicKeyOf,
  signedMessage,
  systemRandom,
  toHex,
  verifyStrict,
} from '@vault/core'
import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, it } from 'vitest'
import { codeOf, fromHex } from './support.ts'

const newSigner = (): Signer => createSigner(generateSecretKey(systemRandom))

describe('key ids', () => {
  it('name every key once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const id = keyId(key)
        expect(id).toMatch(/^ed25519:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/)
        expect(toHex(publicKeyOf(id))).toBe(toHex(key))
        expect(parseKeyId(id)).toBe(id)
      }),
    )
  })

  it('name the same key again, however many were read in between and whatever became of its bytes', () => {
    const ids = Array.from({ length: 1_100 }, (_, i) => keyId(new Uint8Array(32).fill(i >> 8).fill(i, 16)))
    const again = [...ids, ...ids].map((id) => {
      publicKeyOf(id).fill(0)
      return keyId(publicKeyOf(id))
    })
    expect(again).toEqual([...ids, ...ids])
  })

  // The key of RFC 8032, 7.1, test 1, as did:key writes it.
  it('are the text of did:key', () => {
    const key = fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    expect(keyId(key)).toBe('ed25519:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw')
  })

  const good = keyId(new Uint8Array(32).fill(7))
  const other = (bytes: number[]) => `ed25519:${base58btc.encode(Uint8Array.from(bytes))}`
  it.each([
    ['nothing', ''],
    ['no prefix', good.slice(8)],
    ['another prefix', good.replace('ed25519:', 'ed25518:')],
    ['another base', good.replace(':z', ':b')],
    ['upper case', good.toUpperCase()],
    ['a character outside the alphabet', `${good.slice(0, -1)}0`],
    ['a character short', good.slice(0, -1)],
    ['a character more', `${good}1`],
    ['white space', `${good} `],
    ['another codec', other([0xec, 0x01, ...new Uint8Array(32)])],
    ['a codec of the same first byte', other([0xed, 0x02, ...new Uint8Array(32)])],
    ['a short key', other([0xed, 0x01, ...new Uint8Array(31).fill(255)])],
    ['a long text', `ed25519:z${'6'.repeat(100_000)}`],
    ['a list of one', [good]],
    ['null', null],
    ['a number', 7],
  ])('refuse %s', (_, text) => {
    expect(codeOf(() => parseKeyId(text))).toBe('KEY_ID_INVALID')
  })

  it('are refused for keys of another length', () => {
    expect(() => keyId(new Uint8Array(31))).toThrow(RangeError)
  })
})

describe('signatures', () => {
  // RFC 8032, 7.1, test 3.
  it('are those of RFC 8032', async () => {
    const signer = createSigner(fromHex('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7'))
    const signature = await signer.sign(fromHex('af82'))
    expect(toHex(publicKeyOf(signer.key))).toBe('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025')
    expect(toHex(signature)).toBe(
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    )
  })

  it('are bound to the type of the document', async () => {
    const signer = newSigner()
    const payload = Uint8Array.of(1, 2, 3)
    const signature = await signer.sign(signedMessage('key', payload))
    expect(verifyStrict(signer.key, signedMessage('key', payload), signature)).toBe(true)
    expect(verifyStrict(publicKeyOf(signer.key), signedMessage('key', payload), signature)).toBe(true)
    expect(verifyStrict(signer.key, signedMessage('plan', payload), signature)).toBe(false)
    expect(verifyStrict(newSigner().key, signedMessage('key', payload), signature)).toBe(false)
    expect(verifyStrict(publicKeyOf(newSigner().key), signedMessage('key', payload), signature)).toBe(false)
    expect(fromUtf8(signedMessage('key', Uint8Array.of(0x41)))).toBe('vault/key/v1\0A')
  })

  it.each(['', 'Key', 'a b', 'a\0', 'a/b', '1a', 'é'])('have no type %j', (type) => {
    expect(() => signedMessage(type, new Uint8Array(0))).toThrow(TypeError)
  })

  it('stay right when more keys are seen than are kept prepared', async () => {
    const signers = Array.from({ length: 300 }, newSigner)
    const message = Uint8Array.of(9)
    const signatures = await Promise.all(signers.map((signer) => signer.sign(message)))
    for (let round = 0; round < 2; round++) {
      const verdicts = signers.map(({ key }, i) => verifyStrict(key, message, signatures[i] as Uint8Array))
      expect(verdicts.every(Boolean)).toBe(true)
    }
  })

  it('are refused, not thrown, for malformed keys; a malformed key id is thrown', () => {
    expect(verifyStrict(new Uint8Array(5), new Uint8Array(1), new Uint8Array(64))).toBe(false)
    expect(codeOf(() => verifyStrict('ed25519:z6Mk' as KeyId, new Uint8Array(1), new Uint8Array(64)))).toBe(
      'KEY_ID_INVALID',
    )
  })

  it('are not made once the signal has been aborted', async () => {
    const reason = new Error('enough')
    await expect(newSigner().sign(new Uint8Array(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('need secret keys of 32 bytes', () => {
    expect(() => createSigner(new Uint8Array(31))).toThrow(RangeError)
    expect(() => generateSecretKey(() => new Uint8Array(16))).toThrow(RangeError)
    const shared = new Uint8Array(32).fill(3)
    const secret = generateSecretKey(() => shared)
    shared.fill(0)
    expect(secret.every((byte) => byte === 3)).toBe(true)
  })
})
