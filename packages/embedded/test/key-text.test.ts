import { createSigner, isVaultError, systemRandom } from '@vault/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyRecord } from '../src/key-file.ts'
import { formatPublicKey, parsePublicKey, parseSecretKey } from '../src/key-text.ts'

const FORMS = ['ed25519', 'did', 'openssh'] as const

test('a public key is read back from each of its forms', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(...FORMS), (secret, form) => {
      const { key } = createSigner(secret)
      expect(parsePublicKey(` ${formatPublicKey(key, form, 'a comment')}\n`)).toBe(key)
    }),
  )
})

test('any other text is refused with one code, and no secret is quoted', () => {
  const secret = systemRandom(32)
  const record = keyRecord(secret)
  const pem = `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from('openssh-key-v1\0').toString('base64')}`
  const texts = fc.oneof(
    fc.string(),
    fc.tuple(fc.constantFrom(record, pem, 'ssh-ed25519 AAAA', 'did:key:z6Mk'), fc.nat(200)).map(([text, n]) => {
      return `${text.slice(0, n)}x${text.slice(n + 1)}`
    }),
    fc
      .uint8Array({ maxLength: 300 })
      .map(
        (body) =>
          `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(body).toString('base64')}\n-----END OPENSSH PRIVATE KEY-----`,
      ),
  )
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [parsePublicKey, parseSecretKey]) {
        try {
          parse(text)
        } catch (error) {
          expect(isVaultError(error, 'KEY_TEXT_INVALID')).toBe(true)
          expect(String((error as Error).stack)).not.toContain(Buffer.from(secret).toString('base64url').slice(0, 20))
        }
      }
    }),
    { numRuns: 500 },
  )
})
