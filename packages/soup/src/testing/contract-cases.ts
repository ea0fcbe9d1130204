import type { ContractCase } from '@vault/core/testing'
import { assertThat } from '@vault/core/testing'
import type { Entry } from '../entry.ts'
import { decodeEntry, encodeEntry, versionId } from '../entry.ts'
import type { SoupStore } from '../soup-store.ts'
import {
  activeSoup,
  add,
  assertEqual,
  assertRefuses,
  commit,
  everything,
  historyOf,
  idOf,
  object,
  put,
} from './subject.ts'

const SOUP_CONTRACT = 'SOUP_CONTRACT'

function entry(type: string, fields: Entry['fields'], key = 'subject'): Entry {
  return { key, type, fields }
}

/** An entry as it was put: without the link to the version before. */
function unlinked({ previous: _, ...rest }: Entry): Entry {
  return rest
}

const fullCases = ['principal', 'agent', 'policy', 'identity'].map(
  (type): ContractCase<SoupStore> => ({
    name: `${type} keeps every version and gives each back (R048, R057–R060)`,
    async run(store) {
      const soup = await activeSoup(store)
      const versions = [1, 2, 3].map((n) => entry(type, { n }))
      for (const version of versions) await put(soup, version)
      const [first, second, third] = versions as [Entry, Entry, Entry]
      const now = (await soup.entry('subject')) as Entry
      assertEqual(unlinked(now), third, 'the present version')
      const history = await historyOf(soup, 'subject')
      assertEqual(history.map(unlinked), [second, first], 'the earlier versions')
      assertEqual(now.previous, versionId(encodeEntry(history[0] as Entry)), 'the link to the version before')
      const oldest = await soup.version(versionId(encodeEntry(first)))
      assertThat(oldest !== undefined, 'the first version is there under its id')
      await put(soup, decodeEntry(oldest))
      assertEqual(
        (await historyOf(soup, 'subject')).map(unlinked),
        [third, second, first],
        'the history after a restore',
      )
    },
  }),
)

const snapshotCases = ['wormhole', 'statistics'].map(
  (type): ContractCase<SoupStore> => ({
    name: `${type} has counters that only grow (R050–R053, R061, R062)`,
    async run(store) {
      const soup = await activeSoup(store)
      const snapshot = ['2026-01-01', { transits: 3200, bytes: 500 }] as const
      const stats = { transits: 4721, by: { hour: [1, 2] }, last: 'a', snapshots: [snapshot] }
      await put(soup, entry(type, { stats }))
      const grown = {
        ...stats,
        transits: 4722,
        errors: 0,
        last: 'b',
        snapshots: [snapshot, ['2026-01-07', { transits: 4500 }]],
      }
      await put(soup, entry(type, { stats: grown, note: 'free' }))
      assertEqual(await soup.entry('subject'), entry(type, { stats: grown, note: 'free' }), 'the entry')
      assertEqual(await historyOf(soup, 'subject'), [], 'its history')
      const refused: readonly (readonly [string, Entry['fields']])[] = [
        ['a smaller counter', { stats: { ...grown, transits: 4721 } }],
        ['a smaller counter inside', { stats: { ...grown, by: { hour: [1, 1] } } }],
        ['a counter that vanishes', { stats: { ...grown, by: { hour: [1] } } }],
        ['a counter that becomes a text', { stats: { ...grown, transits: '4722' } }],
        ['counters that vanish whole', {}],
        ['counters replaced by a text', { stats: 'none' }],
        ['a fraction', { stats: { ...grown, transits: 4722.5 } }],
        ['a negative counter', { stats: { ...grown, late: -1 } }],
        ['a snapshot that vanishes', { stats: { ...grown, snapshots: [snapshot] } }],
        ['snapshots that vanish', { stats: { ...grown, snapshots: undefined as never } }],
        [
          'a snapshot that changes',
          { stats: { ...grown, snapshots: [['2026-01-01', { transits: 1 }], grown.snapshots[1]] as never } },
        ],
        ['a snapshot put in front', { stats: { ...grown, snapshots: [['2025', {}], ...grown.snapshots] as never } }],
        ['a snapshot that is none', { stats: { ...grown, snapshots: [...grown.snapshots, 'x'] as never } }],
      ]
      for (const [name, fields] of refused) {
        const clean = JSON.parse(JSON.stringify(fields)) as Entry['fields']
        await assertRefuses(soup, () => put(soup, entry(type, clean)), SOUP_CONTRACT, name)
      }
      await assertRefuses(soup, () => commit(soup, { entries: { remove: ['subject'] } }), SOUP_CONTRACT, 'a removal')
      const negative = entry(type, { stats: { n: -1 } }, 'fresh')
      await assertRefuses(soup, () => put(soup, negative), SOUP_CONTRACT, 'a counter that begins below zero')
    },
  }),
)

const noneCases = ['audit-entry', 'archive', 'release', 'signature'].map(
  (type): ContractCase<SoupStore> => ({
    name: `${type} never changes once it is there (R054, R063–R066)`,
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, entry(type, { n: 1 }))
      const before = await everything(soup)
      await put(soup, entry(type, { n: 1 }))
      assertEqual(await everything(soup), before, 'the vault after an equal entry')
      await assertRefuses(soup, () => put(soup, entry(type, { n: 2 })), SOUP_CONTRACT, 'a change')
      await assertRefuses(soup, () => commit(soup, { entries: { remove: ['subject'] } }), SOUP_CONTRACT, 'a removal')
    },
  }),
)

export const contractCases: readonly ContractCase<SoupStore>[] = [
  ...fullCases,
  ...snapshotCases,
  ...noneCases,
  {
    name: 'an equal entry makes no version, and a given link to the version before is not believed',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, entry('policy', { n: 1 }))
      await put(soup, entry('policy', { n: 2 }))
      const before = await everything(soup)
      await put(soup, entry('policy', { n: 2 }))
      await put(soup, { ...entry('policy', { n: 2 }), previous: idOf('invented') })
      assertEqual(await everything(soup), before, 'the vault')
      await put(soup, { ...entry('policy', { n: 3 }), previous: idOf('invented') })
      assertEqual((await historyOf(soup, 'subject')).length, 2, 'earlier versions')
    },
  },
  {
    name: 'removing what keeps its history leaves a version that says so (R048)',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, entry('principal', { name: 'alice' }))
      await commit(soup, { entries: { remove: ['subject'] } })
      const left = (await soup.entry('subject')) as Entry
      assertEqual(unlinked(left), entry('principal', { removed: true }), 'what is left')
      assertEqual(await historyOf(soup, 'subject'), [entry('principal', { name: 'alice' })], 'the history')
      const before = await everything(soup)
      await commit(soup, { entries: { remove: ['subject'] } })
      assertEqual(await everything(soup), before, 'the vault after removing again')
      await put(soup, entry('principal', { name: 'alice' }))
      assertEqual((await historyOf(soup, 'subject')).length, 2, 'earlier versions after it came back')
    },
  },
  {
    name: 'the object of an earlier version stays under charge (R048)',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'), object('two'))
      await put(soup, { ...entry('policy', {}), object: idOf('one') })
      await put(soup, { ...entry('policy', {}), object: idOf('two') })
      await commit(soup, { entries: { remove: ['subject'] }, objects: { release: [idOf('one'), idOf('two')] } })
      assertEqual(await soup.charged([idOf('one'), idOf('two')]), [true, true], 'under charge')
    },
  },
  {
    name: 'names, descriptions and refs keep no history here',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'), object('two'))
      for (const text of ['one', 'two']) {
        const fields = { text }
        const path: Entry = { key: 'path:a', type: 'path', object: idOf(text), fields }
        const about: Entry = { key: `obj:${idOf('one')}`, type: 'object', fields }
        await commit(soup, { entries: { put: [path, about] }, refs: { main: idOf(text) } })
      }
      for (const key of ['path:a', `obj:${idOf('one')}`, 'ref:main']) {
        assertEqual((await soup.entry(key))?.previous, undefined, `the version before ${key}`)
        assertEqual(await historyOf(soup, key), [], `the history of ${key}`)
      }
      const keys = ['path:a', `obj:${idOf('one')}`]
      await commit(soup, {
        entries: { remove: keys },
        refs: { main: null },
        objects: { release: [idOf('one'), idOf('two')] },
      })
      assertEqual(await soup.view(async ({ counts }) => counts), { objects: 0, bytes: 0, entries: 0 }, 'what is left')
    },
  },
  {
    name: 'a type that declares nothing is refused (R056)',
    async run(store) {
      const soup = await activeSoup(store)
      for (const type of ['invoice', 'constructor', 'to-string']) {
        await assertRefuses(soup, () => put(soup, entry(type, {})), 'SOUP_TYPE_UNKNOWN', `the type ${type}`)
      }
    },
  },
  {
    name: 'a type is declared by an entry, before or in the same change, once and for all (R056)',
    async run(store) {
      const soup = await activeSoup(store)
      const declare = (name: string, rollback: string) => entry('type', { rollback }, `type:${name}`)
      await put(soup, declare('invoice', 'full'))
      await put(soup, entry('invoice', { n: 1 }))
      await put(soup, entry('invoice', { n: 2 }))
      assertEqual((await historyOf(soup, 'subject')).length, 1, 'earlier versions')
      await put(soup, entry('seal', {}, 's'), declare('seal', 'none'))
      await assertRefuses(soup, () => put(soup, entry('seal', { n: 1 }, 's')), SOUP_CONTRACT, 'a change of a seal')
      await assertRefuses(soup, () => put(soup, declare('seal', 'full')), SOUP_CONTRACT, 'another declaration')
      const remove = () => commit(soup, { entries: { remove: ['type:seal'] } })
      await assertRefuses(soup, remove, SOUP_CONTRACT, 'removing the declaration')
      await assertRefuses(soup, () => put(soup, declare('principal', 'none')), SOUP_CONTRACT, 'a built-in type')
      await assertRefuses(soup, () => put(soup, declare('odd', 'sometimes')), SOUP_CONTRACT, 'no strategy')
    },
  },
  {
    name: 'an entry states no other nature than its type (R047, R067)',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, entry('principal', { rollback: 'full' }))
      for (const rollback of ['none', 'snapshot', 1]) {
        await assertRefuses(
          soup,
          () => put(soup, entry('principal', { rollback })),
          SOUP_CONTRACT,
          `stating ${rollback}`,
        )
      }
      const fresh = entry('release', { rollback: 'full' }, 'fresh')
      await assertRefuses(soup, () => put(soup, fresh), SOUP_CONTRACT, 'a new entry')
    },
  },
  {
    name: 'the type of a key never changes (R067)',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, entry('principal', {}))
      await assertRefuses(soup, () => put(soup, entry('policy', {})), SOUP_CONTRACT, 'another type')
      await commit(soup, { entries: { remove: ['subject'] } })
      await assertRefuses(soup, () => put(soup, entry('policy', {})), SOUP_CONTRACT, 'another type after removal')
    },
  },
]
