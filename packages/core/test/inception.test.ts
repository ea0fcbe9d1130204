import type { Envelope, Roles, Signer } from '@vault/core'
import {
  contentId,
  createInception,
  createSigner,
  decode,
  encode,
  generateSecretKey,
  signEnvelope,
  systemRandom,
  verifyInception,
} from '@vault/core'
import { describe, expect, it } from 'vitest'
import { codeOf } from './support.ts'

const signers = Array.from({ length: 4 }, () => createSigner(generateSecretKey(systemRandom))).sort((a, b) =>
  a.key < b.key ? -1 : 1,
)
const [ana, ben, ops, log] = signers as [Signer, Signer, Signer, Signer]
const roles: Roles = {
  identity: { keys: [ben.key, ana.key], threshold: 2 },
  operators: { keys: [ops.key], threshold: 1 },
  log: { keys: [log.key], threshold: 1 },
}
const founding = { roles, nonce: systemRandom(16), at: new Date('2026-01-02T03:04:05.678Z') }

describe('createInception', () => {
  it('founds a vault whose id is that of the payload', async () => {
    const envelope = await createInception(founding, signers)
    const { vault, inception } = verifyInception(envelope)
    expect(vault).toBe(contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' }))
    expect(inception).toEqual({
      type: 'key',
      v: 1,
      seq: 0,
      prev: null,
      why: 'inception',
      nonce: founding.nonce,
      roles: { ...roles, identity: { keys: [ana.key, ben.key], threshold: 2 } },
      content: { hash: 'blake3', chunker: { kind: 'fixed', size: 1_048_576 } },
      at: 1_767_323_045,
    })
  })

  it('gives the same vault for keys and signers in another order, another for another nonce', async () => {
    const id = async (given: Parameters<typeof createInception>[0], by: readonly Signer[]) =>
      verifyInception(await createInception(given, by)).vault
    const identity = { keys: [ana.key, ben.key], threshold: 2 }
    const first = await id(founding, signers)
    expect(await id({ ...founding, roles: { ...roles, identity } }, signers.toReversed())).toBe(first)
    expect(await id({ ...founding, nonce: systemRandom(16) }, signers)).not.toBe(first)
  })

  it('needs every key of every role, also beyond the threshold', async () => {
    const lenient = { ...founding, roles: { ...roles, identity: { keys: [ana.key, ben.key], threshold: 1 } } }
    for (const absent of signers) {
      const present = signers.filter((signer) => signer !== absent)
      await expect(createInception(lenient, present)).rejects.toMatchObject({ code: 'SIGNATURE_THRESHOLD' })
    }
  })

  it('lets one key hold every role', async () => {
    const all = { keys: [ana.key], threshold: 1 }
    const envelope = await createInception({ ...founding, roles: { identity: all, operators: all, log: all } }, [ana])
    expect(envelope.signatures).toHaveLength(1)
    expect(verifyInception(envelope).inception.roles.log).toEqual(all)
  })

  it('refuses what would not verify, before anything is signed', async () => {
    const never: Signer = { key: ana.key, sign: () => Promise.reject(new Error('asked to sign')) }
    const bad = { ...founding, nonce: new Uint8Array(15) }
    await expect(createInception(bad, [never])).rejects.toMatchObject({ code: 'KEY_EVENT_INVALID' })
  })
})

describe('verifyInception', () => {
  const edited = async (edit: (event: Record<string, unknown>) => unknown): Promise<Envelope> => {
    const { payload } = await createInception(founding, signers)
    const event = decode(payload) as Record<string, unknown>
    return signEnvelope('key', encode(edit(event) ?? event), signers)
  }
  const ordered = { ...roles, identity: { keys: [ana.key, ben.key], threshold: 2 } }
  const role = (keys: unknown, threshold: unknown) => ({ ...ordered, log: { keys, threshold } })
  const chunker = (kind: unknown, size: unknown) => ({ hash: 'blake3', chunker: { kind, size } })
  const many = Array.from({ length: 65 }, () => createSigner(generateSecretKey(systemRandom)).key).sort()

  it('takes the bounds themselves', async () => {
    for (const size of [4096, 1_048_576]) {
      const envelope = await edited((event) => ({
        ...event,
        at: 0,
        content: { ...chunker('fixed', size), hash: 'sha2-256' },
      }))
      expect(verifyInception(envelope).inception.content.chunker.size).toBe(size)
    }
  })

  // Else the cases below would be refused for another reason than theirs.
  it('takes the event that the cases below change', async () => {
    const unchanged = await edited((event) => ({
      ...event,
      roles: role([log.key], 1),
      content: chunker('fixed', 4096),
    }))
    expect(codeOf(() => verifyInception(unchanged))).toBeUndefined()
  })

  it.each<[string, Record<string, unknown>]>([
    ['another type', { type: 'note' }],
    ['another version', { v: 2 }],
    ['a later sequence', { seq: 1 }],
    ['a predecessor', { prev: 'x' }],
    ['another reason', { why: 'rotate' }],
    ['an unknown field', { context: null }],
    ['a long nonce', { nonce: new Uint8Array(17) }],
    ['a nonce of text', { nonce: '0123456789abcdef' }],
    ['a time with a fraction', { at: 0.5 }],
    ['a time before 1970', { at: -1 }],
    ['no role', { roles: {} }],
    ['an unknown role', { roles: { ...ordered, witness: roles.log } }],
    ['a role without keys', { roles: role([], 1) }],
    ['a threshold of none', { roles: role([log.key], 0) }],
    ['a threshold above the keys', { roles: role([log.key], 2) }],
    ['a threshold with a fraction', { roles: role([ana.key, ben.key], 1.5) }],
    ['keys out of order', { roles: role([ben.key, ana.key], 1) }],
    ['a key twice', { roles: role([log.key, log.key], 1) }],
    ['65 keys', { roles: role(many, 1) }],
    ['a key that is none', { roles: role(['ed25519:z'], 1) }],
    ['a key in a list', { roles: role([[log.key]], 1) }],
    ['keys that are text', { roles: role(log.key, 1) }],
    ['another hash', { content: { hash: 'sha1', chunker: { kind: 'fixed', size: 4096 } } }],
    ['another chunker', { content: chunker('rabin', 4096) }],
    ['small chunks', { content: chunker('fixed', 4095) }],
    ['large chunks', { content: chunker('fixed', 1_048_577) }],
    ['chunks with a fraction', { content: chunker('fixed', 4096.5) }],
    ['an unknown parameter', { content: { ...chunker('fixed', 4096), note: 1 } }],
  ])('refuses %s', async (_, change) => {
    const envelope = await edited((event) => ({ ...event, ...change }))
    expect(codeOf(() => verifyInception(envelope))).toBe('KEY_EVENT_INVALID')
  })

  it.each(['type', 'v', 'seq', 'prev', 'why', 'nonce', 'roles', 'content', 'at'])(
    'refuses a lack of %s',
    async (name) => {
      const envelope = await edited((event) => {
        delete event[name]
      })
      expect(codeOf(() => verifyInception(envelope))).toBe('KEY_EVENT_INVALID')
    },
  )

  it('refuses a payload that is no map, or no CBOR, or too long', async () => {
    for (const payload of [encode(null), encode([1]), Uint8Array.of(0xff), encode(new Uint8Array(65 * 1024))]) {
      const envelope = await signEnvelope('key', payload, signers)
      expect(codeOf(() => verifyInception(envelope))).toBe('KEY_EVENT_INVALID')
    }
  })

  it('refuses signatures of another type of document', async () => {
    const { payload } = await createInception(founding, signers)
    const envelope = await signEnvelope('note', payload, signers)
    expect(codeOf(() => verifyInception(envelope))).toBe('SIGNATURE_THRESHOLD')
  })
})
