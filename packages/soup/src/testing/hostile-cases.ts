import type { Codec, ContentId } from '@vault/core'
import { contentId, utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertThat } from '@vault/core/testing'
import type { Entry } from '../entry.ts'
import type { Change, Member } from '../soup.ts'
import type { SoupStore } from '../soup-store.ts'
import { activeSoup, add, assertEqual, assertRefuses, commit, everything, idOf, named, object, put } from './subject.ts'

/** What is no change, whoever says it. */
const INVALID: readonly (readonly [name: string, change: Omit<Change, 'epoch'>])[] = [
  ['an entry put twice', { entries: { put: [named('a', 'one'), named('a', 'one')] } }],
  ['an entry put and removed', { entries: { put: [named('a', 'one')], remove: ['path:a'] } }],
  ['a ref put as an entry', { entries: { put: [{ key: 'ref:main', type: 'ref', object: idOf('one'), fields: {} }] } }],
  ['a ref removed as an entry', { entries: { remove: ['ref:main'] } }],
  ['an empty key', { entries: { put: [{ key: '', type: 'policy', fields: {} }] } }],
  ['a key that is too long', { entries: { put: [{ key: 'k'.repeat(4097), type: 'policy', fields: {} }] } }],
  ['a key with half a character', { entries: { put: [{ key: 'a\ud800', type: 'policy', fields: {} }] } }],
  ['a type that is no name', { entries: { put: [{ key: 'a', type: 'No Type', fields: {} }] } }],
  ['a path of another type', { entries: { put: [{ key: 'path:a', type: 'policy', fields: {} }] } }],
  ['a path without its key', { entries: { put: [{ key: 'a', type: 'path', fields: {} }] } }],
  ['a description of no object', { entries: { put: [{ key: 'obj:a', type: 'object', fields: {} }] } }],
  ['an object that is no id', { entries: { put: [{ key: 'a', type: 'policy', object: 'bad', fields: {} }] } }],
  ['a number that is not portable', { entries: { put: [{ key: 'a', type: 'policy', fields: { n: 2 ** 53 } }] } }],
  ['a number that is none', { entries: { put: [{ key: 'a', type: 'policy', fields: { n: Number.NaN } }] } }],
  [
    'an entry that is too long',
    { entries: { put: [{ key: 'a', type: 'policy', fields: { t: 'x'.repeat(65_536) } }] } },
  ],
  ['a negative size', { objects: { add: [{ ...object('new'), size: -1 }] } }],
  ['a member that is no id', { objects: { add: [{ id: 'bad' as ContentId, size: 1, links: [] }] } }],
  ['a link that is no id', { objects: { add: [{ id: idOf('new'), size: 1, links: ['bad' as ContentId] }] } }],
  ['a ref to what is no id', { refs: { main: 'bad' as ContentId } }],
]

const HOSTILE: readonly Entry[] = ['__proto__', 'constructor', 'toString', 'a\u0000b', '%', "'; --"].map((name) => ({
  key: name,
  type: 'policy',
  fields: Object.fromEntries([[name, { inner: Object.fromEntries([[name, name]]) }]]),
}))

export const hostileCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'what is no change is refused whole',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'))
      for (const [name, change] of INVALID) {
        await assertRefuses(
          soup,
          () => commit(soup, { ...change, refs: { ...change.refs, other: idOf('one') } }),
          'SOUP_INVALID',
          name,
        )
      }
    },
  },
  {
    name: 'equal bytes under two codecs are two objects',
    async run(store) {
      const soup = await activeSoup(store)
      const one = (codec: Codec): Member => ({ id: contentId(utf8('one'), { codec }), size: 3, links: [] })
      const [raw, cbor] = [one('raw'), one('dag-cbor')]
      assertEqual((await add(soup, raw, cbor)).added, 2, 'added')
      await commit(soup, { objects: { release: [cbor.id] } })
      assertEqual(await soup.charged([raw.id, cbor.id]), [true, false], 'under charge')
    },
  },
  {
    name: 'bytes given in and out are copies',
    async run(store) {
      const soup = await activeSoup(store)
      const bytes = Uint8Array.of(1, 2, 3)
      const links = [idOf('one')]
      await add(soup, object('one'))
      await commit(soup, {
        objects: { add: [{ id: idOf('whole'), size: 5, links }] },
        entries: { put: [named('a', 'one', { bytes })] },
      })
      bytes.fill(9)
      links.pop()
      const whole = (await soup.members({ limit: 9 })).find(({ id }) => id === idOf('whole'))
      assertEqual(whole?.links, [idOf('one')], 'the links')
      assertEqual((await soup.entry('path:a'))?.fields.bytes, Uint8Array.of(1, 2, 3), 'the field')
      const before = JSON.stringify(await everything(soup))
      const entry = (await soup.entry('path:a')) as Entry
      ;(entry.fields.bytes as Uint8Array).fill(9)
      for (const { key, links } of await soup.members({ limit: 9 })) [key.fill(9), (links as ContentId[]).pop()]
      for (const { key, bytes } of await soup.entriesAfter({ limit: 9 })) [key.fill(9), bytes.fill(9)]
      Object.assign(await soup.tenure(), { state: 'retired' })
      assertThat(JSON.stringify(await everything(soup)) === before, 'what was given out is not what is kept')
    },
  },
  {
    name: 'hostile names are names like any other',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, ...HOSTILE)
      for (const entry of HOSTILE) {
        assertEqual(await soup.entry(entry.key), entry, `the entry ${entry.key}`)
        const found = await Array.fromAsync(soup.query({ where: { op: 'exists', field: entry.key } }))
        assertEqual(found, [[entry]], `the entries with a field ${entry.key}`)
      }
      assertThat(!('inner' in {}), 'no prototype has been written')
      await add(soup, object('one'))
      await commit(soup, { refs: Object.fromEntries([['__proto__', idOf('one')]]) })
      assertEqual((await soup.entry('ref:__proto__'))?.object, idOf('one'), 'the ref __proto__')
    },
  },
]
