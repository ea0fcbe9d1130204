import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { readLiveMove } from '../../src/move/live/live-record.ts'
import type { LiveTerms } from '../../src/move/live/live-terms.ts'
import { movedTo } from '../../src/move/live/moved-to.ts'
import { readWriterNotice } from '../../src/move/live/writer-notice.ts'
import type { MoveEvent } from '../../src/move/move-event.ts'
import { moveVault, resumeMove } from '../../src/move/move-vault.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { Fate } from './crash.ts'
import { activeAt, crashes, ended, expectSound, partsOf, rollBack, unfinished } from './moving.ts'
import type { Scene } from './processes.ts'
import { codeOf, expectCertified, rootsAt, scene } from './processes.ts'
import { put } from './seats.ts'

/** Time that goes on by a millisecond whenever it is asked, so that a pause lasts as long as it has steps. */
function quickClock(step = 1): () => Date {
  let now = Date.UTC(2026, 0, 1)
  return () => {
    now += step
    return new Date(now)
  }
}

function liveParts({ a, b, vault }: Scene, live: LiveTerms, fate?: Fate, clock = quickClock()): MoveParts {
  return { ...partsOf(a, b, vault, fate), clock, live, address: '/places/b' }
}

async function planned(parts: MoveParts, { a }: Scene) {
  return await planMigration(parts, { handoff: { keys: 'new' }, random: a.seat.random })
}

/** Runs to the end, and writes after each event of a kind. */
async function moveWriting(
  places: Scene,
  live: LiveTerms,
  write: (event: MoveEvent) => Promise<unknown>,
  { clock = quickClock(), elapsed }: { readonly clock?: () => Date; readonly elapsed?: () => number } = {},
) {
  const parts = { ...liveParts(places, live, undefined, clock), ...(elapsed && { elapsed }) }
  const plan = await planned(parts, places)
  async function* events(): AsyncGenerator<MoveEvent> {
    for await (const event of moveVault(plan, parts)) {
      // A writer that finds the vault quiesced waits.
      if ((await places.a.store.tenures.read(places.vault)).state === 'active') await write(event)
      yield event
    }
  }
  return { plan, state: await ended(events()) }
}

describe('a live move', () => {
  test('follows what is written, and says what it took', async () => {
    const places = await scene(3)
    const { a, b, vault } = places
    let rounds = 0
    const { plan, state } = await moveWriting(
      places,
      { maxPauseMs: 500, threshold: 0, goalPauseMs: 1 },
      async (event) => {
        if (event.type === 'batch' || (event.type === 'round' && ++rounds < 4)) {
          await put(
            a,
            vault,
            [rawBlock(`during ${event.type} ${rounds} ${Math.random()}`)],
            `during-${rounds}-${event.type}`,
          )
        }
      },
    )
    expectCertified(state)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
    const record = await readLiveMove(a.store.records, plan.migration_id)
    expect(record?.rounds.length).toBeGreaterThan(2)
    expect(record?.rounds.every(({ walked }) => !walked)).toBe(true)
    expect(record?.rounds.some(({ dirty }) => dirty > 0)).toBe(true)
    expect(record?.pauseMs).toBeGreaterThan(0)
    expect(record?.pauseMs).toBeLessThanOrEqual(500)
    const tenure = await a.store.tenures.read(vault)
    expect(await movedTo(a.store.records, tenure)).toMatchObject({
      label: 'B',
      instance: b.seat.instance,
      address: '/places/b',
      epoch: 1,
      arrived: true,
    })
  })

  test.each(['throttle', 'raise', 'abort'] as const)('that never catches up: %s', async (diverging) => {
    const places = await scene(3)
    const { a, b, vault } = places
    const delays = new Set<number>()
    let n = 0
    const write = async (event: MoveEvent) => {
      if (event.type !== 'batch' && event.type !== 'round') return
      delays.add((await readWriterNotice(a.store.records, vault))?.delayMs ?? 0)
      const blocks = Array.from({ length: 40 }, () => rawBlock(`write ${n++}`))
      await put(a, vault, blocks, `write-${n}`)
    }
    // Every round takes longer than a pause may.
    const terms = { maxPauseMs: 8, goalPauseMs: 2, threshold: 1, diverging }
    let now = 0
    const elapsed = () => (now += 30)
    expect(await codeOf(moveWriting(places, terms, write, { clock: quickClock(10), elapsed }))).toBe(
      'MIGRATION_DIVERGING',
    )
    expect(await activeAt([a, b], vault)).toEqual([a])
    expect(delays.has(4)).toBe(diverging === 'throttle')
    expect(Math.max(...delays)).toBeLessThanOrEqual(4)
    expect((await readWriterNotice(a.store.records, vault))?.delayMs).toBe(0)
    const { migration = '' } = (await unfinished(a)) ?? {}
    // Nobody writes any more, and there is more time.
    const parts = liveParts(places, { maxPauseMs: 5_000 })
    expectCertified(await ended(resumeMove(migration, parts)))
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
  })

  test('compares both sides where the feed does not reach back', async () => {
    const places = await scene(3)
    const { a, b, vault } = places
    const parts = liveParts(places, { maxPauseMs: 5_000 })
    const { soup } = parts.source
    let asked = 0
    let read = 0
    const source = {
      ...parts.source,
      soup: {
        ...soup,
        // As one that forgets the rest while its first page is read.
        async *changes(after: number, options?: object) {
          const isFirst = asked++ === 0
          for await (const page of soup.changes(after, options)) {
            yield isFirst ? page.slice(0, 1) : page
            if (!isFirst) continue
            read++
            yield* soup.changes(after + 1_000_000, options)
          }
        },
      },
    }
    const plan = await planned(parts, places)
    async function* writing(): AsyncGenerator<MoveEvent> {
      for await (const event of moveVault(plan, { ...parts, source })) {
        if (event.type === 'step' && event.step.effect === 'verify') {
          for (const name of ['late', 'later']) await put(a, vault, [rawBlock(name)], name)
        }
        yield event
      }
    }
    expectCertified(await ended(writing()))
    expect(read).toBe(1)
    const record = await readLiveMove(a.store.records, plan.migration_id)
    expect(record?.rounds[0]?.walked).toBe(true)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
  })
})

describe('a live move, killed at every durable operation', () => {
  async function run(places: Scene, fate?: Fate): Promise<void> {
    const { a, vault } = places
    let n = 0
    const parts = liveParts(
      places,
      { maxPauseMs: 5_000, goalPauseMs: 1, threshold: 0, maxRounds: 3, diverging: 'raise' },
      fate,
    )
    const plan = await planned(parts, places)
    for await (const event of moveVault(plan, parts)) {
      if (event.type !== 'batch' && event.type !== 'round') continue
      if (n++ < 3) await put(a, vault, [rawBlock(`write ${n}`)], `write-${n}`)
    }
  }

  const cases = [
    ['resume', 'process'],
    ['roll back', 'process'],
    ['resume', 'power'],
  ] as const
  test.each(cases)('survives: %s, without %s', { timeout: 300_000 }, async (recovery, end) => {
    const fate = new Fate(undefined, 'before', end)
    await run(await scene(), fate)
    let points = 0
    let written = 0
    for (let at = 0; at < fate.count; at++) {
      for (const when of ['before', 'after'] as const) {
        const places = await scene()
        const { a, b, vault } = places
        const where = `killed ${when} operation ${at}, ${fate.operations[at]}`
        expect(await crashes(() => run(places, new Fate(at, when, end))), where).toBe(true)
        expect((await activeAt([a, b], vault)).length, where).toBeLessThanOrEqual(1)
        const state = await unfinished(a)
        points++
        if (state === undefined) continue
        const { migration } = state
        // Before the signature whoever comes can open the source, and writers go on.
        if ((await a.store.tenures.read(vault)).state === 'quiesced' && at % 2 === 0) {
          expect((await partsOf(a, b, vault).source.reopen(migration, undefined)).state, where).toBe('active')
        }
        if ((await a.store.tenures.read(vault)).state === 'active') {
          await put(a, vault, [rawBlock(`after the crash ${at}`)], 'after')
          written++
        }
        const roots = await rootsAt(a, vault)
        const back = recovery === 'roll back' && !['handoff-signed', 'activated'].includes(state.phase)
        try {
          const parts = { ...liveParts(places, {}) }
          const { live: _, ...kept } = parts
          const end = back ? await rollBack(a, b, vault, migration) : await ended(resumeMove(migration, kept))
          const expected = end.phase === 'rolled-back' ? a : b
          expect(await expectSound([a, b], vault, roots), where).toBe(expected)
        } catch (error) {
          throw new Error(where, { cause: error })
        }
      }
    }
    console.info(`${points} points`)
    expect(points).toBeGreaterThan(150)
    expect(written).toBeGreaterThan(points / 2)
  })
})
