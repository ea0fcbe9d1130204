import { readdirSync, readFileSync } from 'node:fs'
import type { KeyId, KeyState } from '@vault/core'
import {
  contentId,
  countSigners,
  createSigner,
  decode,
  decodeEnvelope,
  encode,
  encodeEnvelope,
  idBytes,
  idFromBytes,
  parseContentId,
  parseKeyId,
  publicKeyOf,
  signedMessage,
  toHex,
  verifyInception,
  verifyKeyHistory,
} from '@vault/core'
import { describe, expect, it } from 'vitest'
import { nativeEd25519, portableEd25519 } from '../src/ed25519.ts'
import { codeOf, fromHex } from './support.ts'
import { toDagJson, vectorCases } from './vector-cases.ts'

const FOLDER = new URL('../../../vectors/', import.meta.url)
const backends = [nativeEd25519(), portableEd25519()].filter((backend) => backend !== undefined)

/** How each kind of file is checked, by the beginning of its path; a file that none fits fails. */
// biome-ignore lint/suspicious/noExplicitAny: the fields of a case are those of its file, described in vectors/README.md
const CHECKS: Record<string, (test: any) => unknown> = {
  'content-id/v1/valid/': ({ content, codec, hash, id, binary }) => {
    expect(contentId(fromHex(content), { codec, hash })).toBe(id)
    expect(toHex(idBytes(id))).toBe(binary)
    expect(idFromBytes(fromHex(binary))).toBe(id)
  },
  'content-id/v1/invalid/': ({ text, code }) => {
    expect(codeOf(() => parseContentId(text))).toBe(code)
  },
  'dag-cbor/v1/valid/': ({ hex, value }) => {
    const decoded = decode(fromHex(hex))
    expect(toDagJson(decoded)).toEqual(value)
    expect(toHex(encode(decoded))).toBe(hex)
  },
  'dag-cbor/v1/invalid/': ({ hex, code }) => {
    expect(codeOf(() => decode(fromHex(hex)))).toBe(code)
  },
  'signature/v1/valid/signatures': async ({ secretKey, publicKey, key, type, payload, message, signature }) => {
    const signer = createSigner(fromHex(secretKey))
    expect([signer.key, toHex(publicKeyOf(key))]).toEqual([key, publicKey])
    expect(toHex(signedMessage(type, fromHex(payload)))).toBe(message)
    expect(toHex(await signer.sign(fromHex(message)))).toBe(signature)
    for (const backend of backends) {
      expect(backend.verifier(fromHex(publicKey))(fromHex(message), fromHex(signature))).toBe(true)
    }
  },
  'signature/v1/invalid/signatures': ({ publicKey, message, signature }) => {
    for (const backend of backends) {
      expect(backend.verifier(fromHex(publicKey))(fromHex(message), fromHex(signature))).toBe(false)
    }
  },
  'signature/v1/invalid/key-ids': ({ text, code }) => {
    expect(codeOf(() => parseKeyId(text))).toBe(code)
  },
  'signature/v1/valid/envelopes': ({ hex, type, keys, threshold, signers, code }) => {
    const envelope = decodeEnvelope(fromHex(hex))
    expect(toHex(encodeEnvelope(envelope))).toBe(hex)
    let counted: readonly KeyId[] | undefined
    const refusal = codeOf(() => {
      counted = countSigners(envelope, type, { keys, threshold })
    })
    expect([counted, refusal]).toEqual([signers, code])
  },
  'key-event/v1/valid/histories': holds,
  'key-event/v1/invalid/histories': isRefused,
  'key-event/v2/valid/': ({ witnesses, retired, ...history }) => {
    expect(holds(history)).toMatchObject({ witnesses, retired })
  },
  'key-event/v2/invalid/': isRefused,
  'key-event/v1/valid/inceptions': ({ envelope, vault, inception }) => {
    const verified = verifyInception(decodeEnvelope(fromHex(envelope)))
    expect(verified.vault).toBe(vault)
    expect(toDagJson(verified.inception)).toEqual(inception)
  },
  'key-event/v1/invalid/inceptions': ({ envelope, code }) => {
    expect(codeOf(() => verifyInception(decodeEnvelope(fromHex(envelope))))).toBe(code)
  },
}

/** A case of a key history. */
interface History extends Partial<KeyState> {
  readonly envelopes: readonly string[]
  readonly code?: string
  readonly index?: number
}

function holds({ envelopes, vault, seq, head, roles }: History): KeyState {
  const state = verifyKeyHistory(envelopes.map((hex) => decodeEnvelope(fromHex(hex))))
  expect(state).toMatchObject({ vault, seq, head, roles })
  return state
}

function isRefused({ envelopes, code, index }: History): void {
  const history = envelopes.map((hex) => decodeEnvelope(fromHex(hex)))
  expect(() => verifyKeyHistory(history)).toThrow(expect.objectContaining({ code, details: { index } }))
}

const read = (path: string) => JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8'))

describe('the published vectors', () => {
  for (const format of ['content-id', 'dag-cbor', 'signature', 'key-event']) {
    for (const name of readdirSync(new URL(`${format}/`, FOLDER), { recursive: true, encoding: 'utf8' })) {
      const path = `${format}/${name}`
      if (!path.endsWith('.json')) continue
      const check = Object.entries(CHECKS).find(([prefix]) => path.startsWith(prefix))?.[1]
      it(`hold: ${path}`, async () => {
        expect(check).toBeDefined()
        for (const test of read(path)) {
          try {
            await check?.(test)
          } catch (cause) {
            throw new Error(`${path}: ${test.name}`, { cause })
          }
        }
      })
    }
  }

  it('are still what the implementation writes', async () => {
    for (const [path, cases] of Object.entries(await vectorCases())) expect(read(path), path).toEqual(cases)
  })
})
