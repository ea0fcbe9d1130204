import type { Envelope, KeyEventDraft, KeyState, Signer } from '@vault/core'
import {
  createKeyEvent,
  decode,
  encodeEnvelope,
  followKeyState,
  NO_WITNESSES,
  nextKeyDigest,
  toHex,
  verifyKeyHistory,
} from '@vault/core'
import type { CeremonyFile, KeyChange } from '@vault/spki-caps/ceremony'
import { COMMIT_FILE, describePlan, openPlan, readCeremony } from '@vault/spki-caps/ceremony'
import { describe, expect, test } from 'vitest'
import { commitOf } from '../../src/ceremony/commit.ts'
import { ana, ben, commit, eva, history, join, lea, mia, owner, planOf, tom } from './council.ts'

// What a ceremony promises of a key event is what a vault takes.

const one = ({ key }: Signer) => ({ keys: [key], threshold: 1 })
const founded = verifyKeyHistory(history)
const { roles } = founded
const next = { digests: [nextKeyDigest(ana.key)], threshold: 1 }
const rotated = { ...roles, identity: one(ana) }

/** The vault after one more event, and all of them. */
async function after(draft: Partial<KeyEventDraft>, signers: readonly Signer[]) {
  const event = await createKeyEvent(
    { history: founded, why: 'rotate', roles, at: new Date('2026-02-02T10:00:00Z'), ...draft },
    signers,
  )
  return { state: followKeyState(founded, event), events: [...history, event] }
}

const planned = async (events: readonly Envelope[], change: Partial<KeyChange>) =>
  await planOf({
    change: { history: events.map(encodeEnvelope), why: 'rotate', roles, ...change },
    splits: [],
    witnesses: { keys: [], threshold: 0 },
  })

async function done(plan: CeremonyFile, state: KeyState, members: readonly Signer[]) {
  let files: readonly CeremonyFile[] = [plan]
  for (const member of members) {
    const lacking = readCeremony(files)
    expect(lacking.phase).toBe('open')
    // Nobody is left out: a commit that is made before the last of them is here does not hold.
    const early = { name: COMMIT_FILE, bytes: commitOf(lacking, lacking).bytes }
    expect(readCeremony([...files, early]).findings.map(({ code }) => code)).toEqual(['CEREMONY_COMMIT_INVALID'])
    files = await join(files, member)
  }
  const ceremony = readCeremony(commit(files))
  expect([ceremony.phase, ceremony.findings]).toEqual(['complete', []])
  return followKeyState(state, ceremony.commit?.keyEvent as Envelope)
}

const words = (file: CeremonyFile) => describePlan(openPlan(file.bytes)).join('\n')

describe('a plan is refused whose key event no vault takes', () => {
  test.each<[string, string, Partial<KeyEventDraft>, readonly Signer[], Partial<KeyChange>]>([
    [
      'another identity than was committed to',
      'KEY_EVENT_COMMITMENT',
      { next },
      [owner],
      { roles: { ...roles, identity: one(eva) } },
    ],
    ['the end under a commitment', 'KEY_EVENT_COMMITMENT', { next }, [owner], { why: 'retire' }],
    ['other witnesses under a commitment', 'KEY_EVENT_COMMITMENT', { next }, [owner], { witnesses: one(tom) }],
    ['other keys at the end', 'KEY_EVENT_INVALID', {}, [owner], { why: 'retire', roles: rotated }],
    ['a witness with a role', 'KEY_EVENT_INVALID', {}, [owner], { witnesses: one(owner) }],
    ['an event after the end', 'KEY_EVENT_RETIRED', { why: 'retire' }, [owner], { roles: rotated }],
  ])('%s', async (_, code, draft, signers, change) => {
    const { events } = await after(draft, signers)
    await expect(planned(events, change)).rejects.toMatchObject({ code })
  })

  test('and one that changes nothing', async () => {
    const { events } = await after({ witnesses: one(tom) }, [owner, tom])
    await expect(planned(events, { witnesses: one(tom) })).rejects.toMatchObject({ code: 'CEREMONY_PLAN_INVALID' })
  })
})

describe('a ceremony asks for', () => {
  test('witnesses before and after, and each that is new', async () => {
    const { state, events } = await after({ witnesses: one(tom) }, [owner, tom])
    const plan = await planned(events, { witnesses: { keys: [lea.key, mia.key].sort(), threshold: 1 } })
    const text = words(plan)
    expect(text).toMatch(/seen by {3}1 of 2: .*; before: 1 of 1: /)
    const { witnesses } = await done(plan, state, [owner, tom, lea, mia])
    expect(witnesses.keys).toEqual([lea.key, mia.key].sort())
  })

  test('nobody to see it where there are to be none any more but those before', async () => {
    const { state, events } = await after({ witnesses: one(tom) }, [owner, tom])
    const plan = await planned(events, { witnesses: NO_WITNESSES })
    expect(words(plan)).toContain('seen by   nobody; before: 1 of 1')
    expect((await done(plan, state, [owner, tom])).witnesses).toEqual(NO_WITNESSES)
  })

  test('keys that were committed to, also where none of them is new', async () => {
    const pair = { ...roles, identity: { keys: [owner.key, ana.key].sort(), threshold: 1 } }
    const { state, events } = await after({ roles: pair, next }, [owner, ana])
    const wider = { ...roles, identity: { keys: [owner.key, ana.key, ben.key], threshold: 1 } }
    const plan = await planned(events, { roles: wider })
    expect(words(plan)).toMatch(/is the one that the event before committed to\n.*NO COMMITMENT any more/)
    const owed = readCeremony(await join([plan], owner)).owed.map(({ why }) => why)
    expect(owed).toEqual(['possession', 'commitment'])
    expect((await done(plan, state, [owner, ben, ana])).next).toBeNull()
  })
})

describe('a plan says in words', () => {
  test('that a vault ends', async () => {
    expect(words(await planned(history, { why: 'retire' }))).toMatch(/THE VAULT .* ENDS with key event 1, for ever/)
  })

  test('that a commitment is made, stays, and is followed by another', async () => {
    const hash = toHex(nextKeyDigest(ana.key))
    expect(words(await planned(history, { next }))).toContain(
      `A COMMITMENT is made: as the identity follow 1 of the 1 keys with the hashes ${hash}`,
    )
    const { events } = await after({ next }, [owner])
    expect(words(await planned(events, { roles: { ...roles, log: one(eva) } }))).toContain('the commitment stays')
    const other = { digests: [nextKeyDigest(ben.key)], threshold: 1 }
    const followed = words(await planned(events, { roles: rotated, next: other }))
    expect(followed).toContain('A COMMITMENT is made')
    expect(followed).not.toContain('NO COMMITMENT')
  })

  test('nothing of what it has nothing to do with', async () => {
    const plan = await planned(history, { roles: rotated })
    expect(words(plan)).not.toMatch(/seen by|COMMITMENT|ENDS/)
    expect(Object.keys(decode(openPlan(plan.bytes).event?.payload as Uint8Array) as { v: number })).not.toContain(
      'next',
    )
  })
})
