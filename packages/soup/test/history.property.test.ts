import type { ContentId } from '@vault/core'
import { compareBytes, objectKey, toHex } from '@vault/core'
import type { Change, Entry, FeedItem, Member, VaultSoup } from '@vault/soup'
import { createMemorySoupStore, encodeEntry, entryKey, entryValue } from '@vault/soup'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { all, idOf } from './support.ts'

const TEXTS = ['o0', 'o1', 'o2', 'o3', 'o4', 'o5']
const PATHS = ['p0', 'p1', 'p2']

/** A vault as plain lists: no counts, no references, no drafts. Everything is looked up anew each time. */
class Model {
  members = new Map<ContentId, Member>()
  entries = new Map<string, Entry>()
  versions: Entry[] = []

  /** Applies a change, or leaves everything and answers `false` where the soup has to refuse it. */
  apply({ objects, entries }: Change): boolean {
    const members = new Map(this.members)
    const rows = new Map(this.entries)
    const versions = [...this.versions]
    for (const member of objects?.add ?? []) if (!members.has(member.id)) members.set(member.id, member)
    for (const entry of entries?.put ?? []) {
      const before = rows.get(entry.key)
      if (entry.type === 'policy' && before !== undefined && before.object !== entry.object) versions.push(before)
      rows.set(entry.key, entry)
    }
    for (const key of entries?.remove ?? []) rows.delete(key)
    const refers = (id: ContentId) =>
      [...rows.values(), ...versions].some(({ object }) => object === id) ||
      [...members.values()].some(({ links }) => links.includes(id))
    const added = new Set(objects?.add?.map(({ id }) => id))
    const leave = (id: ContentId): void => {
      const member = members.get(id)
      if (member === undefined || added.has(id) || refers(id)) return
      members.delete(id)
      member.links.forEach(leave)
    }
    objects?.release?.forEach(leave)
    const named = [
      ...[...rows.values()].flatMap(({ object }) => object ?? []),
      ...[...members.values()].flatMap(({ links }) => links),
    ]
    if (!named.every((id) => members.has(id))) return false
    Object.assign(this, { members, entries: rows, versions })
    return true
  }
}

const objectId = fc.constantFrom(...TEXTS).map(idOf)

/** Links go to objects with a smaller number, as links of real content do. */
const member: fc.Arbitrary<Member> = fc
  .nat(TEXTS.length - 1)
  .chain((n) =>
    fc.subarray(TEXTS.slice(0, n)).map((links) => ({ id: idOf(TEXTS[n] as string), size: n, links: links.map(idOf) })),
  )

const path: fc.Arbitrary<Entry> = fc
  .record({ name: fc.constantFrom(...PATHS), object: objectId })
  .map(({ name, object }) => ({ key: `path:${name}`, type: 'path', object, fields: {} }))

const policy: fc.Arbitrary<Entry> = objectId.map((object) => ({ key: 'policy', type: 'policy', object, fields: {} }))

const change: fc.Arbitrary<Change> = fc
  .record({
    add: fc.array(member, { maxLength: 4 }),
    release: fc.array(objectId, { maxLength: 3 }),
    put: fc.uniqueArray(fc.oneof({ weight: 4, arbitrary: path }, policy), { selector: ({ key }) => key, maxLength: 3 }),
    remove: fc.subarray(PATHS).map((names) => names.map((name) => `path:${name}`)),
  })
  .map(({ add, release, put, remove }) => ({
    epoch: 0,
    objects: { add, release },
    entries: { put, remove: remove.filter((key) => put.every((entry) => entry.key !== key)) },
  }))

async function expectEqual(soup: VaultSoup, model: Model): Promise<void> {
  const members = await soup.members({ limit: 100 })
  expect(members.map(({ id }) => id).sort()).toEqual([...model.members.keys()].sort())
  const entries = await all(soup.query({}))
  expect(entries.map(({ previous: _, ...entry }) => entry)).toEqual(
    [...model.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
  )
  expect((await Array.fromAsync(soup.history('policy'))).map(({ object }) => object)).toEqual(
    model.versions.map(({ object }) => object).toReversed(),
  )
  await soup.view(async (view) => {
    const bytes = [...model.members.values()].reduce((sum, { size }) => sum + size, 0)
    expect(view.counts).toEqual({ objects: model.members.size, bytes, entries: model.entries.size })
    const objects = await view.objects.scan({ prefix: '', limit: 100 })
    expect(toHex(objects.keys)).toBe([...model.members.keys()].map(objectKey).sort(compareBytes).map(toHex).join(''))
    const table = await view.entries.scan({ prefix: '', limit: 100 })
    const rows = entries.map((entry) => ({ key: entryKey(entry.key), value: entryValue(encodeEntry(entry)) }))
    rows.sort((a, b) => compareBytes(a.key, b.key))
    expect(toHex(table.keys)).toBe(rows.map(({ key }) => toHex(key)).join(''))
    expect(toHex(table.values as Uint8Array)).toBe(rows.map(({ value }) => toHex(value)).join(''))
  })
}

/** What a follower knows who has only read the feed. */
function follow(items: readonly FeedItem[]): { objects: string[]; entries: string[] } {
  const known = { object: new Set<string>(), entry: new Set<string>() }
  for (const { type, subject } of items) {
    const subjects = known[type.startsWith('object') ? 'object' : 'entry']
    if (type.endsWith('removed')) subjects.delete(subject)
    else subjects.add(subject)
  }
  return { objects: [...known.object].sort(), entries: [...known.entry].sort() }
}

it('is after any history what a plain model is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      await using store = createMemorySoupStore()
      const vault = idOf('vault')
      await store.tenures.transition(vault, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
      const soup = store.soup(vault)
      const model = new Model()
      for (const next of changes) {
        const taken = await soup.commit(next).then(
          () => true,
          () => false,
        )
        expect(taken).toBe(model.apply(next))
        await expectEqual(soup, model)
      }
      expect(await Array.fromAsync(soup.check())).toEqual([])
      expect(follow(await all(soup.changes(0)))).toEqual({
        objects: [...model.members.keys()].sort(),
        entries: [...model.entries.keys()].sort(),
      })
    }),
    { numRuns: 300 },
  )
})
