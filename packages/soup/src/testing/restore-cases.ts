import type { Bytes } from '@vault/core'
import { utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects, assertThat } from '@vault/core/testing'
import type { Entry } from '../entry.ts'
import { encodeEntry, versionId } from '../entry.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'
import type { Tenure } from '../tenures.ts'
import {
  activeSoup,
  all,
  assertEqual,
  assertRefuses,
  commit,
  everything,
  historyOf,
  idOf,
  named,
  object,
  put,
  receivingSoup,
  tableOf,
  VAULT,
} from './subject.ts'

const POLICY: Entry = { key: 'p', type: 'policy', fields: { n: 1 } }

/** A vault with members, links, entries and a history that was here, retired, and is received again by `m1`. */
async function returningSoup(store: SoupStore): Promise<{ soup: VaultSoup; found: Tenure }> {
  const soup = await activeSoup(store)
  const { tenures } = store
  await commit(soup, {
    objects: { add: [object('part'), object('whole', 'part'), object('other')] },
    entries: { put: [named('a', 'whole'), named('b', 'other'), POLICY] },
  })
  await put(soup, { ...POLICY, fields: { n: 2 } })
  await tenures.transition(VAULT, await tenures.read(VAULT), { state: 'quiesced', epoch: 0, migration: 'm0' })
  const evidence = utf8('hand-off')
  await tenures.transition(VAULT, await tenures.read(VAULT), { state: 'retired', epoch: 1, evidence })
  const found = await tenures.read(VAULT)
  await tenures.transition(VAULT, found, { state: 'receiving', epoch: 1, migration: 'm1' })
  return { soup, found }
}

/** Everything of the vault but its numbers. */
async function contentOf(soup: VaultSoup): Promise<unknown> {
  return {
    members: await soup.members({ limit: 1000 }),
    entries: await soup.entriesAfter({ limit: 1000 }),
    policy: await historyOf(soup, 'p'),
    tables: await soup.view(async (view) => [
      view.counts,
      await tableOf(view, 'objects'),
      await tableOf(view, 'entries'),
    ]),
    findings: await Array.fromAsync(soup.check()),
  }
}

const THIRD: Entry = { ...POLICY, fields: { n: 3 }, previous: versionId(encodeEntry({ ...POLICY, fields: { n: 2 } })) }

/** Touches every kind of row in every way, some of them twice. */
async function receiveOver(soup: VaultSoup): Promise<void> {
  const batch = { migration: 'm1' }
  await soup.receive({
    ...batch,
    objects: { add: [object('new'), object('newer', 'new', 'part')], remove: [idOf('other')] },
    entries: { put: [named('a', 'new'), named('c', 'newer')].map(encodeEntry), remove: ['path:b'] },
  })
  await soup.receive({
    ...batch,
    versions: [encodeEntry({ ...POLICY, fields: { n: 7 } })],
    entries: { put: [THIRD, named('a', 'newer'), named('b', 'newer')].map(encodeEntry), remove: ['path:c'] },
    objects: { add: [object('other', 'new')], remove: [idOf('new')] },
  })
  await soup.receive({ ...batch, objects: { remove: [idOf('whole'), idOf('other'), idOf('newer')] } })
}

export const restoreCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'batches with a record are numbered in their migration and kept until another one begins',
    async run(store) {
      const soup = await receivingSoup(store)
      const record = utf8('first')
      const first = await soup.receive({ migration: 'm1', objects: { add: [object('one')] }, record })
      assertEqual(first, { sequence: 1, added: 1, released: 0, batch: 1 }, 'the first batch')
      record.fill(0)
      const unrecorded = await soup.receive({ migration: 'm1', objects: { add: [object('two')] } })
      assertEqual(unrecorded.batch, undefined, 'a batch without a record')
      const again = { migration: 'm1', objects: { add: [object('one')] }, record: utf8('second') }
      assertEqual(
        await soup.receive(again),
        { sequence: 2, added: 0, released: 0, batch: 2 },
        'one that changes nothing',
      )
      assertEqual(await soup.receive(again), { sequence: 2, added: 0, released: 0, batch: 2 }, 'the latest one again')
      for (let n = 3; n <= 5; n++) await soup.receive({ migration: 'm1', record: utf8(`batch ${n}`) })
      const read = async (migration: string, after: number, limit = 10) =>
        (await soup.batches(migration, { after, limit })).map(
          ({ batch, record: bytes }) => `${batch} ${new TextDecoder().decode(bytes)}`,
        )
      assertEqual(await read('m1', 0, 2), ['1 first', '2 second'], 'the first two')
      assertEqual(await read('m1', 3), ['4 batch 4', '5 batch 5'], 'those after 3')
      assertEqual(await read('m1', 5), [], 'those after all')
      assertEqual(await read('m2', 0), [], 'those of another migration')
      const receiving = { state: 'receiving', epoch: 0 } as const
      await store.tenures.transition(VAULT, receiving, { state: 'replica', epoch: 0 })
      assertEqual((await read('m1', 0)).length, 5, 'when the migration is over')
      await store.tenures.transition(VAULT, { state: 'replica', epoch: 0 }, { ...receiving, migration: 'm1' })
      assertEqual((await soup.receive({ migration: 'm1', record: utf8('x') })).batch, 6, 'when it goes on')
      await store.tenures.transition(VAULT, receiving, { ...receiving, migration: 'm2' })
      assertEqual(await read('m1', 0), [], 'when another one begins')
      assertEqual((await soup.receive({ migration: 'm2', record: utf8('y') })).batch, 1, 'the first of that')
    },
  },
  {
    name: 'a refused batch takes no number, and records have 1 to 61,440 bytes',
    async run(store) {
      const soup = await receivingSoup(store)
      for (const record of [new Uint8Array(0), new Uint8Array(61_441)]) {
        const act = () => soup.receive({ migration: 'm1', objects: { add: [object('one')] }, record })
        await assertRefuses(soup, act, 'SOUP_INVALID', `${record.length} bytes`)
      }
      await store.reclaim.condemn(['s1'])
      const condemned = () => soup.receive({ migration: 'm1', segments: ['s1'], record: utf8('a') })
      await assertRefuses(soup, condemned, 'SOUP_CONDEMNED', 'a condemned segment')
      const limit = 10
      assertEqual(await soup.batches('m1', { after: 0, limit }), [], 'the batches')
      const record: Bytes = new Uint8Array(61_440)
      assertEqual((await soup.receive({ migration: 'm1', record })).batch, 1, 'the longest record')
      for (const after of [-1, 0.5]) {
        await assertRejects(soup.batches('m1', { after, limit }), 'SOUP_INVALID', `after ${after}`)
      }
    },
  },
  {
    name: 'what was written over a vault is put back step by step, whatever was done to it',
    async run(store) {
      const { tenures } = store
      const { soup, found } = await returningSoup(store)
      const before = await contentOf(soup)
      await receiveOver(soup)
      const { sequence } = await soup.tenure()
      const back = { state: 'retired', epoch: 1 } as const
      const receiving = { state: 'receiving', epoch: 1 } as const
      await assertRejects(tenures.transition(VAULT, receiving, back), 'SOUP_TENURE', 'going back too early')
      const remaining: number[] = []
      do remaining.push((await soup.restore({ migration: 'm1', limit: 2 })).remaining)
      while ((remaining.at(-1) ?? 0) > 0 && remaining.length < 20)
      // Members new, newer, other, whole; entries a, b, c, p; one version.
      assertEqual(remaining, [7, 5, 3, 1, 0], 'what remains after each step')
      assertEqual(await contentOf(soup), before, 'the content')
      const items = await all(soup.changes(sequence))
      assertThat(items.length > 0, 'the feed tells what was put back')
      const now = await soup.tenure()
      assertThat(now.sequence > sequence && now.sequence <= sequence + remaining.length, 'one number for each step')
      const more = await soup.restore({ migration: 'm1', limit: 2 })
      assertEqual(more, { remaining: 0 }, 'one more step')
      assertEqual(await soup.tenure(), now, 'the tenure after it')
      await tenures.transition(VAULT, receiving, back)
      assertEqual(await tenures.read(VAULT), { ...found, sequence: now.sequence }, 'what was retired')
      assertEqual(await contentOf(soup), before, 'its content')
    },
  },
  {
    name: 'a change received after a step is put back too',
    async run(store) {
      const { soup } = await returningSoup(store)
      const before = await contentOf(soup)
      await receiveOver(soup)
      await soup.restore({ migration: 'm1', limit: 4 })
      await receiveOver(soup)
      assertEqual(await soup.restore({ migration: 'm1', limit: 100 }), { remaining: 0 }, 'what remains')
      assertEqual(await contentOf(soup), before, 'the content')
    },
  },
  {
    name: 'another migration puts back what the one before it wrote',
    async run(store) {
      const { soup } = await returningSoup(store)
      const before = await contentOf(soup)
      await receiveOver(soup)
      await store.tenures.transition(VAULT, await soup.tenure(), { state: 'receiving', epoch: 1, migration: 'm2' })
      const stale = () => soup.restore({ migration: 'm1', limit: 1 })
      await assertRefuses(soup, stale, 'SOUP_TENURE', 'the migration that was shut out')
      await soup.receive({ migration: 'm2', objects: { add: [object('third')] } })
      assertEqual(await soup.restore({ migration: 'm2', limit: 100 }), { remaining: 0 }, 'what remains')
      assertEqual(await contentOf(soup), before, 'the content')
    },
  },
  {
    name: 'preparing keeps what was displaced, and going on forgets it',
    async run(store) {
      const { tenures } = store
      const { soup } = await returningSoup(store)
      await receiveOver(soup)
      const prepared = { state: 'prepared', epoch: 1 } as const
      const receiving = { state: 'receiving', epoch: 1 } as const
      await tenures.transition(VAULT, receiving, prepared)
      await assertRejects(
        tenures.transition(VAULT, prepared, { state: 'retired', epoch: 1 }),
        'SOUP_TENURE',
        'declining',
      )
      const early = () => soup.restore({ migration: 'm1', limit: 1 })
      await assertRefuses(soup, early, 'SOUP_TENURE', 'a prepared vault')
      await tenures.transition(VAULT, prepared, { ...receiving, migration: 'm1' })
      const { remaining } = await soup.restore({ migration: 'm1', limit: 1 })
      assertEqual(remaining, 8, 'what remains')
      const after = await soup.entriesAfter({ limit: 99 })
      await tenures.transition(VAULT, receiving, { state: 'replica', epoch: 1 })
      await tenures.transition(VAULT, { state: 'replica', epoch: 1 }, { ...receiving, migration: 'm2' })
      assertEqual(await soup.restore({ migration: 'm2', limit: 100 }), { remaining: 0 }, 'what remains of a replica')
      assertEqual(await soup.entriesAfter({ limit: 99 }), after, 'the replica')
    },
  },
  {
    name: 'nothing is remembered where there was no vault before, or where nothing changed',
    async run(store) {
      const fresh = await receivingSoup(store)
      await fresh.receive({ migration: 'm1', objects: { add: [object('one')] } })
      assertEqual(await fresh.restore({ migration: 'm1', limit: 1 }), { remaining: 0 }, 'from nothing')
      assertEqual(await fresh.charged([idOf('one')]), [true], 'what was received')
      await store.tenures.transition(VAULT, await fresh.tenure(), { state: 'none', epoch: 0 })
      const { soup } = await returningSoup(store)
      const entries = await soup.entriesAfter({ limit: 9 })
      await soup.receive({
        migration: 'm1',
        objects: { add: [object('other')], remove: [idOf('absent')] },
        entries: { put: entries.map(({ bytes }) => bytes), remove: ['path:absent'] },
        versions: [encodeEntry(POLICY)],
      })
      const before = await everything(soup)
      assertEqual(await soup.restore({ migration: 'm1', limit: 1 }), { remaining: 0 }, 'what did not change')
      assertEqual(await everything(soup), before, 'the vault')
      for (const limit of [0, -1, 0.5]) {
        const outcome: unknown = await soup.restore({ migration: 'm1', limit }).catch((error: unknown) => error)
        assertThat(outcome instanceof RangeError, `the limit ${limit}`)
      }
    },
  },
]
