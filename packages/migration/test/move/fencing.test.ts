import type { ContentId } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { STEPS } from '../../src/move/effect.ts'
import { listMoves, readMove } from '../../src/move/journal.ts'
import { moveVault } from '../../src/move/move-vault.ts'
import { seatSource } from '../../src/move/seat-source.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import { decodePlan } from '../../src/parse-plan.ts'
import { planId } from '../../src/plan.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { runMigration } from '../../src/run-migration.ts'
import { soupStoreTarget } from '../../src/store-endpoint.ts'
import { Fate, seatOf } from './crash.ts'
import { activeAt, expectSound, move, partsOf, resume, rollBack, unfinished } from './moving.ts'
import type { Scene } from './processes.ts'
import { codeOf, expectCertified, moveWith, rootsAt, scene, stopAt } from './processes.ts'
import type { MemoryPlace } from './seats.ts'
import { found, memoryPlace, put, trailAt } from './seats.ts'

const EFFECTS = STEPS.map(({ effect }) => effect)

async function verbsAt(place: MemoryPlace, vault: ContentId): Promise<readonly string[]> {
  const verbs: string[] = []
  for await (const page of (await trailAt(place, vault)).entries())
    for (const { entry } of page) verbs.push(entry.action.verb)
  return verbs
}

describe('a process that stops before a step', () => {
  test.each(EFFECTS)('%s, while another one goes on to the end, does nothing more', async (effect) => {
    const { a, b, vault } = await scene(1)
    const roots = await rootsAt(a, vault)
    const stopped = await stopAt(effect, { a, b, vault })
    expectCertified(await resume(a, b, vault, stopped.migration))
    const verbs = await verbsAt(b, vault)
    expect(await codeOf(stopped.goOn())).toBe('MIGRATION_SUPERSEDED')
    expect(await expectSound([a, b], vault, roots)).toBe(b)
    expect(await verbsAt(b, vault)).toEqual(verbs)
    expectCertified(await stopped.state())
  })

  test.each(EFFECTS.slice(0, EFFECTS.indexOf('route')))(
    '%s, while another one takes the move back, does nothing more',
    async (effect) => {
      const { a, b, vault } = await scene(1)
      const roots = await rootsAt(a, vault)
      const stopped = await stopAt(effect, { a, b, vault })
      expect((await rollBack(a, b, vault, stopped.migration)).phase).toBe('rolled-back')
      const verbs = await verbsAt(a, vault)
      expect(await codeOf(stopped.goOn())).toBe('MIGRATION_SUPERSEDED')
      expect(await expectSound([a, b], vault, roots)).toBe(a)
      expect(await verbsAt(a, vault)).toEqual(verbs)
      expect((await b.store.tenures.read(vault)).state).toBe('none')
      expect((await stopped.state()).phase).toBe('rolled-back')
    },
  )
})

/** Seats of a process that waits in the middle of a step: before one of its durable operations, once. */
function waiting({ a, b, vault }: Scene, name: RegExp, meanwhile: () => Promise<unknown>): Scene {
  let waited = false
  const fate = new Fate()
  const { perform } = fate
  fate.perform = async (operation, work) => {
    if (!waited && name.test(operation)) {
      waited = true
      await meanwhile()
    }
    return (await perform.call(fate, operation, work)) as never
  }
  const at = (place: MemoryPlace): MemoryPlace => ({ ...place, seat: seatOf(place, fate) })
  return { a: at(a), b: at(b), vault }
}

const OPERATIONS = [
  /B: record acceptance/,
  /B: tenure none → receiving/,
  /A: commit/,
  /B: receive/,
  /A: tenure active → quiesced/,
  /B: record key-event/,
  /B: log head/,
  /B: tenure receiving → prepared/,
  /A: tenure quiesced → retired/,
  /B: tenure prepared → active/,
]

/** A log that has gone on under new keys is one that the process cannot trust. */
const HONEST =
  /^(MIGRATION_(SUPERSEDED|(SOURCE|TARGET)_REFUSED|CHANGED|DECLINED)|SOUP_(TENURE|CONFLICT|NOT_ACTIVE)|AUDIT_CHECKPOINT_UNTRUSTED)$/

describe('a process that waits in the middle of a step', () => {
  test.each(OPERATIONS)('at %s, while another one goes on to the end', async (name) => {
    const places = await scene(1)
    const { a, b, vault } = places
    const roots = await rootsAt(a, vault)
    const slow = waiting(places, name, async () => {
      const { migration = '' } = (await unfinished(a)) ?? {}
      expectCertified(await resume(a, b, vault, migration))
    })
    expect(await codeOf(move(slow.a, slow.b, vault))).toMatch(HONEST)
    expect(await expectSound([a, b], vault, roots)).toBe(b)
    expect(await unfinished(a)).toBeUndefined()
  })

  test.each(OPERATIONS)('at %s, while another one takes the move back', async (name) => {
    const places = await scene(1)
    const { a, b, vault } = places
    const roots = await rootsAt(a, vault)
    const slow = waiting(places, name, async () => {
      const { migration = '' } = (await unfinished(a)) ?? {}
      expect((await rollBack(a, b, vault, migration)).phase).toBe('rolled-back')
    })
    expect(await codeOf(move(slow.a, slow.b, vault))).toMatch(HONEST)
    expect(await expectSound([a, b], vault, roots)).toBe(a)
    expect(await unfinished(a)).toBeUndefined()
    // It is as free as it was.
    expectCertified(await move(a, b, vault))
  })
})

test('a migration of one vault is none of another one at the same target, which keeps what it has of it', async () => {
  const places = await scene(1)
  const { a, b, vault } = places
  const stopped = await stopAt('activate', places)
  const { migration } = stopped
  const c = memoryPlace('C', 3)
  const other = await found(c)
  const target = seatTarget(b.seat)
  const epoch = 0
  const offer = { plan: planId(decodePlan((await stopped.state()).plan)), keys: 'new', epoch, driver: 1 } as const
  const keyEvents = await c.store.tenures.keyEvents(other)
  const asked = [
    target.accept({ vault: other, migration, keyEvents, ...offer }),
    target.endorse({ vault: other, migration, keyEvent: Uint8Array.of(0) }),
    target.decline({ vault: other, migration }),
    target.conclude({ ...(await stopped.state()), vault: other }),
  ]
  for (const each of asked) expect(await codeOf(each)).toBe('MIGRATION_RECORD_FOREIGN')
  expect((await b.store.tenures.read(other)).state).toBe('none')
  expectCertified(await stopped.goOn())
  expect(await activeAt([a, b], vault)).toEqual([b])
})

test.each(['active', 'ended'] as const)(
  'another vault that is %s at the target by then stops a move before anything is signed',
  async (state) => {
    const places = await scene(1)
    const { a, b, vault } = places
    const stopped = await stopAt('prepare', places)
    const other = await found(b)
    if (state === 'active') await put(b, other, [rawBlock('mine')])
    else await b.store.tenures.transition(other, { state: 'active', epoch: 0 }, { state, epoch: 0 })
    expect(await codeOf(stopped.goOn())).toBe('MIGRATION_TARGET_NOT_EMPTY')
    expect((await stopped.state()).handoff).toBe(null)
    expect((await rollBack(a, b, vault, stopped.migration)).phase).toBe('rolled-back')
    expect(await activeAt([a], vault)).toEqual([a])
  },
)

describe('two moves of one vault at once', () => {
  test('one of them gets it, the other one is refused and can be taken back', async () => {
    const { a, b, vault } = await scene(1)
    const c = memoryPlace('C', 3, a.seat.clock)
    const roots = await rootsAt(a, vault)
    // Both have found no unfinished move when they begin.
    const first = await stopAt('accept', { a, b, vault })
    const { records } = a.store
    const blind = { ...a, seat: { ...a.seat, store: { ...a.store, records: { ...records, list: async () => [] } } } }
    const second = await stopAt('quiesce', { a: blind, b: c, vault })
    expectCertified(await first.goOn())
    expect(await codeOf(second.goOn())).toMatch(/^MIGRATION_SOURCE_REFUSED$|^SOUP_NOT_ACTIVE$/)
    expect(await expectSound([a, b], vault, roots)).toBe(b)
    expect(await codeOf(resume(a, c, vault, second.migration))).toBe('MIGRATION_SOURCE_REFUSED')
    expect((await rollBack(a, c, vault, second.migration)).phase).toBe('rolled-back')
    expect(await expectSound([a, b, c], vault, roots)).toBe(b)
    expect((await c.store.tenures.read(vault)).state).toBe('none')
    expect(await unfinished(a)).toBeUndefined()
  })

  test.each(['quiesce', 'copy-rest', 'account', 'sign'] as const)(
    'whichever was at %s first: when it is taken back the other one goes on',
    async (effect) => {
      const { a, b, vault } = await scene(1)
      const c = memoryPlace('C', 3, a.seat.clock)
      const roots = await rootsAt(a, vault)
      const first = await stopAt('accept', { a, b, vault })
      const { records } = a.store
      const blind = { ...a, seat: { ...a.seat, store: { ...a.store, records: { ...records, list: async () => [] } } } }
      const second = await stopAt(effect, { a: blind, b: c, vault })
      const refused = await codeOf(first.goOn())
      if (effect === 'quiesce') expect(refused).toBeUndefined()
      else {
        expect(refused).toMatch(/^MIGRATION_SOURCE_REFUSED$|^SOUP_/)
        await rollBack(a, c, vault, second.migration)
        expectCertified(await resume(a, b, vault, first.migration))
      }
      expect(await expectSound([a, b, c], vault, roots)).toBe(b)
    },
  )
})

describe('a vault that has gone', () => {
  test('takes no change of a writer that read its tenure before', async () => {
    const { a, b, vault } = await scene(1)
    const soup = a.store.soup(vault)
    const { epoch } = await soup.tenure()
    const write = (name: string) =>
      soup.commit({ epoch, entries: { put: [{ key: `path:${name}`, type: 'path', fields: {} }] } })
    const tried: (string | undefined)[] = []
    const state = await moveWith(partsOf(a, b, vault), async (step) => {
      if (['copy-rest', 'sign', 'activate', 'conclude'].includes(step)) tried.push(await codeOf(write(step)))
    })
    tried.push(await codeOf(write('after')))
    expect(tried).toEqual(Array(5).fill('SOUP_NOT_ACTIVE'))
    expectCertified(state)
    // Back again it is active here, and the writer still is one of another time.
    await move(b, a, vault)
    expect(await codeOf(write('later'))).toBe('SOUP_EPOCH')
  })

  test('does not move from where it was, nor from a copy, nor to where it is', async () => {
    const { a, b, vault } = await scene(1)
    const [c, d] = [memoryPlace('C', 3, a.seat.clock), memoryPlace('D', 4, a.seat.clock)]
    const parts = partsOf(a, d, vault)
    const planned = await planMigration(parts, { handoff: { keys: 'new' }, random: a.seat.random })
    await move(a, b, vault)
    const standing = async (place: MemoryPlace) => [
      await place.store.tenures.read(vault),
      await rootsAt(place, vault),
      await listMoves(place.store.records),
    ]
    const before = await Promise.all([a, b, c, d].map(standing))
    expect(await codeOf(move(a, c, vault))).toBe('MIGRATION_SOURCE_REFUSED')
    // Nor by a plan that was made when it was there.
    expect(await codeOf(moveVault(planned, parts).next())).toBe('MIGRATION_SOURCE_REFUSED')
    expect(await codeOf(move(b, b, vault))).toBe('MIGRATION_TARGET_REFUSED')
    expect(await Promise.all([a, b, c, d].map(standing))).toEqual(before)

    // A copy of it.
    const { source, authorize } = partsOf(b, c, vault)
    const copying = { source, authorize, target: soupStoreTarget({ label: 'C', objects: c.objects, store: c.store }) }
    for await (const _ of runMigration(await planMigration(copying), copying));
    expect((await c.store.tenures.read(vault)).state).toBe('replica')
    expect(await codeOf(move(c, d, vault))).toBe('MIGRATION_SOURCE_REFUSED')
    expect((await d.store.tenures.read(vault)).state).toBe('none')
    expect(await activeAt([a, b, c, d], vault)).toEqual([b])
    // A copy can become the place.
    expectCertified(await move(b, c, vault))
  })

  test('is not signed away twice', async () => {
    const { a, b, vault } = await scene(1)
    const state = await move(a, b, vault)
    const source = seatSource(a.seat, vault)
    expect(await source.signedHandoff(state.migration)).toEqual(state.handoff)
    expect(await codeOf(source.reopen(state.migration, undefined))).toBe('MIGRATION_HANDED_OFF')
    expect(await codeOf(source.quiesce('0'.repeat(32)))).toBe('MIGRATION_SOURCE_REFUSED')
    await put(b, vault, [rawBlock('later')], 'later')
    expect(await activeAt([a, b], vault)).toEqual([b])
    expect((await readMove(a.store.records, state.migration))?.next).toBe(null)
  })
})
