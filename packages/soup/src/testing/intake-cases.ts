import type { ContractCase } from '@vault/core/testing'
import { assertThat } from '@vault/core/testing'
import type { Entry } from '../entry.ts'
import { encodeEntry, versionId } from '../entry.ts'
import type { IntakeBatch } from '../intake.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'
import {
  activeSoup,
  all,
  assertEqual,
  assertRefuses,
  commit,
  historyOf,
  idOf,
  named,
  OTHER_VAULT,
  object,
  put,
  receivingSoup,
  tableOf,
  VAULT,
} from './subject.ts'

async function receive(soup: VaultSoup, batch: Omit<IntakeBatch, 'migration'>): Promise<unknown> {
  return await soup.receive({ migration: 'm1', ...batch })
}

/** Everything that a migration reads from a vault. */
async function contentOf(soup: VaultSoup): Promise<Omit<IntakeBatch, 'migration'>> {
  const entries = await soup.entriesAfter({ limit: 1000 })
  const keys = (await all(soup.query({}))).map(({ key }) => key)
  const versions = await Promise.all(keys.map((key) => historyOf(soup, key)))
  return {
    objects: { add: await soup.members({ limit: 1000 }) },
    entries: { put: entries.map(({ bytes }) => bytes) },
    versions: versions.flat().map(encodeEntry),
  }
}

export const intakeCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'a migration makes an equal vault: same tables, same counts, same history',
    async run(store) {
      const source = await activeSoup(store)
      await commit(source, {
        objects: { add: [object('part'), object('whole', 'part')] },
        entries: { put: [named('a', 'whole'), { key: 's', type: 'statistics', fields: { stats: { n: 5 } } }] },
        refs: { main: idOf('whole') },
      })
      for (const n of [1, 2, 3]) await put(source, { key: 'p', type: 'policy', fields: { n } })
      const from = { state: 'none', epoch: 0 } as const
      await store.tenures.transition(OTHER_VAULT, from, { state: 'receiving', epoch: 0, migration: 'm1' })
      const target = store.soup(OTHER_VAULT)
      await receive(target, await contentOf(source))
      const tables = (soup: VaultSoup) =>
        soup.view(async (view) => [await tableOf(view, 'objects'), await tableOf(view, 'entries'), view.counts])
      assertEqual(await tables(target), await tables(source), 'the tables')
      assertEqual(await historyOf(target, 'p'), await historyOf(source, 'p'), 'the history')
      assertEqual(await target.members({ limit: 9 }), await source.members({ limit: 9 }), 'the members')
      const [version] = await historyOf(source, 'p')
      const bytes = encodeEntry(version as Entry)
      assertEqual(await target.version(versionId(bytes)), bytes, 'a version under its id')
    },
  },
  {
    name: 'a migration writes only while it is received, and only the one that was begun',
    async run(store) {
      const soup = store.soup(VAULT)
      const batch = { objects: { add: [object('one')] } }
      await assertRefuses(soup, () => receive(soup, batch), 'SOUP_TENURE', 'a vault that is not here')
      await receivingSoup(store)
      await assertRefuses(soup, () => soup.receive({ ...batch, migration: 'm2' }), 'SOUP_TENURE', 'another migration')
      await assertRefuses(soup, () => commit(soup, batch), 'SOUP_NOT_ACTIVE', 'an ordinary change')
      await receive(soup, batch)
      await store.tenures.transition(VAULT, { state: 'receiving', epoch: 0 }, { state: 'prepared', epoch: 0 })
      await assertRefuses(soup, () => receive(soup, batch), 'SOUP_TENURE', 'a prepared vault')
      await store.tenures.transition(VAULT, { state: 'prepared', epoch: 0 }, { state: 'active', epoch: 1 })
      await assertRefuses(soup, () => receive(soup, batch), 'SOUP_TENURE', 'an active vault')
    },
  },
  {
    name: 'what is received is exact: no contract, no references, in any order',
    async run(store) {
      const soup = await receivingSoup(store)
      const entry = (n: number): Entry => ({ key: 's', type: 'statistics', fields: { stats: { n } } })
      await receive(soup, {
        objects: { add: [object('whole', 'part')] },
        entries: { put: [entry(5), named('a', 'part')].map(encodeEntry) },
      })
      await receive(soup, { objects: { add: [object('part')] }, entries: { put: [encodeEntry(entry(4))] } })
      assertEqual(await soup.entry('s'), entry(4), 'a counter that goes down')
      const removed = await receive(soup, { objects: { remove: [idOf('part')] }, entries: { remove: ['s', 'absent'] } })
      assertEqual(removed, { sequence: 3, added: 0, released: 1 }, 'what it did')
      assertEqual(await soup.charged([idOf('part')]), [false], 'an object that is still linked to')
      assertEqual(await soup.entry('s'), undefined, 'the removed entry')
      const policy: Entry = { key: 'p', type: 'policy', fields: { n: 2 }, previous: idOf('elsewhere') }
      const undeclared: Entry = { key: 'i', type: 'invoice', fields: {} }
      await receive(soup, { entries: { put: [policy, undeclared].map(encodeEntry) } })
      assertEqual(await soup.entry('p'), policy, 'an entry with the link it came with')
      assertEqual(await soup.entry('i'), undeclared, 'an entry of a type not declared yet')
    },
  },
  {
    name: 'what is received twice changes nothing',
    async run(store) {
      const soup = await receivingSoup(store)
      const batch = { objects: { add: [object('one')] }, entries: { put: [encodeEntry(named('a', 'one'))] } }
      await receive(soup, batch)
      assertEqual(await receive(soup, batch), { sequence: 1, added: 0, released: 0 }, 'the second time')
      assertEqual(
        (await all(soup.changes(0))).map(({ type }) => type),
        ['object-added', 'entry-put'],
        'the feed',
      )
    },
  },
  {
    name: 'bytes of a batch and of a version are copies',
    async run(store) {
      const soup = await receivingSoup(store)
      const first: Entry = { key: 'p', type: 'policy', fields: { n: 1 } }
      const second: Entry = { ...first, fields: { n: 2 }, previous: versionId(encodeEntry(first)) }
      const given = [encodeEntry(first), encodeEntry(second)] as const
      await receive(soup, { entries: { put: [given[1]] }, versions: [given[0]] })
      for (const bytes of given) bytes.fill(0)
      ;(await soup.version(versionId(encodeEntry(first))))?.fill(0)
      assertEqual(await soup.entry('p'), second, 'the entry')
      assertEqual(await historyOf(soup, 'p'), [first], 'its history')
    },
  },
  {
    name: 'removals come first in a batch',
    async run(store) {
      const soup = await receivingSoup(store)
      await receive(soup, { objects: { add: [object('one')] }, entries: { put: [encodeEntry(named('a', 'one'))] } })
      await receive(soup, {
        objects: { add: [object('one')], remove: [idOf('one')] },
        entries: { put: [encodeEntry(named('a', 'one', { n: 1 }))], remove: ['path:a'] },
      })
      assertEqual(await soup.charged([idOf('one')]), [true], 'an object')
      assertEqual(await soup.entry('path:a'), named('a', 'one', { n: 1 }), 'an entry')
      assertEqual(await soup.view(async ({ counts }) => counts), { objects: 1, bytes: 3, entries: 1 }, 'the counts')
    },
  },
  {
    name: 'a batch with bytes that are no entry is refused whole',
    async run(store) {
      const soup = await receivingSoup(store)
      const good = encodeEntry(named('a', 'one'))
      const longer = Uint8Array.of(...good, 0)
      const other = good.map((byte, i) => (i === 0 ? byte + 1 : byte))
      for (const bytes of [new Uint8Array(0), longer, other, Uint8Array.of(0xa0), Uint8Array.of(0xf6)]) {
        const objects = { add: [object('one')] }
        const act = () => receive(soup, { objects, entries: { put: [good, bytes] } })
        await assertRefuses(soup, act, 'SOUP_INVALID', 'an entry')
        await assertRefuses(soup, () => receive(soup, { objects, versions: [bytes] }), 'SOUP_INVALID', 'a version')
      }
      const negative = { objects: { add: [{ ...object('one'), size: -1 }] } }
      await assertRefuses(soup, () => receive(soup, negative), 'SOUP_INVALID', 'a member')
    },
  },
  {
    name: 'a batch that relies on a condemned segment is refused',
    async run(store) {
      const soup = await receivingSoup(store)
      await store.reclaim.condemn(['s1'])
      const batch = { segments: ['s1'], objects: { add: [object('one')] } }
      await assertRefuses(soup, () => receive(soup, batch), 'SOUP_CONDEMNED', 'the batch')
    },
  },
  {
    name: 'a check names what a migration has left out, and nothing in a whole vault',
    async run(store) {
      const soup = await receivingSoup(store)
      await receive(soup, { objects: { add: [object('whole', 'part')] } })
      const codes = async () => (await Array.fromAsync(soup.check())).map(({ code, subject }) => `${code} ${subject}`)
      assertThat((await codes()).includes(`SOUP_NOT_PRESENT ${idOf('part')}`), 'a link to nothing is named')
      await receive(soup, { objects: { add: [object('part')] } })
      assertEqual(await codes(), [], 'findings in a whole vault')
      const second: Entry = { key: 'p', type: 'policy', fields: {}, previous: idOf('version') }
      await receive(soup, { entries: { put: [encodeEntry(second)] } })
      assertEqual(await codes(), ['SOUP_CORRUPT p'], 'findings where a version is missing')
    },
  },
  {
    name: 'a rebuild changes nothing in a sound vault',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, {
        objects: { add: [object('part'), object('whole', 'part')] },
        entries: { put: [named('a', 'part')] },
      })
      const tables = () =>
        soup.view(async (view) => [await tableOf(view, 'objects'), await tableOf(view, 'entries'), view.counts])
      const before = await tables()
      await soup.rebuild()
      assertEqual(await tables(), before, 'the tables')
      assertEqual(await Array.fromAsync(soup.check()), [], 'findings')
      const release = { objects: { release: [idOf('whole'), idOf('part')] } }
      assertEqual((await commit(soup, release)).released, 1, 'released after it')
    },
  },
]
