import { createMemoryLog, createNoteSigner, encodeEvent, openTrail, originOf, signCheckpoint } from '@vault/audit-chain'
import type { Bytes, ContentId, Signer } from '@vault/core'
import { contentId, createSigner, decodeEnvelope, encodeEnvelope, link, utf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { keyStateAt } from '../../src/move/key-state.ts'
import { logKeys } from '../../src/move/log-keys.ts'
import { openSeatTrail } from '../../src/move/seat.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import type { MoveState } from '../../src/move/state.ts'
import type { Handoff } from '../../src/records/handoff.ts'
import { parseHandoff, signHandoff } from '../../src/records/handoff.ts'
import { Fate } from './crash.ts'
import { activeAt, crashes, expectSound, move, partsOf, resume, rollBack, unfinished } from './moving.ts'
import type { Scene, Stopped } from './processes.ts'
import { codeOf, expectCertified, rootsAt, scene, stopAt } from './processes.ts'
import type { MemoryPlace } from './seats.ts'
import { memoryPlace, put, trailAt } from './seats.ts'

const STRANGER = createSigner(new Uint8Array(32).fill(9))
const OTHER = link(contentId(utf8('something else'), { hash: 'sha2-256', codec: 'dag-cbor' }))
const ZERO = '0'.repeat(64)

/** A move whose hand-off has been signed and not been brought to the target. */
interface Signed extends Scene {
  readonly stopped: Stopped
  readonly state: MoveState
  /** The log key of the vault until the hand-off. */
  readonly log: Signer
}

async function signed(): Promise<Signed> {
  const places = await scene(1)
  const { a, vault } = places
  const { roles } = await keyStateAt(a.seat, vault)
  const [log] = (await a.seat.keys.signers('log', roles.log)) as [Signer]
  const stopped = await stopAt('activate', places)
  return { ...places, stopped, state: await stopped.state(), log }
}

function activate({ seat }: MemoryPlace, { handoff, keyEvent }: MoveState) {
  return seatTarget(seat).activate({ handoff: handoff as Bytes, keyEvent: keyEvent as Bytes })
}

async function noteOf(vault: ContentId, size: number, signer: Signer): Promise<Bytes> {
  const origin = originOf(vault)
  const checkpoint = { origin, size, root: new Uint8Array(32).fill(7), extensions: [] }
  return await signCheckpoint(checkpoint, [createNoteSigner({ name: origin, signer })])
}

type Change = (handoff: Handoff, scene: Signed) => Partial<Handoff> | Promise<Partial<Handoff>>

const REFUSED: readonly (readonly [name: string, code: string, change: Change])[] = [
  ['of a later epoch than the next', 'MIGRATION_HANDOFF_REFUSED', () => ({ epoch: 1_000 })],
  ['of another migration', 'MIGRATION_TARGET_REFUSED', () => ({ migration: '0'.repeat(32) })],
  ['of another vault', 'MIGRATION_RECORD_FOREIGN', () => ({ vault: OTHER })],
  ['to another instance', 'MIGRATION_HANDOFF_REFUSED', ({ to }) => ({ to: { ...to, instance: '0'.repeat(32) } })],
  ['to another key', 'MIGRATION_HANDOFF_REFUSED', ({ to }) => ({ to: { ...to, place: STRANGER.key } })],
  ['with another nonce', 'MIGRATION_HANDOFF_REFUSED', () => ({ nonce: new Uint8Array(32) })],
  ['of another plan', 'MIGRATION_HANDOFF_REFUSED', () => ({ plan: OTHER })],
  ['for another ready', 'MIGRATION_HANDOFF_REFUSED', () => ({ ready: OTHER })],
  ['of another key event', 'MIGRATION_HANDOFF_REFUSED', () => ({ key_event: OTHER })],
  [
    'of other roots',
    'MIGRATION_HANDOFF_REFUSED',
    ({ statement }) => ({ statement: { ...statement, roots: { ...statement.roots, objects: ZERO } } }),
  ],
  [
    'of other numbers',
    'MIGRATION_HANDOFF_REFUSED',
    ({ statement }) => ({ statement: { ...statement, sequence: 2 ** 50 } }),
  ],
  ['of a shorter log', 'MIGRATION_HANDOFF_REFUSED', ({ log }) => ({ log: { ...log, size: log.size - 1 } })],
  ['of another log', 'MIGRATION_HANDOFF_REFUSED', ({ log }) => ({ log: { ...log, root: ZERO } })],
  ['with a note that is none', 'MIGRATION_HANDOFF_REFUSED', () => ({ checkpoint: utf8('no note') })],
  [
    'with the note of another history',
    'MIGRATION_HANDOFF_REFUSED',
    async ({ log }, { vault, log: key }) => ({ checkpoint: await noteOf(vault, log.size, key) }),
  ],
  [
    'with the note of another vault',
    'MIGRATION_HANDOFF_REFUSED',
    async ({ log }, { log: key }) => ({ checkpoint: await noteOf(OTHER.id, log.size, key) }),
  ],
]

describe('the target', () => {
  test.each(REFUSED)('takes no hand-off %s: %s', async (_name, code, change) => {
    const scene = await signed()
    const { a, b, vault, stopped, state, log } = scene
    const handoff = parseHandoff(decodeEnvelope(state.handoff as Bytes).payload)
    const forged = { ...handoff, ...(await change(handoff, scene)) }
    const envelope = encodeEnvelope(await signHandoff(forged, { log: [log], place: a.seat.place }))
    expect(await codeOf(activate(b, { ...state, handoff: envelope }))).toBe(code)
    expect((await b.store.tenures.read(vault)).state).toBe('prepared')
    expectCertified(await stopped.goOn())
  })

  test('takes no hand-off that others have signed', async () => {
    const { a, b, vault, state, log } = await signed()
    const handoff = parseHandoff(decodeEnvelope(state.handoff as Bytes).payload)
    for (const signers of [
      { log: [STRANGER], place: a.seat.place },
      { log: [log], place: STRANGER },
    ]) {
      const forged = encodeEnvelope(await signHandoff(handoff, signers))
      expect(await codeOf(activate(b, { ...state, handoff: forged }))).toBe('SIGNATURE_THRESHOLD')
    }
    expect((await b.store.tenures.read(vault)).state).toBe('prepared')
  })

  test('takes none without the key event that it names', async () => {
    const [one, two] = [await signed(), await signed()]
    const [inception] = (await one.a.store.tenures.keyEvents(one.vault)) as [Bytes]
    const foreign = await move(two.b, two.a, two.vault).catch(() => two.state)
    for (const keyEvent of [inception, utf8('none'), foreign.acceptance as Bytes]) {
      await expect(activate(one.b, { ...one.state, keyEvent })).rejects.toHaveProperty('name', 'VaultError')
    }
    expect((await one.b.store.tenures.read(one.vault)).state).toBe('prepared')
  })

  test('takes the same one once: the second time it says so and writes nothing', async () => {
    const { b, vault, stopped, state } = await signed()
    const first = await activate(b, state)
    expect(await activate(b, state)).toEqual(first)
    expect((await trailAt(b, vault)).size).toBe(first.events)
    await put(b, vault, [rawBlock('written since')], 'new')
    expect(await activate(b, state)).toMatchObject({ state: 'active', epoch: 1 })
    expectCertified(await stopped.goOn())
  })

  test('takes nothing that it has not prepared', async () => {
    const { a, b, vault, state } = await signed()
    const c = memoryPlace('C', 3, a.seat.clock)
    expect(await codeOf(activate(c, state))).toBe('MIGRATION_TARGET_REFUSED')
    expect(await activeAt([a, b, c], vault)).toEqual([])
  })

  test('takes nothing that it has declined', async () => {
    const { a, b, vault, stopped, state } = await signed()
    const roots = await rootsAt(a, vault)
    await seatTarget(b.seat).decline({ vault, migration: stopped.migration })
    expect(await codeOf(activate(b, state))).toBe('MIGRATION_DECLINED')
    expect((await stopped.goOn()).phase).toBe('rolled-back')
    expect(await expectSound([a, b], vault, roots)).toBe(a)
    expect((await a.store.tenures.read(vault)).epoch).toBe(2)
    expect(await codeOf(activate(b, state))).toBe('MIGRATION_DECLINED')
    expectCertified(await move(a, b, vault))
  })
})

describe('a target that has taken a vault', () => {
  test('never says that it has not: while it has it, and after it was handed on', async () => {
    const { a, b, vault, stopped, state } = await signed()
    const { migration } = stopped
    const target = seatTarget(b.seat)
    await activate(b, state)
    expect(await codeOf(target.decline({ vault, migration }))).toBe('MIGRATION_TARGET_ADVANCED')
    const c = memoryPlace('C', 3, a.seat.clock)
    await move(b, c, vault)
    expect(await codeOf(target.decline({ vault, migration }))).toBe('MIGRATION_TARGET_ADVANCED')
    // The source does not know yet, and whoever takes the move back there finds out.
    expect(await rollBack(a, b, vault, migration)).toMatchObject({ phase: 'complete', certificate: null })
    expect(await activeAt([a, b, c], vault)).toEqual([c])
    expect(await unfinished(a)).toBeUndefined()
  })

  test('and handed it back: the source can end its move, and begin another', async () => {
    for (const [at, when] of [
      ['B: tenure prepared → active', 'after'],
      ['B: log head', 'before'],
    ] as const) {
      const probe = new Fate()
      const first = await scene(1)
      await move(first.a, first.b, first.vault, probe)
      const { a, b, vault } = await scene(1)
      expect(await crashes(() => move(a, b, vault, new Fate(probe.operations.lastIndexOf(at), when)))).toBe(true)
      const { migration = '' } = (await unfinished(a)) ?? {}
      expectCertified(await move(b, a, vault))
      expect(await activeAt([a, b], vault)).toEqual([a])
      expect(await codeOf(move(a, b, vault))).toBe('MIGRATION_UNFINISHED')
      expect(await resume(a, b, vault, migration)).toMatchObject({ phase: 'complete', certificate: null })
      expect(await activeAt([a, b], vault)).toEqual([a])
      expectCertified(await move(a, b, vault))
    }
  })

  test('and is about to hand it on: the first move waits for the second, and ends either way', async () => {
    for (const end of [resume, rollBack]) {
      const { a, b, vault } = await scene(1)
      const c = memoryPlace('C', 3, a.seat.clock)
      const first = await stopAt('conclude', { a, b, vault })
      const second = await stopAt('copy-rest', { a: b, b: c, vault })
      expect(await codeOf(resume(a, b, vault, first.migration))).toBe('MIGRATION_UNFINISHED')
      await end(b, c, vault, second.migration)
      const state = await resume(a, b, vault, first.migration)
      expect(state.phase).toBe('complete')
      if (end === rollBack) expectCertified(state)
      else expect(state.certificate).toBe(null)
      expect(await activeAt([a, b, c], vault)).toEqual([end === resume ? c : b])
    }
  })

  test('cannot be made to say no by asking at the moment of activation', async () => {
    for (let at = 0; at < 8; at++) {
      const { a, b, vault, stopped, state } = await signed()
      const { migration } = stopped
      let calls = 0
      let taken: string | undefined = 'not tried'
      const now = async () => {
        if (calls++ === at) taken = await codeOf(activate(b, state))
      }
      const { tenures, records } = b.store
      const store = {
        ...b.store,
        records: { ...records, read: async (key: string) => [await records.read(key), await now()][0] as never },
        tenures: { ...tenures, read: async (id: ContentId) => [await tenures.read(id), await now()][0] as never },
      }
      const said = await codeOf(seatTarget({ ...b.seat, store }).decline({ vault, migration }))
      if (taken === 'not tried') await activate(b, state).catch(() => {})
      const isActive = (await b.store.tenures.read(vault)).state === 'active'
      expect({ at, declined: said === undefined }).toEqual({ at, declined: !isActive })
      expect((await activeAt([a, b], vault)).length).toBe(isActive ? 1 : 0)
    }
  })

  test('lets nobody add to its trail with the old log key', async () => {
    const { a, b, vault, stopped, log: signer } = await signed()
    const { migration } = stopped
    const complete = await stopped.goOn()
    const own = await trailAt(b, vault)
    const store = createMemoryLog()
    for (const [name, bytes] of b.logs.get(vault)?.files ?? []) store.files.set(name, bytes)
    const state = await keyStateAt(b.seat, vault)
    const keys = logKeys(state)
    const forged = await openTrail({ origin: originOf(vault), store, keys, signer, clock: b.seat.clock })
    const event = encodeEvent({
      time: 1,
      actor: b.seat.actor,
      action: { verb: 'forged', object: 'vault', parameters: {} },
      key: 'forged/1',
    })
    const { checkpoint } = await forged.extend(forged.size, [event])
    const request = { vault, migration, from: store, note: checkpoint as Bytes, size: forged.size }
    expect(await codeOf(seatTarget(b.seat).receiveTrail(request))).toBe('MIGRATION_TARGET_REFUSED')
    expect((await trailAt(b, vault)).size).toBe(own.size)
    // And where it gets at the files of the trail, nobody takes them for the trail, at either place.
    for (const place of [a, b]) {
      const trail = await openSeatTrail(place.seat, vault)
      expect(trail.size).toBeLessThanOrEqual(own.size)
      const seat = { ...place.seat, log: async () => store }
      expect(await codeOf(openSeatTrail(seat, vault))).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
    }
    expectCertified(complete)
  })
})

describe('an acceptance that was given and not taken up', () => {
  test('does not bring back old keys after the vault was there', async () => {
    const probe = new Fate()
    const first = await scene(1)
    await move(first.a, first.b, first.vault, probe)
    const at = probe.operations.indexOf('B: record acceptance')
    const [old, { a, b, vault }] = [await scene(1), await scene(1)]
    // An old copy of the source began a move that died when the target had written its acceptance down.
    expect(await crashes(() => move(old.a, b, vault, new Fate(at, 'after')))).toBe(true)
    await move(a, b, vault)
    await move(b, a, vault)
    const known = await b.store.tenures.keyEvents(vault)
    const { migration = '' } = (await unfinished(old.a)) ?? {}
    expect(await codeOf(resume(old.a, b, vault, migration))).toBe('MIGRATION_HANDOFF_REFUSED')
    expect(await b.store.tenures.keyEvents(vault)).toEqual(known)
    expect((await b.store.tenures.read(vault)).state).toBe('retired')
  })

  test('is not taken up by a run that was overtaken by its own end', async () => {
    const { a, b, vault } = await scene(1)
    const roots = await rootsAt(a, vault)
    const { transition } = b.store.tenures
    let migration = ''
    const tenures: typeof b.store.tenures = {
      ...b.store.tenures,
      async transition(id, from, to, options) {
        if (to.state === 'receiving') {
          migration = to.migration ?? ''
          // Another process takes the move back in the middle of accepting it.
          await rollBack(a, b, vault, migration)
        }
        await transition(id, from, to, options)
      },
    }
    const slow = { ...b, seat: { ...b.seat, store: { ...b.store, tenures } } }
    expect(await codeOf(move(a, slow, vault))).toBe('MIGRATION_DECLINED')
    expect((await b.store.tenures.read(vault)).state).toBe('none')
    expect(await expectSound([a, b], vault, roots)).toBe(a)
    expectCertified(await move(a, b, vault))
    expect(partsOf(a, b, vault).source.vault).toBe(vault)
  })
})
