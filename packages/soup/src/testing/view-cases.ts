import type { Bytes, Subtree } from '@vault/core'
import { compareBytes, objectKey, toHex } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertThat } from '@vault/core/testing'
import { encodeEntry, entryKey, entryValue } from '../entry.ts'
import type { SoupView } from '../soup.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'
import { activeSoup, add, assertEqual, commit, idOf, named, object, put, rows, tableOf } from './subject.ts'

const TEXTS = Array.from({ length: 40 }, (_, i) => `object ${i}`)
const KEYS: readonly Bytes[] = TEXTS.map((text) => objectKey(idOf(text))).sort(compareBytes)
const ZEROS = new Uint8Array(32)

async function soupOfForty(store: SoupStore): Promise<VaultSoup> {
  const soup = await activeSoup(store)
  await commit(soup, {
    objects: { add: TEXTS.map((text) => object(text)) },
    entries: { put: TEXTS.map((text) => named(text, text)) },
  })
  return soup
}

/** A subtree that no one else would keep, told from others by a number. */
function subtree(n: number): Subtree {
  return { hash: new Uint8Array(32).fill(n), count: n }
}

async function child(view: SoupView, prefix: string): Promise<Subtree | undefined> {
  const children = await view.objects.children(prefix.slice(0, -1))
  assertEqual(children.length, 16, 'children of a prefix')
  return children[Number.parseInt(prefix.slice(-1), 16)]
}

export const viewCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'a view has every object and every entry under its key, ascending',
    async run(store) {
      const soup = await soupOfForty(store)
      await soup.view(async (view) => {
        const objects = await view.objects.scan({ prefix: '', limit: 1000 })
        assertEqual(rows(objects.keys), KEYS, 'the keys of the objects')
        assertEqual(
          rows(objects.values ?? new Uint8Array(1280)),
          KEYS.map(() => ZEROS),
          'the values of the objects',
        )
        const entries = await view.entries.scan({ prefix: '', limit: 1000 })
        const expected = TEXTS.map((text) => named(text, text))
          .map((entry) => ({ key: entryKey(entry.key), value: entryValue(encodeEntry(entry)) }))
          .sort((a, b) => compareBytes(a.key, b.key))
        assertEqual(
          rows(entries.keys),
          expected.map(({ key }) => key),
          'the keys of the entries',
        )
        assertEqual(
          rows(entries.values),
          expected.map(({ value }) => value),
          'the values of the entries',
        )
        assertEqual(view.counts, { objects: 40, bytes: 350, entries: 40 }, 'the counts')
        assertEqual(view.sequence, 1, 'the sequence')
      })
    },
  },
  {
    name: 'a scan keeps to its prefix, starts after a key and stops at its limit',
    async run(store) {
      const soup = await soupOfForty(store)
      await soup.view(async ({ objects }) => {
        for (const key of KEYS) {
          for (const length of [1, 2, 3, 64]) {
            const prefix = toHex(key).slice(0, length)
            const expected = KEYS.filter((other) => toHex(other).startsWith(prefix))
            const page = await objects.scan({ prefix, limit: 100 })
            assertEqual(rows(page.keys), expected, `rows under ${prefix}`)
            const rest = await objects.scan({ prefix, after: key, limit: 1 })
            const after = expected.filter((other) => compareBytes(other, key) > 0)
            assertEqual(rows(rest.keys), after.slice(0, 1), `the row under ${prefix} after a key`)
          }
        }
        const before = await objects.scan({ prefix: 'f', after: ZEROS, limit: 100 })
        assertEqual(
          before.count,
          KEYS.filter((key) => toHex(key).startsWith('f')).length,
          'rows after a key before the prefix',
        )
        assertEqual(
          (await objects.scan({ prefix: '0', after: ZEROS.map(() => 255), limit: 9 })).count,
          0,
          'rows after the last key',
        )
        assertEqual((await objects.scan({ prefix: '', limit: 40 })).count, 40, 'rows of a whole table')
      })
    },
  },
  {
    name: 'a view does not change while the vault does',
    async run(store) {
      const soup = await soupOfForty(store)
      await soup.view(async (view) => {
        const before = [await tableOf(view, 'objects'), await tableOf(view, 'entries')]
        await commit(soup, {
          objects: { add: [object('new')], release: [idOf(TEXTS[1] as string)] },
          entries: { put: [named('new', 'new'), named(TEXTS[0] as string, 'new')], remove: [`path:${TEXTS[1]}`] },
        })
        assertEqual([await tableOf(view, 'objects'), await tableOf(view, 'entries')], before, 'the tables')
        assertEqual(view.counts, { objects: 40, bytes: 350, entries: 40 }, 'the counts')
        await soup.view(async (later) => {
          assertEqual(later.sequence, view.sequence + 1, 'the sequence of a later view')
          assertThat(
            JSON.stringify(await tableOf(later, 'objects')) !== JSON.stringify(before[0]),
            'a later view sees the change',
          )
        })
      })
    },
  },
  {
    name: 'a view gives back what was read, and throws what reading threw',
    async run(store) {
      const soup = await activeSoup(store)
      assertEqual(await soup.view(async () => 'read'), 'read', 'what a view gives back')
      const error = new Error('stopped')
      const caught: unknown = await soup
        .view(async () => {
          throw error
        })
        .catch((reason: unknown) => reason)
      assertThat(caught === error, 'the error comes back unchanged')
      await add(soup, object('one'))
    },
  },
  {
    name: 'a kept subtree never outlives a change under it',
    async run(store) {
      const soup = await soupOfForty(store)
      const prefixes = [...new Set(KEYS.map((key) => toHex(key).slice(0, 1)))]
      await soup.view(async ({ objects }) => {
        await objects.keep(new Map(prefixes.map((prefix, i) => [prefix, subtree(i + 1)])))
        await objects.keep(new Map([[`${prefixes[0]}0`, subtree(99)]]))
      })
      await soup.view(async (view) => {
        for (const [i, prefix] of prefixes.entries()) {
          const kept = await child(view, prefix)
          assertThat(kept === undefined || kept.count === i + 1, 'what is kept is what was given')
        }
      })
      const changed = toHex(objectKey(idOf('new')))
      await add(soup, object('new'))
      await soup.view(async (view) => assertEqual(await child(view, changed.slice(0, 1)), undefined, 'after adding'))
      await soup.view(async ({ objects }) => await objects.keep(new Map([[changed.slice(0, 1), subtree(1)]])))
      await commit(soup, { objects: { release: [idOf('new')] } })
      await soup.view(async (view) => assertEqual(await child(view, changed.slice(0, 1)), undefined, 'after releasing'))
    },
  },
  {
    name: 'a subtree of an entry table is forgotten when an entry under it changes its value',
    async run(store) {
      const soup = await soupOfForty(store)
      const digit = Number.parseInt(toHex(entryKey('path:object 3')).slice(0, 1), 16)
      await soup.view(async ({ entries }) => await entries.keep(new Map([[digit.toString(16), subtree(1)]])))
      await put(soup, named('object 3', 'object 4'))
      const children = await soup.view(({ entries }) => entries.children(''))
      assertEqual(children[digit], undefined, 'after a put')
    },
  },
  {
    name: 'what is kept over an old view is not taken for the present',
    async run(store) {
      const soup = await soupOfForty(store)
      const prefix = toHex(objectKey(idOf('new'))).slice(0, 1)
      await soup.view(async (old) => {
        await add(soup, object('new'))
        await old.objects.keep(new Map([[prefix, subtree(1)]]))
      })
      await soup.view(async (view) => assertEqual(await child(view, prefix), undefined, 'in a later view'))
    },
  },
  {
    name: 'what is kept over a later view is not shown to an old one',
    async run(store) {
      const soup = await soupOfForty(store)
      const prefix = toHex(objectKey(idOf('new'))).slice(0, 1)
      await soup.view(async (old) => {
        await add(soup, object('new'))
        await soup.view(async (later) => await later.objects.keep(new Map([[prefix, subtree(2)]])))
        assertEqual(await child(old, prefix), undefined, 'in the old view')
      })
    },
  },
  {
    name: 'members and entries are read page by page and by key',
    async run(store) {
      const soup = await soupOfForty(store)
      await add(soup, object('whole', ...TEXTS))
      const keys = [...KEYS, objectKey(idOf('whole'))].sort(compareBytes)
      const paged: Bytes[] = []
      for (let after: Bytes | undefined; ; after = paged.at(-1)) {
        const page = await soup.members({ limit: 7, ...(after ? { after } : {}) })
        paged.push(...page.map(({ key }) => key))
        if (page.length < 7) break
      }
      assertEqual(paged, keys, 'the keys of all pages')
      const [whole, ...others] = await soup.membersByKey([objectKey(idOf('whole')), ZEROS])
      assertEqual(whole, { ...object('whole', ...TEXTS), key: objectKey(idOf('whole')) }, 'a member by its key')
      assertEqual(others, [], 'members of keys without one')
      const entries = await soup.entriesAfter({ limit: 100 })
      const half = await soup.entriesAfter({ after: entries[19]?.key as Bytes, limit: 100 })
      assertEqual(half, entries.slice(20), 'entries after a key')
      const asked = [entries[5], entries[2]].map((entry) => entry?.key as Bytes)
      const found = await soup.entriesByKey([...asked, ZEROS])
      assertEqual(found.map(({ key }) => toHex(key)).sort(), asked.map(toHex).sort(), 'entries by key')
      assertEqual(await soup.version(idOf('absent')), undefined, 'a version that is not there')
    },
  },
]
