import type { Envelope, KeyEvent, KeyEventDraft, KeyState, Roles, Signer } from '@vault/core'
import {
  contentId,
  createInception,
  createKeyEvent,
  createSigner,
  decode,
  encode,
  followKeyState,
  generateSecretKey,
  isVaultError,
  keyEventPayload,
  keyStateAfter,
  link,
  mergeEnvelopes,
  nextKeyDigest,
  signEnvelope,
  systemRandom,
  utf8,
  verifyKeyHistory,
} from '@vault/core'
import { describe, expect, it } from 'vitest'
import { codeOf } from './support.ts'

const people = Array.from({ length: 8 }, () => createSigner(generateSecretKey(systemRandom)))
const [ana, ben, cai, ops, log, dea, ops2, log2] = people as [
  Signer,
  Signer,
  Signer,
  Signer,
  Signer,
  Signer,
  Signer,
  Signer,
]
const of = (threshold: number, ...signers: Signer[]) => ({ keys: signers.map(({ key }) => key), threshold })
const roles: Roles = { identity: of(2, ana, ben, cai), operators: of(1, ops), log: of(1, log) }
const at = new Date('2026-02-03T04:05:06.789Z')
const inception = await createInception({ roles, nonce: systemRandom(16), at }, [ana, ben, cai, ops, log])
const founded = verifyKeyHistory([inception])
const context = { migration: 'ab'.repeat(16), instance: '01'.repeat(16) }
const moved: Roles = { identity: of(1, dea), operators: of(1, ops2), log: of(1, log2) }
const move = (history: KeyState): KeyEventDraft => ({ history, why: 'migrate', roles: moved, context, at })

/** Where a history is refused. */
function indexOf(envelopes: readonly Envelope[]): unknown {
  try {
    verifyKeyHistory(envelopes)
    return undefined
  } catch (error) {
    if (isVaultError(error, 'KEY_EVENT_INVALID')) return error.details.index
    throw error
  }
}

describe('createKeyEvent', () => {
  it('replaces the roles, and the next event names it', async () => {
    const second = await createKeyEvent(move(founded), [ana, cai, dea, ops2, log2])
    const state = verifyKeyHistory([inception, second])
    expect(state).toMatchObject({ vault: founded.vault, seq: 1, roles: moved, content: founded.content })
    expect(state.head).toBe(contentId(second.payload, { hash: 'sha2-256', codec: 'dag-cbor' }))
    expect(state.events[1]).toEqual({
      type: 'key',
      v: 1,
      seq: 1,
      prev: link(founded.vault),
      why: 'migrate',
      roles: moved,
      context,
      at: 1_770_091_506,
    })
    const third = await createKeyEvent({ history: state, why: 'rotate', roles: { ...moved, log: of(1, log) }, at }, [
      dea,
      log,
    ])
    expect(verifyKeyHistory([inception, second, third])).toMatchObject({ seq: 2, roles: { log: of(1, log) } })
  })

  it('is refused without the old threshold, the new one, or a key that is new in a role', async () => {
    const signers = [ana, ben, dea, ops2, log2]
    await createKeyEvent(move(founded), signers)
    for (const absent of signers) {
      const present = signers.filter((signer) => signer !== absent)
      await expect(createKeyEvent(move(founded), present)).rejects.toMatchObject({ code: 'KEY_EVENT_INVALID' })
    }
  })

  it('needs a new key also beyond the threshold, and one that comes from another role', async () => {
    const wider = {
      history: founded,
      why: 'rotate' as const,
      roles: { ...roles, identity: of(2, ana, ben, cai, dea) },
      at,
    }
    await expect(createKeyEvent(wider, [ana, ben])).rejects.toMatchObject({ code: 'KEY_EVENT_INVALID' })
    await createKeyEvent(wider, [ana, ben, dea])
    const promoted = { ...wider, roles: { ...roles, operators: of(1, ops, log) } }
    await expect(createKeyEvent(promoted, [ana, ben])).rejects.toMatchObject({ code: 'KEY_EVENT_INVALID' })
    await createKeyEvent(promoted, [ana, ben, log])
  })

  it('needs a higher threshold of its own where no key is new', async () => {
    const stricter = {
      history: founded,
      why: 'recover' as const,
      roles: { ...roles, identity: of(3, ana, ben, cai) },
      at,
    }
    await expect(createKeyEvent(stricter, [ana, ben])).rejects.toMatchObject({ code: 'KEY_EVENT_INVALID' })
    await createKeyEvent(stricter, [ana, ben, cai])
  })

  it('is signed by parties apart', async () => {
    const payload = keyEventPayload(move(founded))
    const here = await signEnvelope('key', payload, [ana, ben])
    const there = await signEnvelope('key', payload, [dea, ops2, log2])
    const merged = mergeEnvelopes([here, there, here])
    expect(merged.signatures).toHaveLength(5)
    expect(verifyKeyHistory([inception, merged]).roles).toEqual(moved)
    expect(indexOf([inception, here])).toBe(1)
    expect(indexOf([inception, there])).toBe(1)
    expect(codeOf(() => mergeEnvelopes([here, inception]))).toBe('ENVELOPE_INVALID')
  })

  it('refuses contents that no reader takes, before anything is signed', async () => {
    const never: Signer = { key: ana.key, sign: () => Promise.reject(new Error('asked to sign')) }
    const { context: _, ...unplaced } = move(founded)
    await expect(createKeyEvent(unplaced, [never])).rejects.toMatchObject({ code: 'KEY_EVENT_INVALID' })
    expect(codeOf(() => keyEventPayload({ ...move(founded), why: 'rotate' }))).toBe('KEY_EVENT_INVALID')
  })
})

describe('a commitment', () => {
  const next = { digests: [nextKeyDigest(dea.key)], threshold: 1 }
  const single: Roles = { ...roles, identity: of(1, ana) }
  const committing = { history: founded, why: 'rotate', roles: single, next, at } as const
  /** A vault whose thief has made so many events more, without the work of signing them. */
  const after = async (count: number): Promise<KeyState> => {
    const state = verifyKeyHistory([inception, await createKeyEvent(committing, [ana, ben])])
    return {
      ...state,
      events: Array.from({ length: count }, () => state.events.at(-1) ?? state.events[0]) as KeyEvent[],
    }
  }
  const rotation = { why: 'rotate', roles: { ...single, identity: of(1, dea) }, at } as const

  it('leaves the identity before it what is done every day, until the history is nearly full', async () => {
    const log2For = { why: 'rotate', roles: { ...single, log: of(1, log2) }, at } as const
    await createKeyEvent({ history: await after(959), ...log2For }, [ana, log2])
    const history = await after(960)
    const refused = { code: 'KEY_EVENT_COMMITMENT' }
    for (const draft of [log2For, { why: 'reshare', roles: single, at } as const])
      await expect(createKeyEvent({ history, ...draft }, [ana, log2])).rejects.toMatchObject(refused)
  })

  it('has room for the identity that follows, which then does as it likes', async () => {
    const history = await after(960)
    const state = followKeyState(history, await createKeyEvent({ history, ...rotation }, [ana, dea]))
    expect(state).toMatchObject({ roles: { identity: of(1, dea) }, next: null })
    const ended = { history: state, why: 'retire', roles: state.roles, at } as const
    expect(followKeyState(state, await createKeyEvent(ended, [dea])).retired).toBe(true)
  })

  it('is not asked for where the history is full', async () => {
    const history = await after(1_024)
    expect(codeOf(() => keyEventPayload({ history, ...rotation }))).toBe('KEY_EVENT_INVALID')
  })

  it('is seen before anybody signs', async () => {
    const history = await after(2)
    const thief = { ...rotation, history, roles: { ...single, identity: of(1, cai) } }
    expect(codeOf(() => keyEventPayload(thief))).toBe('KEY_EVENT_COMMITMENT')
    expect(keyStateAfter(history, keyEventPayload({ history, ...rotation }))).toMatchObject({
      seq: 2,
      roles: { identity: of(1, dea) },
    })
  })
})

describe('mergeEnvelopes', () => {
  it('refuses none, and more signatures than an envelope has', async () => {
    expect(() => mergeEnvelopes([])).toThrow(RangeError)
    const many = Array.from({ length: 129 }, () => createSigner(generateSecretKey(systemRandom)))
    const first = await signEnvelope('key', utf8('x'), many)
    const others = Array.from({ length: 128 }, () => createSigner(generateSecretKey(systemRandom)))
    const second = await signEnvelope('key', utf8('x'), others)
    expect(codeOf(() => mergeEnvelopes([first, second]))).toBe('ENVELOPE_INVALID')
    const fits = { ...second, signatures: second.signatures.slice(1) }
    expect(mergeEnvelopes([first, fits]).signatures).toHaveLength(256)
  })
})

describe('verifyKeyHistory', () => {
  const signers = [ana, ben, dea, ops2, log2]
  const edited = async (change: Record<string, unknown>, without: readonly string[] = []): Promise<Envelope> => {
    const event = { ...(decode(keyEventPayload(move(founded))) as Record<string, unknown>), ...change }
    for (const name of without) delete event[name]
    return signEnvelope('key', encode(event), signers)
  }

  it('takes the event that the cases below change', async () => {
    expect(indexOf([inception, await edited({})])).toBeUndefined()
  })

  it.each<[string, Record<string, unknown>]>([
    ['another type', { type: 'note' }],
    ['another version', { v: 2 }],
    ['the number of another event', { seq: 2 }],
    ['the number of the inception', { seq: 0 }],
    ['no event before it', { prev: null }],
    ['another event before it', { prev: link(contentId(utf8('other'), { hash: 'sha2-256', codec: 'dag-cbor' })) }],
    ['the event before it as text', { prev: founded.vault }],
    ['another reason', { why: 'retire' }],
    ['the reason of an inception', { why: 'inception' }],
    ['a context without migrate', { why: 'rotate' }],
    ['an unknown field', { note: 1 }],
    ['a nonce', { nonce: new Uint8Array(16) }],
    ['other content', { content: founded.content }],
    ['a time with a fraction', { at: 0.5 }],
    ['a time before 1970', { at: -1 }],
    ['an unknown role', { roles: { ...moved, witness: moved.log } }],
    ['a role without keys', { roles: { ...moved, log: { keys: [], threshold: 1 } } }],
    ['a context that is null', { context: null }],
    ['a migration in upper case', { context: { ...context, migration: 'AB'.repeat(16) } }],
    ['an instance that is short', { context: { ...context, instance: '01' } }],
    ['an unknown field in its context', { context: { ...context, source: '' } }],
  ])('refuses %s', async (_, change) => {
    expect(indexOf([inception, await edited(change)])).toBe(1)
  })

  it.each(['type', 'v', 'seq', 'prev', 'why', 'roles', 'context', 'at'])('refuses a lack of %s', async (name) => {
    expect(indexOf([inception, await edited({}, [name])])).toBe(1)
  })

  it('names the first event that does not belong there', async () => {
    const second = await edited({})
    const state = verifyKeyHistory([inception, second])
    const third = await createKeyEvent({ history: state, why: 'rotate', roles: moved, at }, [dea])
    expect(indexOf([second])).toBe(0)
    expect(indexOf([{ ...inception, signatures: inception.signatures.slice(1) }, second])).toBe(0)
    expect(indexOf([inception, third])).toBe(1)
    expect(indexOf([inception, inception])).toBe(1)
    expect(indexOf([inception, second, second])).toBe(2)
    expect(indexOf([inception, second, { ...third, signatures: second.signatures }])).toBe(2)
    expect(indexOf([inception, second, third])).toBeUndefined()
  })

  it('refuses an event of another vault', async () => {
    const other = await createInception({ roles, nonce: systemRandom(16), at }, [ana, ben, cai, ops, log])
    expect(indexOf([other, await edited({})])).toBe(1)
  })

  it('refuses nothing at all, and more events than it begins to verify', () => {
    expect(codeOf(() => verifyKeyHistory([]))).toBe('KEY_EVENT_INVALID')
    const many = Array.from({ length: 1_025 }, () => inception)
    expect(() => verifyKeyHistory(many)).toThrow(expect.objectContaining({ code: 'KEY_EVENT_INVALID', details: {} }))
  })

  it('refuses signatures of another type of document', async () => {
    const { payload } = await edited({})
    expect(indexOf([inception, await signEnvelope('migration-handoff', payload, signers)])).toBe(1)
  })
})
