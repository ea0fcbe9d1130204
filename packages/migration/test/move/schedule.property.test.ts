import type { ContentId } from '@vault/core'
import { isVaultError, toHex } from '@vault/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { listMoves } from '../../src/move/journal.ts'
import type { MoveState } from '../../src/move/state.ts'
import { Crash, Fate } from './crash.ts'
import { activeAt, move, resume, rollBack } from './moving.ts'
import { expectCertified } from './processes.ts'
import type { MemoryPlace } from './seats.ts'
import { found, memoryPlace, put, testClock, trailAt } from './seats.ts'

type Action =
  | { readonly do: 'write'; readonly n: number }
  | { readonly do: 'move' | 'resume' | 'roll back'; readonly to: number; readonly crash: number | null }

/** Durable operations of a move are some 60. */
const crash = fc.option(fc.nat(70), { freq: 3, nil: null })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), n: fc.nat(6) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('move' as const), to: fc.nat(2), crash }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('resume', 'roll back'), to: fc.nat(2), crash }) },
)

/** What an action may be refused with: there is nothing to do, or another thing to do first. Everything else is a defect. */
const REFUSALS =
  /^MIGRATION_(SOURCE_REFUSED|TARGET_REFUSED|UNFINISHED|COMPLETE|TARGET_ADVANCED|DECLINED|EPOCH)$|^SOUP_NOT_ACTIVE$/

interface World {
  readonly places: readonly MemoryPlace[]
  readonly vault: ContentId
  /** The path that was written last under each name. */
  readonly model: Map<string, string>
  /** Where each move that was begun goes. */
  readonly targets: Map<string, MemoryPlace>
  writes: number
}

async function begin(): Promise<World> {
  const clock = testClock()
  const places = ['A', 'B', 'C'].map((label, i) => memoryPlace(label, i + 1, clock))
  return { places, vault: await found(places[0] as MemoryPlace), model: new Map(), targets: new Map(), writes: 0 }
}

async function unfinishedMoves({ places }: World) {
  const moves: { readonly place: MemoryPlace; readonly state: MoveState }[] = []
  for (const place of places)
    for (const state of await listMoves(place.store.records)) if (state.next !== null) moves.push({ place, state })
  return moves
}

async function apply(world: World, step: Action): Promise<void> {
  const { places, vault, model } = world
  const [active] = await activeAt(places, vault)
  if (step.do === 'write') {
    if (active === undefined) return
    const block = rawBlock(`write ${world.writes++}`)
    await put(active, vault, [block], `${step.n}`)
    model.set(`path:${step.n}-0`, block.id)
    return
  }
  const fate = new Fate(step.crash ?? undefined, 'after')
  if (step.do === 'move') {
    const to = places[step.to] as MemoryPlace
    if (active === undefined || active === to) return
    const before = new Set((await listMoves(active.store.records)).map(({ migration }) => migration))
    await tried(move(active, to, vault, fate))
    for (const { migration } of await listMoves(active.store.records))
      if (!before.has(migration)) world.targets.set(migration, to)
    return
  }
  const moves = await unfinishedMoves(world)
  const chosen = moves[step.to % Math.max(1, moves.length)]
  if (chosen !== undefined) await tried(goOn(world, chosen, step.do, fate))
}

function goOn(
  { vault, targets }: World,
  { place, state }: { readonly place: MemoryPlace; readonly state: MoveState },
  how: 'resume' | 'roll back',
  fate?: Fate,
): Promise<MoveState> {
  const to = targets.get(state.migration) as MemoryPlace
  return (how === 'resume' ? resume : rollBack)(place, to, vault, state.migration, fate)
}

async function tried(work: Promise<MoveState>): Promise<void> {
  try {
    const state = await work
    if (state.phase === 'complete' && state.certificate !== null) expectCertified(state)
  } catch (error) {
    const refused = isVaultError(error) && REFUSALS.test(error.code)
    if (!refused && !(error instanceof Crash)) throw error
  }
}

async function check(world: World): Promise<void> {
  const { places, vault, model } = world
  const active = await activeAt(places, vault)
  expect(active.length).toBeLessThanOrEqual(1)
  const moves = await unfinishedMoves(world)
  if (moves.length === 0) expect(active).toHaveLength(1)
  const [place] = active
  if (place === undefined) return
  const soup = place.store.soup(vault)
  const rows = await soup.entriesAfter({ limit: 1_000 })
  expect(rows).toHaveLength(model.size)
  for (const [name, id] of model) {
    expect((await soup.entry(name))?.object).toBe(id)
    expect(await place.objects.has(id as ContentId)).toBe(true)
  }
  const trail = await trailAt(place, vault)
  expect(trail.size).toBe((await place.store.tenures.read(vault)).events)
  const keys: string[] = []
  for await (const page of trail.entries()) for (const { entry } of page) keys.push(entry.key)
  expect(new Set(keys).size).toBe(keys.length)
  for (const other of places) {
    if (other === place || (await other.store.tenures.read(vault)).state !== 'retired') continue
    const { size, root } = await trailAt(other, vault)
    expect(size).toBeLessThanOrEqual(trail.size)
    expect(toHex(await trail.rootAt(size))).toBe(toHex(root))
  }
}

/** Everything can be brought to an end, by going on, or by going back where that is refused. */
async function finish(world: World): Promise<void> {
  for (let tries = 0; tries < 12; tries++) {
    const moves = await unfinishedMoves(world)
    if (moves.length === 0) return
    for (const each of moves) {
      await tried(goOn(world, each, 'resume'))
      const now = (await unfinishedMoves(world)).find(({ state }) => state.migration === each.state.migration)
      if (now !== undefined) await tried(goOn(world, now, 'roll back'))
    }
  }
  expect((await unfinishedMoves(world)).map(({ state }) => [state.migration, state.phase, state.next])).toEqual([])
}

async function play(actions: readonly Action[]): Promise<void> {
  const world = await begin()
  for (const each of actions) {
    await apply(world, each)
    await check(world)
  }
  await finish(world)
  await check(world)
  expect(await activeAt(world.places, world.vault)).toHaveLength(1)
}

/** Quick by default; `VAULT_FUZZ_RUNS=10000` for a campaign. */
const RUNS = Number(process.env.VAULT_FUZZ_RUNS ?? 12)

test(
  'whatever happens: one active place at most, its content the last that was written, one trail',
  async () => {
    await fc.assert(fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 14 }), play), { numRuns: RUNS })
  },
  24 * 3600 * 1000,
)
