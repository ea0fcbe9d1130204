import type { AbortOptions, ContentId } from '@vault/core'
import { createMemorySoupStore } from '@vault/soup'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import type { EffectName } from '../../src/move/effect.ts'
import { LiveLog, readLiveMove } from '../../src/move/live/live-record.ts'
import { PauseTime } from '../../src/move/live/pause-time.ts'
import { NOTICE_HOLDS, readWriterNotice } from '../../src/move/live/writer-notice.ts'
import type { MoveSource, MoveTarget } from '../../src/move/move-endpoint.ts'
import type { MoveEvent } from '../../src/move/move-event.ts'
import { moveVault, resumeMove } from '../../src/move/move-vault.ts'
import type { MoveParts, Work } from '../../src/move/work.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { ended, expectSound, partsOf, rollBack } from './moving.ts'
import { codeOf, expectCertified, rootsAt, type Scene, scene } from './processes.ts'
import { put } from './seats.ts'

const HOUR = 3_600_000

/** A wall clock that can be set, and one that only goes on, by a millisecond whenever it is asked. */
function clocks() {
  let wall = Date.UTC(2026, 0, 1)
  let monotonic = 0
  return {
    clock: () => new Date(++wall),
    elapsed: () => ++monotonic,
    set: (by: number) => {
      wall += by
    },
    pass: (ms: number) => {
      wall += ms
      monotonic += ms
    },
  }
}

type Clocks = ReturnType<typeof clocks>

function liveParts({ a, b, vault }: Scene, { clock, elapsed }: Clocks, maxPauseMs = 500): MoveParts {
  return { ...partsOf(a, b, vault), clock, elapsed, live: { maxPauseMs }, address: '/places/b' }
}

async function planned(parts: MoveParts, { a }: Scene) {
  return await planMigration(parts, { handoff: { keys: 'new' }, random: a.seat.random })
}

async function* before(effect: EffectName, events: AsyncIterable<MoveEvent>, act: () => unknown) {
  for await (const event of events) {
    if (event.type === 'step' && event.step.effect === effect) await act()
    yield event
  }
}

test('a pause that takes too long is given up again and again, and the source takes changes', async () => {
  const places = await scene(3)
  const { a, b, vault } = places
  const time = clocks()
  const parts = liveParts(places, time, 20)
  let quiesced = 0
  const source: MoveSource = {
    ...parts.source,
    async quiesce(migration, options) {
      quiesced++
      await parts.source.quiesce(migration, options)
      // Everything is slow from here on.
      time.pass(30)
    },
  }
  const plan = await planned(parts, places)
  expect(await codeOf(ended(moveVault(plan, { ...parts, source })))).toBe('MIGRATION_PAUSE_EXCEEDED')
  expect(quiesced).toBe(6)
  const record = await readLiveMove(a.store.records, plan.migration_id)
  expect(record).toMatchObject({ overruns: 6, pauseMs: null })
  expect(record?.longestPauseMs).toBeGreaterThan(30)
  expect((await a.store.tenures.read(vault)).state).toBe('active')
  await put(a, vault, [rawBlock('later')], 'later')
  expect((await rollBack(a, b, vault, plan.migration_id)).phase).toBe('rolled-back')
  expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(a)
})

test('writers are told again while a round takes longer than what they were told holds', async () => {
  const places = await scene(3)
  const { a, vault } = places
  const parts = liveParts(places, clocks())
  const soup = parts.source.soup
  const told = async () => (await readWriterNotice(a.store.records, vault))?.until
  let before: number | undefined
  let isCatchingUp = false
  let waited = 0
  // Comparing the roots ends when they have been told once more.
  const view: typeof soup.view = async (read, options) => {
    const until = await told()
    if (isCatchingUp && waited === 0 && until !== before) {
      waited++
      for (let looks = 0; (await told()) === until; looks++) {
        if (looks > 200) throw new Error('they were not told again')
        await new Promise((done) => setTimeout(done, 50))
      }
    }
    return await soup.view(read, options)
  }
  const source = { ...parts.source, soup: { ...soup, view } }
  const plan = await planned(parts, places)
  let rounds = 0
  for await (const event of moveVault(plan, { ...parts, source })) {
    if (event.type === 'step' && event.step.effect === 'catch-up') {
      before = await told()
      isCatchingUp = true
    }
    if (event.type === 'round') rounds++
  }
  expect(waited).toBe(1)
  expect(rounds).toBe(1)
})

test('what a pause took that was given up, the estimate of the next one learns from', async () => {
  const places = await scene(3)
  const time = clocks()
  const parts = liveParts(places, time, 500)
  const estimates: { readonly quiesced: number; readonly estimateMs: number }[] = []
  let quiesced = 0
  const source: MoveSource = {
    ...parts.source,
    async quiesce(migration, options) {
      await parts.source.quiesce(migration, options)
      if (quiesced++ === 0) time.pass(700)
    },
  }
  for await (const event of moveVault(await planned(parts, places), { ...parts, source })) {
    if (event.type === 'round') estimates.push({ quiesced, estimateMs: event.round.estimateMs })
  }
  const [before] = estimates.filter((each) => each.quiesced === 0)
  const [after] = estimates.filter((each) => each.quiesced === 1)
  expect(before?.estimateMs).toBeLessThan(100)
  // Half-way to the 500 ms after which it was given up.
  expect(after?.estimateMs).toBeGreaterThan(220)
  expect(after?.estimateMs).toBeLessThan(400)
})

test('no roots are compared behind a round while what is left could not be sent in a pause', async () => {
  const places = await scene(3)
  const time = clocks()
  const parts = liveParts(places, time)
  const compared: number[] = []
  let [views, catchesUp] = [0, false]
  const { soup } = parts.source
  const source: MoveSource = {
    ...parts.source,
    soup: {
      ...soup,
      // While a round sends what it has found.
      async charged(ids, options) {
        if (catchesUp && compared.length < 2) {
          time.pass(1_000)
          const key = `written in round ${compared.length}`
          await put(places.a, places.vault, [rawBlock(key)], key)
        }
        return await soup.charged(ids, options)
      },
      async view(read, options) {
        views++
        return await soup.view(read, options)
      },
    },
  }
  for await (const event of moveVault(await planned(parts, places), { ...parts, source })) {
    if (event.type === 'step' && event.step.effect === 'verify')
      await put(places.a, places.vault, [rawBlock('first')], 'first')
    if (event.type === 'step') catchesUp = event.step.effect === 'catch-up'
    if (event.type === 'round') compared.push(views)
    if (event.type === 'step' || event.type === 'round') views = 0
  }
  // What the source holds is looked at once, when a round begins.
  expect(compared.slice(0, 2)).toEqual([1, 1])
  expect(compared.at(-1)).toBe(2)
})

test('writers are slowed down within a round in which more comes than it deals with', async () => {
  const places = await scene(3)
  const { a, vault } = places
  const time = clocks()
  const parts = liveParts(places, time)
  const throttles: number[] = []
  let catchesUp = false
  const { soup } = parts.source
  const source: MoveSource = {
    ...parts.source,
    soup: {
      ...soup,
      // While the first round sends what it has found.
      async charged(ids, options) {
        if (catchesUp && throttles.length === 0) {
          for (let i = 0; i < 5; i++) await put(a, vault, [rawBlock(`meanwhile ${i}`)], `meanwhile ${i}`)
          time.pass(4_000)
        }
        return await soup.charged(ids, options)
      },
    },
  }
  const events = moveVault(await planned(parts, places), { ...parts, source })
  for await (const event of before('verify', events, () => put(a, vault, [rawBlock('first')], 'first'))) {
    if (event.type === 'step') catchesUp = event.step.effect === 'catch-up'
    if (event.type === 'round') throttles.push(event.round.throttleMs)
  }
  expect(throttles[0]).toBe(250)
})

test('nor do they wait for that until a round says something, which may take longer than what they were told holds', async () => {
  const places = await scene(3)
  const { a, vault } = places
  const time = clocks()
  const parts = liveParts(places, time)
  const { soup } = parts.source
  const told = async () => (await readWriterNotice(a.store.records, vault))?.until
  const throttles: number[] = []
  let first: number | undefined
  let [catchesUp, waited] = [false, false]
  const view: typeof soup.view = async (read, options) => {
    const until = await told()
    if (catchesUp && !waited && until !== first) {
      waited = true
      for (let i = 0; i < 5; i++) await put(a, vault, [rawBlock(`meanwhile ${i}`)], `meanwhile ${i}`)
      time.pass(4_000)
      await expect.poll(told, { timeout: 10_000 }).not.toBe(until)
    }
    return await soup.view(read, options)
  }
  const source: MoveSource = { ...parts.source, soup: { ...soup, view } }
  const events = moveVault(await planned(parts, places), { ...parts, source })
  for await (const event of before('verify', events, () => put(a, vault, [rawBlock('first')], 'first'))) {
    if (event.type === 'step' && event.step.effect === 'catch-up') {
      first = await told()
      catchesUp = true
    }
    if (event.type === 'round') throttles.push(event.round.throttleMs)
  }
  expect(throttles[0]).toBe(250)
})

test('behind a pause that was given up, writers are slowed down half as much as before it', async () => {
  const places = await scene(3)
  const time = clocks()
  // Each round is followed by a measure, until the delay is half of what a pause may take.
  const live = { maxPauseMs: 500, goalPauseMs: 1, threshold: 0, maxRounds: 1 }
  const parts = { ...liveParts(places, time), live }
  const rounds: { readonly quiesced: number; readonly throttleMs: number }[] = []
  let [quiesced, written] = [0, 0]
  const feed: MoveSource['soup']['feed'] = async (options) => {
    time.pass(10)
    // Something is left behind each round, until nobody can be slowed down any more.
    if (quiesced === 0 && rounds.at(-1)?.throttleMs !== 250) {
      const key = `written ${written++}`
      await put(places.a, places.vault, [rawBlock(key)], key)
    }
    return await parts.source.soup.feed(options)
  }
  const source: MoveSource = {
    ...parts.source,
    soup: { ...parts.source.soup, feed },
    async quiesce(migration, options) {
      await parts.source.quiesce(migration, options)
      if (quiesced++ === 0) time.pass(700)
    },
  }
  for await (const event of moveVault(await planned(parts, places), { ...parts, source })) {
    if (event.type === 'round') rounds.push({ quiesced, throttleMs: event.round.throttleMs })
  }
  expect(rounds[0]?.throttleMs).toBe(0)
  expect(rounds.findLast((each) => each.quiesced === 0)?.throttleMs).toBe(250)
  expect(rounds.find((each) => each.quiesced === 1)?.throttleMs).toBe(125)
})

test.each(['open', 'receiveTrail', 'prepare'] as const)(
  'a target that hangs in "%s" keeps nobody waiting for longer than that',
  { timeout: 60_000 },
  async (call) => {
    const places = await scene(3)
    const { a, b, vault } = places
    const parts = { ...liveParts(places, clocks(), 1_500), elapsed: () => performance.now() }
    let hangs = false
    const hang = async (options?: AbortOptions) => {
      if (!hangs) return
      hangs = false
      await new Promise((_, reject) => {
        // As a client does whose connection breaks when it is aborted.
        options?.signal?.addEventListener('abort', () => reject(new Error('connection closed')))
      })
    }
    const target: MoveTarget = {
      ...parts.target,
      async [call](request: never, options?: AbortOptions) {
        await hang(options)
        return (await parts.target[call](request, options)) as never
      },
    }
    let times = 0
    const plan = await planned(parts, places)
    const events = before('copy-rest', moveVault(plan, { ...parts, target }), () => {
      hangs = times++ === 0
    })
    expectCertified(await ended(events))
    const record = await readLiveMove(a.store.records, plan.migration_id)
    expect(record?.overruns).toBeGreaterThanOrEqual(1)
    expect(record?.longestPauseMs).toBeGreaterThanOrEqual(1_350)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
  },
)

test('the log of the source is written out once in a pause', async () => {
  const places = await scene(3)
  const parts = liveParts(places, clocks())
  let times = 0
  const source: MoveSource = {
    ...parts.source,
    async freeze(...call) {
      times++
      return await parts.source.freeze(...call)
    },
  }
  expectCertified(await ended(moveVault(await planned(parts, places), { ...parts, source })))
  expect(times).toBe(1)
})

test('in a pause no batch and no block is asked for again that was seen before it', async () => {
  const places = await scene(3)
  const parts = liveParts(places, clocks())
  const asked: number[] = []
  const held: ContentId[] = []
  const target: MoveTarget = {
    ...parts.target,
    async batches(request, options) {
      asked.push(request.after)
      return await parts.target.batches(request, options)
    },
    async open(...call) {
      const opened = await parts.target.open(...call)
      const holds: typeof opened.soup.holds = async (ids, options) => {
        held.push(...ids)
        return await opened.soup.holds(ids, options)
      }
      return { ...opened, soup: { ...opened.soup, holds } }
    },
  }
  let known = 0
  const moved = before('quiesce', moveVault(await planned(parts, places), { ...parts, target }), () => {
    known = asked.length
  })
  expectCertified(await ended(moved))
  expect(known).toBeGreaterThan(0)
  expect(asked.slice(known).every((after) => after > 0)).toBe(true)
  expect(held.length).toBeGreaterThan(0)
  expect(held).toEqual([...new Set(held)])
})

test('rounds of catching up are not measured by a wall clock that is set', async () => {
  const places = await scene(3)
  const time = clocks()
  const clock = () => {
    time.set(HOUR)
    return time.clock()
  }
  const parts: MoveParts = { ...liveParts(places, { ...time, clock }), live: { maxPauseMs: 500, diverging: 'abort' } }
  const plan = await planned(parts, places)
  expectCertified(await ended(moveVault(plan, parts)))
  const record = await readLiveMove(places.a.store.records, plan.migration_id)
  for (const { ms } of record?.rounds ?? []) expect(ms).toBeLessThan(500)
})

describe('a wall clock that is set while the vault is quiesced', () => {
  test.each([-HOUR, HOUR])('by %d ms does not count', async (by) => {
    const places = await scene(3)
    const time = clocks()
    const parts = liveParts(places, time)
    const plan = await planned(parts, places)
    const events = before('account', moveVault(plan, parts), () => {
      time.pass(200)
      time.set(by)
    })
    expectCertified(await ended(events))
    const record = await readLiveMove(places.a.store.records, plan.migration_id)
    expect(record?.overruns).toBe(0)
    expect(record?.pauseMs).toBeGreaterThan(200)
    expect(record?.pauseMs).toBeLessThan(500)
    expect(record?.longestPauseMs).toBe(record?.pauseMs)
  })

  test('is all that a run has which goes on with the pause of another: back is too long', async () => {
    const places = await scene(3)
    const time = clocks()
    const migration = await killed(places, time)
    time.set(-HOUR)
    expectCertified(await ended(resumeMove(migration, liveParts(places, time))))
    const record = await readLiveMove(places.a.store.records, migration)
    expect(record?.overruns).toBe(1)
    expect(record?.quiescedAt).toBeLessThan(Date.UTC(2026, 0, 1))
  })
})

/** The id of a move whose process died when it had quiesced the source. */
async function killed(places: Scene, time: Clocks): Promise<string> {
  const parts = liveParts(places, time)
  const dead = async () => {
    throw new Error('killed')
  }
  const source: MoveSource = {
    ...parts.source,
    reopen: (...call) => (isDead ? dead() : parts.source.reopen(...call)),
    async quiesce(...call) {
      await parts.source.quiesce(...call)
      isDead = true
      await dead()
    },
  }
  let isDead = false
  const plan = await planned(parts, places)
  await expect(ended(moveVault(plan, { ...parts, source }))).rejects.toThrow('killed')
  expect((await places.a.store.tenures.read(places.vault)).state).toBe('quiesced')
  return plan.migration_id
}

test('a pause began when a process that was killed began it', async () => {
  const places = await scene(3)
  const time = clocks()
  const migration = await killed(places, time)
  time.set(HOUR)
  expectCertified(await ended(resumeMove(migration, liveParts(places, time))))
  const record = await readLiveMove(places.a.store.records, migration)
  // Given up at once, and made again.
  expect(record?.overruns).toBe(1)
  expect(record?.longestPauseMs).toBeGreaterThanOrEqual(HOUR)
  expect(record?.pauseMs).toBeLessThan(500)
})

test('a run that was overtaken takes nothing back that the new one has told writers', async () => {
  const places = await scene(3)
  const { a, b, vault } = places
  const time = clocks()
  const parts = liveParts(places, time)
  const plan = await planned(parts, places)
  const { soup } = parts.source
  const other = resumeMove(plan.migration_id, { ...partsOf(a, b, vault), clock: time.clock, elapsed: time.elapsed })
  let first = true
  async function* standing(...call: Parameters<typeof soup.changes>) {
    if (first) {
      first = false
      for (let at: string | undefined; at !== 'account'; ) {
        const { value } = await other.next()
        at = value?.type === 'step' ? value.step.effect : undefined
      }
    }
    yield* soup.changes(...call)
  }
  const source = { ...parts.source, soup: { ...soup, changes: standing } }
  expect(await codeOf(ended(moveVault(plan, { ...parts, source })))).toBe('MIGRATION_SUPERSEDED')
  expect(await readWriterNotice(a.store.records, vault)).toMatchObject({ waitMs: 1_500 })
  expect((await a.store.tenures.read(vault)).state).toBe('quiesced')
  expectCertified(await ended(other))
  expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
})

test('what writers are told holds for as long as a round lasts', async () => {
  const places = await scene(3)
  const { a, vault } = places
  const time = clocks()
  const parts = { ...liveParts(places, time), live: { maxPauseMs: 600_000, threshold: 1_000 } }
  const plan = await planned(parts, places)
  let seen = 0
  let isCatchingUp = false
  for await (const event of moveVault(plan, parts)) {
    if (event.type === 'step') isCatchingUp = event.step.effect === 'catch-up'
    if (event.type === 'step' && isCatchingUp) {
      for (let i = 0; i < 4; i++) await put(a, vault, [rawBlock(`late ${i}`)], `late-${i}`)
    }
    if (!isCatchingUp || event.type === 'step' || event.type === 'round') continue
    seen++
    const until = (await readWriterNotice(a.store.records, vault))?.until ?? 0
    expect(until).toBeGreaterThan(time.clock().getTime())
    time.pass(NOTICE_HOLDS * 0.6)
  }
  expect(seen).toBeGreaterThan(2)
})

test('a pause is shorter by what writers waited before their changes in the last round', async () => {
  const { records } = createMemorySoupStore()
  const migration = 'm'
  await LiveLog.settle(records, migration, { maxPauseMs: 500 })
  const live = (await LiveLog.open(records, migration)) as LiveLog
  const round = { dirty: 1, left: 1, ms: 1, changes: 1, changesLeft: 1, estimateMs: 1, goalMs: 50, walked: false }
  await live.write({ quiescedAt: 1_000, rounds: [{ ...round, throttleMs: 300 }] })
  const deadlineAt = (ms: number) => {
    const work = {
      parts: { source: { records } },
      state: { migration },
      clock: () => new Date(1_000 + ms),
      options: {},
    }
    return new PauseTime(() => 0).deadline(work as unknown as Work)
  }
  const inTime = await deadlineAt(180)
  inTime?.clear()
  expect(inTime?.signal.aborted).toBe(false)
  await expect(deadlineAt(181)).rejects.toMatchObject({
    code: 'MIGRATION_PAUSE_EXCEEDED',
    details: { ms: 481, max: 500 },
  })
})
