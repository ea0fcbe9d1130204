import type { LogReader } from '@vault/audit-chain'
import {
  createMemoryLog,
  decodeEntryBundle,
  encodeEntryBundle,
  encodeEvent,
  entriesPath,
  eventOf,
  openTrail,
  originOf,
} from '@vault/audit-chain'
import type { ContentStore } from '@vault/cas'
import type { Bytes, ContentId, Signer } from '@vault/core'
import { createKeyEvent, encodeEnvelope, utf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { keyStateAt } from '../../src/move/key-state.ts'
import { logKeys } from '../../src/move/log-keys.ts'
import type { LogEnd, MoveSource } from '../../src/move/move-endpoint.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { activeAt, expectSound, move, partsOf, resume, rollBack, unfinished } from './moving.ts'
import type { Scene } from './processes.ts'
import { codeOf, expectCertified, moveWith, rootsAt, scene, withObjects } from './processes.ts'
import type { MemoryPlace } from './seats.ts'
import { trailAt } from './seats.ts'

describe('a source that has an object under charge', () => {
  type Spoil = (store: ContentStore, id: ContentId) => ContentStore
  const nothing: Spoil = (store, id) => ({
    ...store,
    async *getMany(batches, options) {
      for await (const { blocks, absent, damaged } of store.getMany(batches, options)) {
        const lost = blocks.filter((block) => block.id === id).map((block) => block.id)
        yield { blocks: blocks.filter((block) => block.id !== id), absent: [...absent, ...lost], damaged }
      }
    },
  })
  const others: Spoil = (store, id) => ({
    ...store,
    async *getMany(batches, options) {
      for await (const piece of store.getMany(batches, options)) {
        const blocks = piece.blocks.map((block) => (block.id === id ? { ...block, bytes: utf8('other') } : block))
        yield { ...piece, blocks }
      }
    },
  })
  test.each([
    ['and gives nothing of it', 'MIGRATION_SOURCE_DAMAGED', nothing],
    ['and gives other bytes', 'CAS_CORRUPT', others],
  ] as const)('%s: the move stops, and goes on when it is there again', async (_name, code, spoil) => {
    const { a, b, vault } = await scene(3)
    const roots = await rootsAt(a, vault)
    const spoilt = withObjects(a, spoil(a.objects, rawBlock('content 1').id))
    expect(await codeOf(move(spoilt, b, vault))).toBe(code)
    expect(await activeAt([a, b], vault)).toEqual([a])
    const { migration = '' } = (await unfinished(a)) ?? {}
    expect(await codeOf(resume(spoilt, b, vault, migration))).toBe(code)
    expectCertified(await resume(a, b, vault, migration))
    expect(await expectSound([a, b], vault, roots)).toBe(b)
  })
})

/** A vault with a long trail at A, which B has held and given back where it is known there. */
async function withTrail(entries: number, known: boolean): Promise<Scene> {
  const places = await scene(1)
  const { a, b, vault } = places
  if (known) {
    await move(a, b, vault)
    await move(b, a, vault)
  }
  const soup = a.store.soup(vault)
  const { epoch } = await soup.tenure()
  const events = Array.from({ length: entries }, (_, i) => eventNamed(`entry ${i}`))
  await soup.commit({ epoch, events })
  await trailAt(a, vault)
  return places
}

function eventNamed(key: string): Bytes {
  const action = { verb: 'noted', object: 'vault', parameters: {} }
  return encodeEvent({ time: 1, actor: { name: 'owner', proven: false }, action, key })
}

/** Parts of a move whose source shows another log; `end` where it also claims another end. */
function showing({ a, b, vault }: Scene, log: LogReader, end?: LogEnd): MoveParts {
  const parts = partsOf(a, b, vault)
  const source: MoveSource = { ...parts.source, log: async () => log, ...(end && { freeze: async () => end }) }
  return { ...parts, source }
}

/** The log with other bytes in some of its files. */
function altered(place: MemoryPlace, vault: ContentId, change: (name: string, bytes: Bytes) => Bytes): LogReader {
  const log = place.logs.get(vault)
  return {
    async read(name) {
      const bytes = await log?.read(name)
      return bytes && change(name, bytes)
    },
  }
}

/** A log that its real key has signed: the first `keep` entries of the vault's log, and then others. */
async function rewritten({ a, vault }: Scene, keep: number, others: readonly Bytes[], by?: Signer) {
  const state = await keyStateAt(a.seat, vault)
  const signer = by ?? (await a.seat.keys.signers('log', state.roles.log))[0]
  const store = createMemoryLog()
  const parts = { origin: originOf(vault), store, keys: logKeys(state), clock: a.seat.clock }
  const trail = await openTrail(signer ? { ...parts, signer } : parts)
  const events: Bytes[] = []
  for await (const page of (await trailAt(a, vault)).entries({ to: keep }))
    for (const { entry } of page) events.push(eventOf(entry))
  const { size, root, checkpoint } = await trail.extend(0, [...events, ...others])
  return { store, end: { size, root: Buffer.from(root).toString('hex'), note: checkpoint as Bytes } }
}

const filesAt = (place: MemoryPlace, vault: ContentId) => new Map(place.logs.get(vault)?.files)

describe('a source that shows a trail', () => {
  test('with an entry changed is found out there, and nothing from there on is stored', async () => {
    const places = await withTrail(700, false)
    const { a, b, vault } = places
    const roots = await rootsAt(a, vault)
    const bundle = entriesPath(1)
    const tampered = altered(a, vault, (name, bytes) => {
      if (!name.startsWith(bundle)) return bytes
      const entries = [...decodeEntryBundle(bytes)]
      entries[44] = (entries[43] as Bytes).slice()
      return encodeEntryBundle(entries)
    })
    await expect(moveWith(showing(places, tampered))).rejects.toMatchObject({
      code: 'AUDIT_TAMPERED',
      details: { index: 256 + 44 },
    })
    const stored = [...filesAt(b, vault).keys()]
    expect(stored).toContain(entriesPath(0))
    expect(stored.filter((name) => name.startsWith('tile/entries/') && !name.startsWith(entriesPath(0)))).toEqual([])
    expect(stored).not.toContain('checkpoint')
    // With the true trail the same move ends.
    const { migration = '' } = (await unfinished(a)) ?? {}
    expectCertified(await resume(a, b, vault, migration))
    expect(await expectSound([a, b], vault, roots)).toBe(b)
  })

  test('with files of which some are missing is not taken', async () => {
    const places = await withTrail(300, false)
    const { a, b, vault } = places
    const log = a.logs.get(vault)
    const missing: LogReader = {
      read: async (name) => (name.startsWith('tile/entries/') ? undefined : await log?.read(name)),
    }
    expect(await codeOf(moveWith(showing(places, missing)))).toBe('AUDIT_MISSING')
    expect((await b.store.tenures.read(vault)).state).toBe('receiving')
    expect(filesAt(b, vault).size).toBe(0)
  })

  test('with more entries than are handed over is stopped before anything of it is read', async () => {
    const places = await withTrail(3, false)
    const { a, b, vault } = places
    const { store, end } = await rewritten(places, 3, [eventNamed('endless')])
    const asked: string[] = []
    const log: LogReader = {
      read: async (name) => {
        asked.push(name)
        return await store.read(name)
      },
    }
    const stopped = moveWith(showing(places, log, { ...end, size: end.size - 1 }))
    expect(await codeOf(stopped)).toBe('AUDIT_CHECKPOINT_INVALID')
    expect(asked).toEqual([])
    expect(filesAt(b, vault).size).toBe(0)
    expect((await b.store.tenures.read(vault)).state).toBe('receiving')
    const { migration = '' } = (await unfinished(a)) ?? {}
    await rollBack(a, b, vault, migration)
    expectCertified(await move(a, b, vault))
  })

  test('under a key that it has retired is not taken', async () => {
    const places = await withTrail(3, true)
    const { a, b, vault } = places
    const { events } = await keyStateAt(a.seat, vault)
    const [signer] = await a.seat.keys.signers('log', (events[0] as (typeof events)[0]).roles.log)
    const { store, end } = await rewritten(places, 3, [eventNamed('forged')], signer)
    const { size } = await trailAt(b, vault)
    expect(await codeOf(moveWith(showing(places, store, end)))).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
    expect((await trailAt(b, vault)).size).toBe(size)
  })

  test('without its last entries gets no ready from a target', async () => {
    const places = await withTrail(3, false)
    const { a, b, vault } = places
    const before = await trailAt(a, vault)
    const old = { size: before.size, root: Buffer.from(before.root).toString('hex'), note: before.checkpoint as Bytes }
    const log = a.logs.get(vault) as LogReader
    // The source's own seat signs nothing away that its log does not end with.
    expect(await codeOf(moveWith(showing(places, log, old)))).toBe('MIGRATION_CHANGED')
    expect(await activeAt([a, b], vault)).toEqual([a])
    const { migration = '' } = (await unfinished(a)) ?? {}
    await rollBack(a, b, vault, migration)
    expectCertified(await move(a, b, vault))
  })

  test('without entries that the target knows gets no ready', async () => {
    const places = await withTrail(3, true)
    const { b, vault } = places
    const { size: known } = await trailAt(b, vault)
    const { store, end } = await rewritten(places, known - 2, [])
    const files = filesAt(b, vault)
    expect(await codeOf(moveWith(showing(places, store, end)))).toBe('MIGRATION_CHANGED')
    expect(filesAt(b, vault)).toEqual(files)
    expect((await b.store.tenures.read(vault)).state).toBe('receiving')
  })

  test('whose known part was replaced, signed with the real key, is a fork', async () => {
    const places = await withTrail(3, true)
    const { a, b, vault } = places
    const { size: known } = await trailAt(b, vault)
    const others = Array.from({ length: 9 }, (_, i) => eventNamed(`other ${i}`))
    const { store, end } = await rewritten(places, known - 2, others)
    expect(end.size).toBeGreaterThan(known)
    const files = filesAt(b, vault)
    expect(await codeOf(moveWith(showing(places, store, end)))).toBe('AUDIT_FORK')
    expect(filesAt(b, vault)).toEqual(files)
    expect(await activeAt([a, b], vault)).toEqual([a])
    const { migration = '' } = (await unfinished(a)) ?? {}
    await rollBack(a, b, vault, migration)
    expect((await b.store.tenures.read(vault)).state).toBe('retired')
    expectCertified(await move(a, b, vault))
  })

  test('and gives the note of another log does not get it in', async () => {
    const places = await withTrail(3, false)
    const { store, end } = await rewritten(places, 1, [eventNamed('other')])
    const log = places.a.logs.get(places.vault) as LogReader
    expect(await codeOf(moveWith(showing(places, log, end)))).toMatch(/^AUDIT_(TAMPERED|MISSING)$/)
    expect(filesAt(places.b, places.vault).has('checkpoint')).toBe(false)
    // Nor with files that fit to the note: the source's own seat does not sign them away.
    const other = await withTrail(3, false)
    expect(await codeOf(moveWith(showing(other, store, end)))).toMatch(/^MIGRATION_CHANGED$|^AUDIT_/)
    expect(await activeAt([other.a, other.b], other.vault)).toEqual([other.a])
  })
})

describe('a source whose key events', () => {
  test('are others than the target knows is refused', async () => {
    const { a, b, vault } = await withTrail(1, true)
    const [inception, , latest] = (await a.store.tenures.keyEvents(vault)) as [Bytes, Bytes, Bytes]
    const old = await scene(1)
    const history = await keyStateAt(old.a.seat, old.vault)
    const identity = await old.a.seat.keys.signers('identity', history.roles.identity)
    const draft = { history, why: 'rotate', roles: history.roles, at: old.a.seat.clock() } as const
    const rotated = encodeEnvelope(await createKeyEvent(draft, identity))
    const plan = vault
    const known = await b.store.tenures.keyEvents(vault)
    for (const keyEvents of [[inception], [inception, rotated]]) {
      const offer = { vault, keyEvents, migration: '1'.repeat(32), plan, epoch: 9, driver: 1, keys: 'new' } as const
      expect(await codeOf(seatTarget(b.seat).accept(offer))).toBe('MIGRATION_HANDOFF_REFUSED')
    }
    const broken = [inception, latest]
    const offer = {
      vault,
      keyEvents: broken,
      migration: '1'.repeat(32),
      plan,
      epoch: 9,
      driver: 1,
      keys: 'new',
    } as const
    expect(await codeOf(seatTarget(b.seat).accept(offer))).toBe('KEY_EVENT_INVALID')
    expect(await codeOf(seatTarget(b.seat).accept({ ...offer, keyEvents: known, epoch: 1 }))).toBe('MIGRATION_EPOCH')
    expect(await b.store.tenures.keyEvents(vault)).toEqual(known)
    expect(await activeAt([a, b], vault)).toEqual([a])
  })
})
