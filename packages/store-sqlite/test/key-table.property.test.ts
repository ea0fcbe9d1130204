import type { Bytes, KeyTable, Subtree } from '@vault/core'
import { concatBytes, hashBytes } from '@vault/core'
import type { Change, VaultSoup } from '@vault/soup'
import { createMemorySoupStore } from '@vault/soup'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { named, object, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Kept subtrees reach below the buckets by which changes are known. */
const LEAF_DIGITS = 6

/** A hash of all rows under a prefix: of its sixteen parts, and at six digits of the rows themselves. */
async function treeOf(table: KeyTable, prefix: string, fresh: Map<string, Subtree>): Promise<Subtree> {
  if (prefix.length === LEAF_DIGITS) return leafOf(table, prefix)
  const { count: any } = await table.scan({ prefix, limit: 1 })
  if (any === 0) return { hash: new Uint8Array(32), count: 0 }
  const kept = await table.children(prefix)
  const parts: Subtree[] = []
  for (const [digit, known] of kept.entries()) {
    const part = prefix + digit.toString(16)
    const subtree = known ?? (await treeOf(table, part, fresh))
    if (known === undefined) fresh.set(part, subtree)
    parts.push(subtree)
  }
  return {
    hash: hashBytes('sha2-256', concatBytes(...parts.map(({ hash }) => hash))),
    count: parts.reduce((sum, { count }) => sum + count, 0),
  }
}

async function leafOf(table: KeyTable, prefix: string): Promise<Subtree> {
  const { count, keys, values } = await table.scan({ prefix, limit: 1000 })
  return { hash: hashBytes('sha2-256', concatBytes(keys, values ?? (new Uint8Array(0) as Bytes))), count }
}

/**
 * Both trees, computed with what is kept, and keeping what was computed: all of it or only a part. `meanwhile` runs
 * while the view is open, before anything is kept.
 */
function rootsOf(soup: VaultSoup, part: 'all' | 'some' = 'all', meanwhile?: () => Promise<unknown>): Promise<unknown> {
  return soup.view(async ({ objects, entries, counts, sequence }) => {
    const roots: Subtree[] = []
    const computed: [KeyTable, Map<string, Subtree>][] = []
    for (const table of [objects, entries]) {
      const fresh = new Map<string, Subtree>()
      roots.push(await treeOf(table, '', fresh))
      computed.push([table, fresh])
    }
    await meanwhile?.()
    for (const [table, fresh] of computed) {
      if (part === 'some') for (const [prefix] of fresh) if (prefix.length !== 3) fresh.delete(prefix)
      await table.keep(fresh)
    }
    return { roots, counts, sequence }
  })
}

const text = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')

/** Changes that are never refused: what they name, they add. */
const change: fc.Arbitrary<Change> = fc
  .record({ put: fc.uniqueArray(text), release: fc.uniqueArray(text), note: text })
  .map(({ put, release, note }) => ({
    epoch: 0,
    objects: { add: put.map((name) => object(name)), release: release.map((name) => object(name).id) },
    entries: {
      put: put.map((name) => ({ ...named(name, name), fields: { note } })),
      remove: release.filter((name) => !put.includes(name)).map((name) => `path:${name}`),
    },
  }))

/** So much at a time that what is kept is forgotten in more than one transaction. */
const large: fc.Arbitrary<Change> = fc.constantFrom<'add' | 'release'>('add', 'release').map((act) => {
  const objects = Array.from({ length: 300 }, (_, i) => object(`one of many ${i}`))
  return { epoch: 0, objects: act === 'add' ? { add: objects } : { release: objects.map(({ id }) => id) } }
})

const anyChange: fc.Arbitrary<Change> = fc.oneof({ weight: 5, arbitrary: change }, { weight: 1, arbitrary: large })

type Step =
  | { readonly type: 'change' | 'overtaken'; readonly change: Change }
  | { readonly type: 'late'; readonly change: Change; readonly isAtOnce: boolean }
  | { readonly type: 'roots'; readonly part: 'all' | 'some' }
  | { readonly type: 'rebuild' }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: anyChange.map((made) => ({ type: 'change' as const, change: made })) },
  { weight: 1, arbitrary: anyChange.map((made) => ({ type: 'overtaken' as const, change: made })) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('late' as const), change: anyChange, isAtOnce: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.constantFrom('all', 'some').map((part) => ({ type: 'roots' as const, part }) as Step) },
  { weight: 1, arbitrary: fc.constant({ type: 'rebuild' as const }) },
)

test('after any history, roots made with kept subtrees are those of the memory store', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.constantFrom(2, 1000), async (steps, feedRetention) => {
      using folder = temporaryFolder()
      const path = folder.file('soup.sqlite')
      await using stored = await openSqliteSoupStore({ path, mode: 'create', feedRetention })
      await using other = await openSqliteSoupStore({ path, mode: 'write', feedRetention })
      await activate(stored)
      await using memory = createMemorySoupStore({ feedRetention })
      await activate(memory)
      const readers = [stored.soup(VAULT), other.soup(VAULT)]
      const model = memory.soup(VAULT)
      for (const [i, taken] of steps.entries()) {
        const soup = readers[i % 2] as VaultSoup
        if (taken.type === 'change') expect(await soup.commit(taken.change)).toEqual(await model.commit(taken.change))
        else if (taken.type === 'rebuild') await soup.rebuild()
        else if (taken.type === 'roots') expect(await rootsOf(soup, taken.part)).toEqual(await rootsOf(model))
        else if (taken.type === 'late') await keepLate(soup, readers[(i + 1) % 2] as VaultSoup, model, taken)
        else await overtake(soup, readers[(i + 1) % 2] as VaultSoup, model, taken.change)
      }
      expect(await rootsOf(readers[0] as VaultSoup)).toEqual(await rootsOf(model))
      expect(await Array.fromAsync(readers[0]?.check() ?? [])).toEqual([])
    }),
    { numRuns: 25 },
  )
})

/** Another process changes the vault and keeps its roots while a view is open, which keeps its own afterwards. */
async function overtake(soup: VaultSoup, faster: VaultSoup, model: VaultSoup, made: Change): Promise<void> {
  const expected = await rootsOf(model)
  const roots = await rootsOf(soup, 'all', async () => {
    await faster.commit(made)
    await model.commit(made)
    expect(await rootsOf(faster)).toEqual(await rootsOf(model))
  })
  expect(roots).toEqual(expected)
}

/**
 * A view keeps more of what is kept as of its own time when the vault has changed since, and a view of another process has begun, which keeps
 * only a part of its own afterwards, or at the same time.
 */
async function keepLate(
  soup: VaultSoup,
  later: VaultSoup,
  model: VaultSoup,
  { change: made, isAtOnce }: { readonly change: Change; readonly isAtOnce: boolean },
): Promise<void> {
  const expected = await rootsOf(model)
  await rootsOf(soup, 'some')
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let after: Promise<unknown> = Promise.resolve()
  const roots = await rootsOf(soup, 'all', async () => {
    await later.commit(made)
    await model.commit(made)
    after = rootsOf(later, 'some', async () => {
      begun.resolve()
      await ended.promise
    })
    await begun.promise
    if (isAtOnce) ended.resolve()
  })
  ended.resolve()
  expect(roots).toEqual(expected)
  expect(await after).toEqual(await rootsOf(model))
}

async function activate(store: Awaited<ReturnType<typeof openSqliteSoupStore>>): Promise<void> {
  await store.tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
}
