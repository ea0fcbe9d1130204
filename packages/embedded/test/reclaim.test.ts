import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import type { Block } from '@vault/cas'
import { contentId, utf8, VaultError } from '@vault/core'
import { moveVault, planMigration, rollBackMove } from '@vault/migration'
import { createMemorySoupStore, type Reclaim, type SoupStore } from '@vault/soup'
import { type FsCas, openFsCas } from '@vault/store-fs'
import { evacuate, type ReclaimedPlace, type ReclaimReport, reclaimSpace } from '@vault/transfer'
import { describe, expect, test } from 'vitest'
import { diagnose, moveSourceOf, openMoveTarget, openVault, owner, reclaimFolder } from '../src/index.ts'
import { filledVault, scratch } from './scratch.ts'

const VAULT = contentId(utf8('vault'))
const NONE = { state: 'none', epoch: 0 } as const
const ACTIVE = { state: 'active', epoch: 0 } as const

function block(text: string): Block {
  const bytes = utf8(text.repeat(100))
  return { id: contentId(bytes), bytes }
}

interface TestPlace extends AsyncDisposable {
  readonly objects: FsCas
  readonly soups: SoupStore
  readonly reclaim: Reclaim
  /** Stores these in a segment of their own and brings them under charge; gives the segment. */
  add(...texts: readonly string[]): Promise<string>
  /** The same in a segment of this writer, which goes on. */
  addThrough(writer: FsCas, ...texts: readonly string[]): Promise<string>
  release(...texts: readonly string[]): Promise<void>
}

async function placeAt(dir: string): Promise<TestPlace> {
  const soups = createMemorySoupStore()
  await soups.tenures.transition(VAULT, NONE, ACTIVE)
  const { reclaim } = soups
  const isCondemned = async (segment: string) => (await reclaim.condemned([segment])).length > 0
  const objects = await openFsCas({ dir, mode: 'write', isCondemned })
  return {
    objects,
    soups,
    reclaim,
    async add(this: TestPlace, ...texts) {
      await using writer = await openFsCas({ dir, mode: 'write' })
      return await this.addThrough(writer, ...texts)
    },
    async addThrough(writer, ...texts) {
      const blocks = texts.map(block)
      const [ack] = await Array.fromAsync(writer.putMany([blocks]))
      const add = blocks.map(({ id, bytes }) => ({ id, size: bytes.length, links: [] }))
      await soups.soup(VAULT).commit({ epoch: 0, objects: { add } })
      return ack?.segment as string
    },
    async release(...texts) {
      await soups.soup(VAULT).commit({ epoch: 0, objects: { release: texts.map((text) => block(text).id) } })
    },
    [Symbol.asyncDispose]: () => objects[Symbol.asyncDispose](),
  }
}

async function reclaimed(place: ReclaimedPlace, options?: Parameters<typeof reclaimSpace>[1]): Promise<ReclaimReport> {
  for await (const event of reclaimSpace(place, options)) if (event.type === 'report') return event
  throw new Error('no report')
}

const segmentsOf = async ({ objects }: TestPlace) => (await objects.segments()).map(({ segment }) => segment).sort()

describe('reclaimSpace', () => {
  test('takes what is wholly unused, and rewrites only where the share that may stay is passed', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const dead = await place.add('a', 'b')
    const half = await place.add('c', 'd')
    const full = await place.add('e', 'f')
    await place.release('a', 'b', 'c')
    const before = await segmentsOf(place)
    expect(await reclaimed(place, { dryRun: true })).toMatchObject({ segments: 2, objects: 3, copied: { objects: 1 } })
    expect(await segmentsOf(place)).toEqual(before)
    expect(await place.reclaim.condemned(before)).toEqual([])

    expect(await reclaimed(place, { maxUnused: 0.5 })).toMatchObject({
      segments: 1,
      objects: 2,
      copied: { objects: 0 },
    })
    expect(await segmentsOf(place)).toEqual([half, full].sort())
    const report = await reclaimed(place)
    expect(report).toMatchObject({ segments: 1, objects: 1, copied: { objects: 1 }, kept: { segments: 1, unused: 0 } })
    expect(await segmentsOf(place)).not.toContain(half)
    expect(await segmentsOf(place)).toContain(full)
    expect(await place.reclaim.condemned([dead, half, full])).toEqual([dead, half])
    for (const text of ['d', 'e', 'f']) expect(await place.objects.get(block(text).id)).toEqual(block(text).bytes)
    expect(await place.objects.get(block('c').id)).toBeUndefined()
    expect((await Array.fromAsync(place.objects.scrub())).flatMap(({ findings }) => findings)).toEqual([])
  })

  test('says on a full disk how much room it needs to go on, with what is wholly unused gone already', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const dead = await place.add('a', 'b')
    const half = await place.add('c', 'd')
    await place.release('a', 'b', 'c')
    const full = new VaultError({ code: 'CAS_WRITE_FAILED', message: 'full', details: { errno: 'ENOSPC' } })
    const objects = new Proxy(place.objects, {
      get(store, name) {
        if (name === 'putMany') throw full
        const part: unknown = Reflect.get(store, name)
        return typeof part === 'function' ? part.bind(store) : part
      },
    })
    const refused = await reclaimed({ ...place, objects }).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: 'CAS_WRITE_FAILED',
      message: expect.stringContaining('Make that room'),
      details: { errno: 'ENOSPC', segment: half },
      cause: full,
    })
    const { details } = refused as VaultError
    expect(details.room).toBeGreaterThanOrEqual(100)
    expect(details.room).toBeLessThan(400)
    expect(await segmentsOf(place)).not.toContain(dead)
    expect(await place.objects.get(block('d').id)).toEqual(block('d').bytes)
  })

  test('refuses before it writes where the disk has too little room, with what costs none gone already', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const dead = await place.add('a', 'b')
    const half = await place.add('c', 'd')
    await place.release('a', 'b', 'c')
    const files = async () => (await readdir(space.at('objects'))).filter((name) => name.endsWith('.pack'))
    const refused = await reclaimed({ ...place, freeBytes: async () => 99 }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'CAS_WRITE_FAILED', details: { errno: 'ENOSPC', segment: half } })
    const { room } = (refused as VaultError).details
    expect(room).toBeGreaterThanOrEqual(100)
    expect(await files()).toEqual([`${half}.pack`])
    expect(await segmentsOf(place)).not.toContain(dead)
    expect(await reclaimed({ ...place, freeBytes: async () => Number(room) })).toMatchObject({ segments: 1 })
    expect(await place.objects.get(block('d').id)).toEqual(block('d').bytes)
  })

  test('keeps a segment with the last copy, damaged, of what is needed, and says so', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const segment = await place.add('needed', 'other')
    await place.release('other')
    const path = space.at('objects', `${segment}.pack`)
    const bytes = await readFile(path)
    const at = bytes.indexOf('neededneeded')
    bytes[at] = (bytes[at] as number) ^ 1
    await writeFile(path, bytes)
    const report = await reclaimed(place, { maxUnused: 0 })
    expect(report).toMatchObject({ segments: 0, findings: [{ code: 'TRANSFER_SOURCE_DAMAGED', subject: segment }] })
    expect(await segmentsOf(place)).toContain(segment)
  })

  test('keeps a segment whose end is not whole where something needed is found nowhere else: it may be rotten, not torn', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    // Held by a process that died: nothing seals its segment any more.
    const dead = await openFsCas({ dir: space.at(), mode: 'write' })
    const segment = await place.addThrough(dead, 'first', 'second')
    const path = space.at('objects', `${segment}.pack`)
    const bytes = await readFile(path)
    const at = bytes.indexOf('firstfirst')
    bytes[at] = (bytes[at] as number) ^ 1
    await writeFile(path, bytes)
    const kept = { segments: 1, unfinished: { segments: 1, bytes: bytes.length } }
    const findings = [{ code: 'TRANSFER_SOURCE_DAMAGED', subject: segment }]
    expect(await reclaimed(place, { maxUnused: 0 })).toMatchObject({ segments: 0, kept, findings })
    expect(await reclaimed(place, { maxUnused: 0 })).toMatchObject({ segments: 0, kept, findings })
    expect(await readFile(path)).toEqual(bytes)
    // Stored again from another place: now nothing that is needed can lie there alone.
    await Array.fromAsync(place.objects.putMany([['first', 'second'].map(block)]))
    expect(await reclaimed(place, { maxUnused: 0 })).toMatchObject({
      segments: 1,
      kept: { unfinished: { segments: 0 } },
    })
    expect(await segmentsOf(place)).not.toContain(segment)
    await dead[Symbol.asyncDispose]()
  })

  test('takes a segment whose last write was never finished, and stores again what was finished and is needed', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const dead = await openFsCas({ dir: space.at(), mode: 'write' })
    const segment = await place.addThrough(dead, 'first', 'second')
    await place.release('second')
    const path = space.at('objects', `${segment}.pack`)
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(1000, 1)]))
    const before = await segmentsOf(place)
    expect(await reclaimed(place, { dryRun: true })).toMatchObject({ segments: 1, objects: 1, copied: { objects: 1 } })
    expect(await segmentsOf(place)).toEqual(before)
    expect(await reclaimed(place)).toMatchObject({
      segments: 1,
      objects: 1,
      copied: { objects: 1 },
      kept: { segments: 0, unfinished: { segments: 0, bytes: 0 } },
      findings: [],
    })
    expect(await segmentsOf(place)).not.toContain(segment)
    expect(await place.objects.get(block('first').id)).toEqual(block('first').bytes)
    await dead[Symbol.asyncDispose]()
  })

  test('an object in several segments is needed in one of them, the longest', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const short = await place.add('a', 'b')
    const long = await place.add('a', 'b', 'c', 'd')
    const other = await place.add('a', 'e', 'f')
    expect(await reclaimed(place, { dryRun: true, maxUnused: 0 })).toMatchObject({ segments: 2, objects: 3 })
    expect(await reclaimed(place)).toMatchObject({ segments: 2, objects: 3, copied: { objects: 2 } })
    expect(await segmentsOf(place)).toContain(long)
    expect(await segmentsOf(place)).toHaveLength(2)
    for (const segment of [short, other]) expect(await segmentsOf(place)).not.toContain(segment)
    for (const text of 'abcdef') expect(await place.objects.get(block(text).id)).toEqual(block(text).bytes)
    expect(await reclaimed(place)).toMatchObject({ segments: 0, kept: { unused: 0 } })
  })

  test('an object that lies twice in one segment is needed there once', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    await place.add('a', 'b')
    await place.add('c', 'c', 'c', 'd')
    expect(await reclaimed(place, { maxUnused: 0 })).toMatchObject({ segments: 1, objects: 2, copied: { objects: 2 } })
    for (const text of 'abcd') expect(await place.objects.get(block(text).id)).toEqual(block(text).bytes)
  })

  test('stores again what lies elsewhere too where the other copy is damaged', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    await place.add('needed')
    const long = await place.add('needed', 'other')
    const path = space.at('objects', `${long}.pack`)
    const bytes = await readFile(path)
    const at = bytes.indexOf('neededneeded')
    bytes[at] = (bytes[at] as number) ^ 1
    await writeFile(path, bytes)
    expect(await reclaimed(place)).toMatchObject({ segments: 1, copied: { objects: 1 }, findings: [] })
    expect(await place.objects.get(block('needed').id)).toEqual(block('needed').bytes)
  })

  test('stores again what lies elsewhere too where another reclaim is about to take that away', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const [one, two] = [await place.add('a'), await place.add('a', 'b')]
    await place.reclaim.condemn([one])
    expect(await evacuate(place, one)).toMatchObject({ copied: 0, left: 1 })
    await place.reclaim.condemn([two])
    expect(await evacuate(place, one)).toMatchObject({ copied: 1, left: 0 })
  })

  test('keeps an unfinished segment that another reclaim relied on for what it is about to take away', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const dead = await openFsCas({ dir: space.at(), mode: 'write' })
    const blocks = ['first', 'second'].map(block)
    const [ack] = await Array.fromAsync(dead.putMany([blocks]))
    const unfinished = ack?.segment as string
    expect(await place.objects.has(block('second').id)).toBe(true)
    const twice = await place.add('second', 'third')
    // Of its last write nothing counts any more, but this index knows where the sound part of it lies.
    const path = space.at('objects', `${unfinished}.pack`)
    const bytes = await readFile(path)
    const at = bytes.indexOf('firstfirst')
    bytes[at] = (bytes[at] as number) ^ 1
    await writeFile(path, bytes)
    let isOther = true
    const condemn: Reclaim['condemn'] = async (segments, options) => {
      if (isOther) {
        isOther = false
        await place.reclaim.condemn([twice])
        expect(await evacuate(place, twice)).toMatchObject({ copied: 1, left: 1, lost: [] })
      }
      await place.reclaim.condemn(segments, options)
    }
    const report = await reclaimed({ ...place, reclaim: { ...place.reclaim, condemn } })
    expect(report.findings).toMatchObject([{ code: 'TRANSFER_SOURCE_DAMAGED', subject: unfinished }])
    await place.objects.removeSegments([twice])
    expect(await place.objects.get(block('second').id)).toEqual(block('second').bytes)
    await dead[Symbol.asyncDispose]()
  })

  test('what lies in two segments is stored again once where both go, and only when the second does', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const short = await place.add('a')
    const long = await place.add('a', 'b', 'c', 'd')
    await place.release('b', 'c', 'd')
    const order: string[] = []
    const condemn: Reclaim['condemn'] = async (segments, options) => {
      order.push(...segments)
      expect(await segmentsOf(place)).toEqual(order.length === 1 ? [short, long].sort() : [long])
      await place.reclaim.condemn(segments, options)
    }
    const report = await reclaimed({ ...place, reclaim: { ...place.reclaim, condemn } })
    expect(report).toMatchObject({ segments: 2, copied: { objects: 1 } })
    expect(order).toEqual([short, long])
    expect(await place.objects.get(block('a').id)).toEqual(block('a').bytes)
  })

  test('removes what it has stored again, also where it cannot go on', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const first = await place.add('a', 'b')
    const second = await place.add('c', 'd', 'e', 'f')
    await place.release('a', 'c')
    const stop = new AbortController()
    const objects = new Proxy(place.objects, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (name !== 'contents') return typeof value === 'function' ? value.bind(target) : value
        return async function* (segment: string) {
          if (segment === second && (await place.reclaim.condemned([segment])).length > 0) {
            stop.abort(new Error('stopped'))
            stop.signal.throwIfAborted()
          }
          yield* target.contents(segment)
        }
      },
    })
    const options = { maxUnused: 0, signal: stop.signal }
    await expect(reclaimed({ ...place, objects }, options)).rejects.toThrow('stopped')
    expect(await segmentsOf(place)).not.toContain(first)
    expect(await place.objects.get(block('b').id)).toEqual(block('b').bytes)
  })

  test('goes on where another one was stopped after it had condemned', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const segment = await place.add('a')
    await place.reclaim.condemn([segment])
    expect(await reclaimed(place)).toMatchObject({ segments: 1, objects: 0, copied: { objects: 1 } })
    expect(await place.objects.get(block('a').id)).toEqual(block('a').bytes)
  })

  test('stores again what lies in a segment that another reclaim has condemned meanwhile', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    const segment = await place.add('a')
    await place.reclaim.condemn([segment])
    let asked = 0
    const reclaim: Reclaim = {
      ...place.reclaim,
      async condemned(segments) {
        if (segments.length > 0 && asked++ === 0) await place.reclaim.condemn(segments)
        return await place.reclaim.condemned(segments)
      },
    }
    const before = await segmentsOf(place)
    expect(await evacuate({ objects: place.objects, reclaim }, segment)).toMatchObject({ copied: 1, lost: [] })
    const added = (await segmentsOf(place)).filter((name) => !before.includes(name))
    expect(added).toHaveLength(2)
    expect(await place.reclaim.condemned(added)).toHaveLength(1)
  })

  test('refuses what is no share', async () => {
    await using space = await scratch()
    await using place = await placeAt(space.at())
    for (const maxUnused of [-0.1, 1.1, Number.NaN]) {
      await expect(reclaimed(place, { maxUnused })).rejects.toBeInstanceOf(RangeError)
    }
  })
})

describe('a vault that is reclaimed', () => {
  test('a put in a session whose segment was condemned goes into another one', async () => {
    await using space = await scratch()
    await filledVault(space.at('vault'))
    await using writer = await openVault(space.at('vault'))
    const first = await writer.put(utf8('before'))
    {
      await using other = await openVault(space.at('vault'))
      await Array.fromAsync(other.reclaim({ maxUnused: 0 }))
      const { segments } = { segments: await other.place.objects.segments() }
      await other.place.soups.reclaim.condemn(segments.map(({ segment }) => segment))
    }
    const second = await writer.put(utf8('after'))
    await using other = await openVault(space.at('vault'))
    await Array.fromAsync(other.reclaim({ maxUnused: 0 }))
    for (const [id, text] of [[first, 'before'] as const, [second, 'after'] as const]) {
      expect(await other.get(id)).toEqual(utf8(text))
    }
    expect(await readdir(space.at('vault', 'objects'))).toEqual(
      expect.arrayContaining([expect.stringMatching(/pack$/)]),
    )
  })

  test('is left as it is where a row of what is needed is damaged', async () => {
    await using space = await scratch()
    await filledVault(space.at('vault'))
    await using vault = await openVault(space.at('vault'))
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(space.at('vault', 'soup.sqlite'))
    db.exec('DELETE FROM members WHERE key = (SELECT min(key) FROM members)')
    db.close()
    const before = await readdir(space.at('vault', 'objects'))
    await expect(Array.fromAsync(vault.reclaim({ maxUnused: 0 }))).rejects.toMatchObject({ code: 'SOUP_CORRUPT' })
    expect(await readdir(space.at('vault', 'objects'))).toEqual(before)
  })
})

/** A vault, and a place to which it was copied by a move that was taken back. */
async function givenUp(a: string, b: string): Promise<void> {
  await filledVault(a)
  await using vault = await openVault(a)
  await using target = await openMoveTarget(b)
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  for await (const event of moveVault(plan, parts)) {
    if (event.type === 'step' && event.step.effect === 'quiesce') break
  }
  for await (const _ of rollBackMove(plan.migration_id, parts));
}

/** Moves the vault of `a` to `b`. */
async function moved(a: string, b: string): Promise<void> {
  await using vault = await openVault(a)
  await using target = await openMoveTarget(b)
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  for await (const _ of moveVault(await planMigration(parts, { handoff: { keys: 'new' } }), parts));
}

test('what a migration brought into a place and has given up is freed there, where no vault is', async () => {
  await using space = await scratch()
  const [a, b] = [space.at('a'), space.at('b')]
  await givenUp(a, b)
  const said = async () => (await diagnose(b)).checks.find(({ name }) => name === 'tenure')
  expect(await said()).toMatchObject({ ok: true, message: expect.stringContaining('vaultctl reclaim') })
  const reclaimed = async (options: { readonly dryRun?: boolean }) =>
    (await Array.fromAsync(reclaimFolder(b, () => openVault(b), options))).at(-1)
  const planned = await reclaimed({ dryRun: true })
  expect(planned).toMatchObject({ type: 'report', objects: 20 })
  expect(await reclaimed({})).toEqual(planned)
  expect(await said()).toEqual({
    name: 'tenure',
    ok: true,
    message: 'The place holds no vault: it waits to receive one.',
  })
  await expect(Array.fromAsync(reclaimFolder(space.at('c'), () => openVault(space.at('c'))))).rejects.toMatchObject({
    code: 'VAULT_NOT_FOUND',
  })
})

test('nothing is freed in a place to which the same vault has moved since it was given up there, and whose soup is one of before', async () => {
  await using space = await scratch()
  const [a, b] = [space.at('a'), space.at('b')]
  await givenUp(a, b)
  const old = await readFile(space.at('b', 'soup.sqlite'))
  await moved(a, b)
  await writeFile(space.at('b', 'soup.sqlite'), old)
  const before = await readdir(space.at('b', 'objects'))
  await expect(Array.fromAsync(reclaimFolder(b, () => openVault(b)))).rejects.toMatchObject({ code: 'VAULT_NOT_FOUND' })
  expect(await readdir(space.at('b', 'objects'))).toEqual(before)
  expect((await diagnose(b)).checks.find(({ name }) => name === 'tenure')).toMatchObject({ ok: false, lost: 'unknown' })
})

test('nothing is freed in a place that holds no vault and has not said that it gave one up: its soup may be an old one', async () => {
  await using space = await scratch()
  const [a, b, c] = [space.at('a'), space.at('b'), space.at('c')]
  await givenUp(a, b)
  await (await openMoveTarget(c))[Symbol.asyncDispose]()
  await cp(space.at('a', 'objects'), space.at('c', 'objects'), { recursive: true })
  // This one has, and a log of another vault.
  await filledVault(space.at('other'))
  await cp(space.at('other', 'log'), space.at('b', 'log'), { recursive: true })
  for (const dir of [b, c]) {
    const before = await readdir(`${dir}/objects`)
    await expect(Array.fromAsync(reclaimFolder(dir, () => openVault(dir)))).rejects.toMatchObject({
      code: 'VAULT_NOT_FOUND',
    })
    expect(await readdir(`${dir}/objects`)).toEqual(before)
  }
})
