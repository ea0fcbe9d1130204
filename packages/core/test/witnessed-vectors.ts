import type { Envelope, KeyState, Roles, Signer } from '@vault/core'
import {
  createInception,
  createKeyEvent,
  createSigner,
  decode,
  encode,
  encodeEnvelope,
  link,
  nextKeyDigest,
  signEnvelope,
  toHex,
  verifyKeyHistory,
} from '@vault/core'

// Key events of version 2: with witnesses, with a commitment to the identity that follows, and those that replace no keys.

const [ana, ben, log, tom, lea, dea, eva] = [1, 2, 4, 8, 9, 5, 10].map((n) =>
  createSigner(new Uint8Array(32).fill(n)),
) as [Signer, Signer, Signer, Signer, Signer, Signer, Signer]
const of = (threshold: number, ...signers: readonly Signer[]) => ({
  keys: signers.map(({ key }) => key).sort(),
  threshold,
})
const roles: Roles = { identity: of(1, ana), operators: of(1, ben), log: of(1, log) }
const followed: Roles = { ...roles, identity: of(1, dea) }
const at = new Date(1_767_400_000_000)
const witnesses = of(1, tom, lea)
const none = { keys: [], threshold: 0 }
const THIEF = 'KEY_EVENT_COMMITMENT'
const next = { digests: [nextKeyDigest(dea.key)], threshold: 1 }

/** Valid and invalid histories with events of version 2. */
export async function witnessedVectors(): Promise<Record<string, readonly object[]>> {
  const inception = await createInception({ roles, nonce: new Uint8Array(16), at }, [ana, ben, log])
  const founded = verifyKeyHistory([inception])
  const after = (...events: readonly Envelope[]) => verifyKeyHistory([inception, ...events])

  const witnessed = await createKeyEvent({ history: founded, why: 'rotate', roles, witnesses, at }, [ana, tom, lea])
  const reshared = await createKeyEvent({ history: founded, why: 'reshare', roles, at }, [ana])
  const retired = await createKeyEvent({ history: founded, why: 'retire', roles, at }, [ana])
  const committed = await createKeyEvent({ history: founded, why: 'rotate', roles, next, at }, [ana])
  const rotated = await createKeyEvent({ history: after(committed), why: 'rotate', roles: followed, at }, [ana, dea])
  const again = await createKeyEvent({ history: after(witnessed), why: 'reshare', roles, at }, [ana, lea])
  const unwitnessed = await createKeyEvent({ history: after(witnessed), why: 'rotate', roles, witnesses: none, at }, [
    ana,
    tom,
  ])
  const logged = { ...roles, log: of(1, eva) }
  const kept = await createKeyEvent({ history: after(committed), why: 'rotate', roles: logged, at }, [ana, eva])

  const watched = { history: founded, why: 'rotate', roles, next, witnesses: of(1, tom), at } as const
  const bound = await createKeyEvent(watched, [ana, tom])
  const boundLog = await createKeyEvent({ history: after(bound), why: 'rotate', roles: logged, at }, [ana, eva, tom])
  const release = { history: after(bound), why: 'recover', roles: followed, witnesses: of(1, lea), at } as const
  const freed = await createKeyEvent(release, [ana, dea, tom, lea])
  const ending = { history: after(bound, freed), why: 'retire', roles: followed, at } as const
  const ended = await createKeyEvent(ending, [dea, lea])
  const pair = { ...roles, identity: of(1, ana, dea) }
  const wider = { ...roles, identity: of(1, ana, dea, eva) }
  const shared = await createKeyEvent({ history: founded, why: 'rotate', roles: pair, next, at }, [ana, dea])

  const valid = (name: string, ...events: readonly Envelope[]) => {
    const { vault, seq, head, roles: now, witnesses: by, retired: ended } = after(...events)
    return {
      name,
      vault,
      seq,
      head,
      roles: now,
      witnesses: by,
      retired: ended,
      envelopes: hexOf([inception, ...events]),
    }
  }
  const refused = (name: string, code: string, ...events: readonly Envelope[]) => {
    return { name, code, index: events.length, envelopes: hexOf([inception, ...events]) }
  }
  const signed = async (history: KeyState, change: object, signers: readonly Signer[], base: Envelope) => {
    const event = { ...(decode(base.payload) as object), ...change }
    return await signEnvelope('key', encode({ ...event, seq: history.seq + 1 }), signers)
  }
  const changed = async (name: string, change: object, base = witnessed) => {
    return refused(name, 'KEY_EVENT_INVALID', await signed(founded, change, [ana, ben, tom, lea, dea, eva], base))
  }
  const resigned = async (
    name: string,
    code: string,
    base: Envelope,
    signers: readonly Signer[],
    ...before: Envelope[]
  ) => {
    return refused(name, code, ...before, await signEnvelope('key', base.payload, signers))
  }
  const later = async (name: string, code: string, before: Envelope, change: object, signers: readonly Signer[]) => {
    const history = after(before)
    return refused(name, code, before, await signed(history, { ...change, prev: link(history.head) }, signers, before))
  }
  const one = { ...decodeV1(witnessed), v: 1, seq: 2, prev: link(after(witnessed).head) }
  const earlier = await signEnvelope('key', encode(one), [ana, tom, lea])
  return {
    'key-event/v2/valid/histories.json': [
      valid('witnesses', witnessed),
      valid('shares for others, seen by a witness', witnessed, again),
      valid('witnesses who see that they are none any more', witnessed, unwitnessed),
      valid('shares for others', reshared),
      valid('the end of a vault', retired),
      valid('a commitment to the identity that follows', committed),
      valid('and the identity that follows', committed, rotated),
      valid('and a new log key before it does', committed, kept),
    ],
    'key-event/v2/valid/commitments.json': [
      valid('a witness stays under a commitment, with a new log key', bound, boundLog),
      valid('other witnesses with the identity that was committed to', bound, freed),
      valid('and then the end of the vault', bound, freed, ended),
    ],
    'key-event/v2/invalid/commitments.json': [
      await later('a witness more under a commitment', THIEF, bound, { witnesses: of(1, tom, lea) }, [ana, tom, lea]),
      await later('no witness any more under a commitment', THIEF, bound, { witnesses: none }, [ana, tom]),
      await later('the first witness under a commitment', THIEF, committed, { witnesses: of(1, tom) }, [ana, tom]),
      await later('the end of a vault under a commitment', THIEF, committed, { why: 'retire' }, [ana]),
      await later('a key that was committed to has not signed', THIEF, shared, { roles: wider, next: null }, [
        ana,
        eva,
      ]),
    ],
    'key-event/v2/invalid/histories.json': [
      await later('an event after the end', 'KEY_EVENT_RETIRED', retired, {}, [ana]),
      await resigned('a new witness has not signed', 'KEY_EVENT_WITNESSES', witnessed, [ana, tom]),
      await resigned('no witness before it has signed', 'KEY_EVENT_WITNESSES', again, [ana], witnessed),
      await resigned(
        'no witness has signed that they are none any more',
        'KEY_EVENT_WITNESSES',
        unwitnessed,
        [ana],
        witnessed,
      ),
      await later(
        'an identity that was not committed to',
        'KEY_EVENT_COMMITMENT',
        committed,
        {
          roles: { ...roles, identity: of(1, eva) },
          next: null,
        },
        [ana, eva],
      ),
      await later(
        'the identity before and one that was not committed to',
        'KEY_EVENT_COMMITMENT',
        committed,
        {
          roles: { ...roles, identity: of(2, ana, eva) },
          next: null,
        },
        [ana, eva],
      ),
      await later('a commitment that is taken back', 'KEY_EVENT_COMMITMENT', committed, { next: null }, [ana]),
      await changed('other keys to share out', { why: 'reshare', roles: followed }, reshared),
      await changed('other keys at the end', { why: 'retire', roles: followed }, retired),
      await changed('other witnesses at the end', { why: 'retire' }),
      refused('an event of version 1 after one of 2', 'KEY_EVENT_INVALID', witnessed, earlier),
      await changed('version 1 with the fields of 2', { v: 1 }),
      await changed('version 3', { v: 3 }),
      await changed('an unknown reason', { why: 'sell' }),
      await changed('a context without migrate', {
        context: { migration: '5e'.repeat(16), instance: '01'.repeat(16) },
      }),
      await changed('a witness with a role', { witnesses: of(1, ben) }),
      await changed('witnesses in descending order', {
        witnesses: { ...witnesses, keys: witnesses.keys.toReversed() },
      }),
      await changed('more witnesses than there are', { witnesses: { ...witnesses, threshold: 3 } }),
      await changed('witnesses of whom none is needed', { witnesses: { ...witnesses, threshold: 0 } }),
      await changed('a threshold of no witnesses', { witnesses: { keys: [], threshold: 1 } }),
      await changed('a digest of another length', { next: { digests: [new Uint8Array(31)], threshold: 1 } }),
      await changed('a digest twice', { next: { digests: [...next.digests, ...next.digests], threshold: 1 } }),
      await changed('a commitment to none', { next: { digests: [], threshold: 0 } }),
      await changed('a field too many in a commitment', { next: { ...next, keys: [] } }),
    ],
  }
}

function decodeV1({ payload }: Envelope): object {
  const { witnesses: _, next: __, ...event } = decode(payload) as { witnesses: unknown; next: unknown }
  return event
}

const hexOf = (all: readonly Envelope[]) => all.map((envelope) => toHex(encodeEnvelope(envelope)))
