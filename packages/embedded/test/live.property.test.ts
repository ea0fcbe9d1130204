import { setTimeout as sleep } from 'node:timers/promises'
import { contentId, isVaultError, utf8 } from '@vault/core'
import type { LiveTerms, MoveParts, MoveState } from '@vault/migration'
import { moveVault, planMigration, resumeMove, verifyCertificate } from '@vault/migration'
import { decodeEntry } from '@vault/soup'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner, type Vault } from '../src/index.ts'
import { scratch } from './scratch.ts'

const WRITERS = 3
const NAMES = 4
const CONTENTS = 6

/** What a writer does, again and again in a circle, until the vault has moved. */
interface Action {
  readonly do: 'put' | 'remove'
  readonly name: number
  /** Few contents: what was removed is put again. */
  readonly content: number
  /** By how many milliseconds the clock is set on, or back, before it. */
  readonly step: number
  readonly rest: number
}

interface Course {
  readonly writers: readonly (readonly Action[])[]
  readonly live: LiveTerms
}

const action: fc.Arbitrary<Action> = fc.record({
  do: fc.constantFrom('put', 'put', 'remove'),
  name: fc.nat(NAMES - 1),
  content: fc.nat(CONTENTS - 1),
  step: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.constantFrom(-3_600_000, -50, 50, 400, 3_600_000)),
  rest: fc.nat(6),
})
// One who never puts has nothing to remove, and never learns that the vault has moved.
const actions = fc
  .array(action, { minLength: 3, maxLength: 20 })
  .filter((each) => each.some(({ do: what }) => what === 'put'))
const course: fc.Arbitrary<Course> = fc.record({
  writers: fc.array(actions, { minLength: WRITERS, maxLength: WRITERS }),
  live: fc.record({
    maxPauseMs: fc.constantFrom(300, 2_000, 60_000),
    threshold: fc.constantFrom(0, 4, 100),
    maxRounds: fc.constantFrom(2, 20),
    diverging: fc.constantFrom('throttle', 'raise', 'abort'),
  }),
})

/** Time that is set by hand now and then. */
class SteppedClock {
  #offset = 0
  readonly now = (): Date => new Date(Date.now() + this.#offset)
  step(ms: number): void {
    this.#offset += ms
  }
}

/** What one writer has been told is done: its names, its objects, and the keys of its changes. */
interface Reference {
  readonly names: Map<string, string>
  readonly acknowledged: string[]
  end?: string
}

async function write(
  dir: string,
  writer: number,
  actions: readonly Action[],
  { clock, ended }: { readonly clock: SteppedClock; readonly ended: AbortSignal },
): Promise<Reference> {
  await using vault = await openVault(dir, { clock: clock.now })
  const reference: Reference = { names: new Map(), acknowledged: [] }
  for (let n = 0; !ended.aborted; n++) {
    const each = actions[n % actions.length] as Action
    clock.step(each.step)
    const key = `${writer}-${n}`
    const name = `path:${writer}/${each.name}`
    try {
      if (each.do === 'put') await put(vault, { key, name, text: `${writer} wrote ${each.content}` }, reference)
      else await remove(vault, { key, name }, reference)
    } catch (error) {
      if (!isVaultError(error)) throw error
      if (error.code === 'VAULT_MOVED') return { ...reference, end: error.code }
      // It waited for as long as it was asked to; nothing was changed.
      if (error.code !== 'VAULT_READ_ONLY' && error.code !== 'SOUP_BUSY') throw error
    }
    await sleep(each.rest)
  }
  return reference
}

async function put(
  vault: Vault,
  { key, name, text }: { readonly key: string; readonly name: string; readonly text: string },
  { names, acknowledged }: Reference,
): Promise<void> {
  const bytes = utf8(text)
  const id = contentId(bytes)
  const segments: string[] = []
  for await (const ack of vault.place.objects.putMany([[{ id, bytes }]])) segments.push(ack.segment)
  const before = names.get(name)
  const release = before !== undefined && before !== id && uses(names, before) === 1 ? [before as typeof id] : []
  await vault.commit(
    {
      objects: { add: [{ id, size: bytes.length, links: [] }], release },
      entries: { put: [{ key: name, type: 'path', object: id, fields: {} }] },
      expect: { segments },
    },
    { key },
  )
  names.set(name, id)
  acknowledged.push(key)
}

async function remove(
  vault: Vault,
  { key, name }: { readonly key: string; readonly name: string },
  { names, acknowledged }: Reference,
): Promise<void> {
  const id = names.get(name)
  if (id === undefined) return
  const release = uses(names, id) === 1 ? [id as ReturnType<typeof contentId>] : []
  await vault.commit({ objects: { release }, entries: { remove: [name] } }, { key })
  names.delete(name)
  acknowledged.push(key)
}

function uses(names: ReadonlyMap<string, string>, id: string): number {
  return [...names.values()].filter((other) => other === id).length
}

/** Moves, on the terms that are given and then on patient ones. */
async function moveAway(vault: Vault, b: string, live: LiveTerms, clock: SteppedClock): Promise<MoveState> {
  await using target = await openMoveTarget(b, { clock: clock.now })
  const source = await moveSourceOf(vault, { clock: clock.now })
  const parts: MoveParts = { source, target, authorize: owner, clock: clock.now, address: b, live }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  let events = moveVault(plan, parts)
  for (let tries = 0; tries < 20; tries++) {
    try {
      for await (const event of events) if (event.type === 'moved') return event.state
    } catch (error) {
      if (!isVaultError(error, 'MIGRATION_DIVERGING') && !isVaultError(error, 'MIGRATION_PAUSE_EXCEEDED')) throw error
      // Whoever stops keeps nobody waiting.
      expect((await vault.soup.tenure()).state).toBe('active')
      events = resumeMove(plan.migration_id, { ...parts, live: { maxPauseMs: 600_000, diverging: 'raise' } })
    }
  }
  throw new Error('it never ended')
}

async function play({ writers, live }: Course): Promise<void> {
  await using space = await scratch()
  const [a, b] = [space.at('a'), space.at('b')]
  const clock = new SteppedClock()
  await createVault(a, { passphrase: undefined, clock: clock.now })
  await using vault = await openVault(a, { clock: clock.now })
  const ending = new AbortController()
  const writing = writers.map((actions, i) => write(a, i, actions, { clock, ended: ending.signal }))
  const moving = moveAway(vault, b, live, clock)
  // Where it fails they would write for ever.
  await Promise.race([moving, Promise.all(writing)]).catch(() => ending.abort())
  await moving.catch(() => ending.abort())
  const references = await Promise.all(writing)
  const state = await moving
  expect(state.phase).toBe('complete')
  expect(verifyCertificate(state.certificate as Uint8Array, { trust: { vaults: [vault.id] } }).trusted).toBe(true)
  await using there = await openVault(b)
  const expected = new Map(references.flatMap(({ names }) => [...names]))
  const rows = await there.soup.entriesAfter({ limit: 1_000 })
  const found = rows.map(({ bytes }) => decodeEntry(bytes)).filter(({ key }) => key.startsWith('path:'))
  expect(new Map(found.map(({ key, object }) => [key, object]))).toEqual(expected)
  expect((await there.roots()).counts.objects).toBe(new Set(expected.values()).size)
  for (const id of expected.values()) expect(await there.get(id as ReturnType<typeof contentId>)).toBeDefined()
  // The trail has what was acknowledged once, in the order of each writer, and nothing else of theirs.
  const keys: string[] = []
  const trail = await there.log.read()
  for await (const page of trail.entries()) for (const { entry } of page) keys.push(entry.key)
  for (const [writer, { acknowledged, end }] of references.entries()) {
    expect(end).toBe('VAULT_MOVED')
    expect(keys.filter((key) => key.startsWith(`${writer}-`))).toEqual(acknowledged)
  }
  expect(new Set(keys).size).toBe(keys.length)
}

/** Quick by default; `VAULT_FUZZ_RUNS=1000` for a campaign. Writers are as fast as the machine, so a seed gives the same actions and not the same order. */
const RUNS = Number(process.env.VAULT_FUZZ_RUNS ?? 3)

test(
  'whatever three writers do while a vault moves, it is there once, and so is its trail',
  async () => {
    await fc.assert(fc.asyncProperty(course, play), { numRuns: RUNS, endOnFailure: true })
  },
  RUNS * 60_000,
)
