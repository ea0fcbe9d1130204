import type { ContentId } from '@vault/core'
import { toHex } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertThat } from '@vault/core/testing'
import { encodeEntry, entryValue } from '../entry.ts'
import type { SoupStore } from '../soup-store.ts'
import {
  activeSoup,
  add,
  assertEqual,
  assertRefuses,
  commit,
  everything,
  idOf,
  named,
  object,
  put,
  VAULT,
} from './subject.ts'

export const commitCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'a vault that is not here reads as empty and takes no change',
    async run(store) {
      const soup = store.soup(VAULT)
      assertEqual(await soup.tenure(), { vault: VAULT, state: 'none', epoch: 0, sequence: 0, events: 0 }, 'its tenure')
      assertEqual(await soup.entry('path:a'), undefined, 'an entry')
      assertEqual(await soup.members({ limit: 10 }), [], 'its members')
      assertEqual(await soup.charged([idOf('one')]), [false], 'what is under charge')
      assertEqual(await soup.feed(), { oldest: 0, latest: 0 }, 'its feed')
      await assertRefuses(soup, () => add(soup, object('one')), 'SOUP_NOT_ACTIVE', 'a change')
    },
  },
  {
    name: 'a change is seen whole, with its number and the counts',
    async run(store) {
      const soup = await activeSoup(store)
      const entry = named('a', 'one', { mode: 33188, tags: ['x', null, true, 1.5, new Uint8Array([1, 2])] })
      const committed = await commit(soup, {
        objects: { add: [object('one'), object('three')] },
        entries: { put: [entry] },
      })
      assertEqual(committed, { sequence: 1, added: 2, released: 0 }, 'what it did')
      assertEqual(await soup.entry('path:a'), entry, 'the entry')
      assertEqual(await soup.charged([idOf('one'), idOf('two'), idOf('three')]), [true, false, true], 'under charge')
      const counts = await soup.view(async (view) => view.counts)
      assertEqual(counts, { objects: 2, bytes: 8, entries: 1 }, 'the counts')
      assertEqual((await soup.tenure()).sequence, 1, 'the sequence')
    },
  },
  {
    name: 'a change that changes nothing takes no number',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, { objects: { add: [object('one')] }, entries: { put: [named('a', 'one')] } })
      const before = await everything(soup)
      const again = await commit(soup, {
        objects: { add: [object('one')], release: [idOf('absent')] },
        entries: { put: [named('a', 'one')], remove: ['path:absent'] },
        refs: { absent: null },
      })
      assertEqual(again, { sequence: 1, added: 0, released: 0 }, 'what it did')
      assertEqual(await commit(soup, {}), { sequence: 1, added: 0, released: 0 }, 'an empty change')
      assertEqual(await everything(soup), before, 'the vault')
    },
  },
  {
    name: 'a change of another epoch is refused',
    async run(store) {
      const soup = await activeSoup(store)
      for (const epoch of [1, -1, 0.5]) {
        const act = () => soup.commit({ epoch, objects: { add: [object('one')] } })
        await assertRefuses(soup, act, 'SOUP_EPOCH', `epoch ${epoch}`)
      }
    },
  },
  {
    name: 'a change that expects an entry to be something else is refused',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'), object('two'))
      const move = (before: string | null, text: string) =>
        commit(soup, { expect: { entries: { 'path:a': before } }, entries: { put: [named('a', text)] } })
      const hash = (text: string) => toHex(entryValue(encodeEntry(named('a', text))))
      await assertRefuses(soup, () => move(hash('one'), 'two'), 'SOUP_CONFLICT', 'an entry that is not there')
      await move(null, 'one')
      await assertRefuses(soup, () => move(null, 'two'), 'SOUP_CONFLICT', 'an entry that is there')
      await assertRefuses(soup, () => move(hash('two'), 'two'), 'SOUP_CONFLICT', 'an entry of another value')
      await move(hash('one'), 'two')
      await move(hash('two'), 'two')
      const ref = { expect: { entries: { 'ref:main': null } }, refs: { main: idOf('one') } }
      await commit(soup, ref)
      await assertRefuses(soup, () => commit(soup, ref), 'SOUP_CONFLICT', 'a ref as the entry that it is')
    },
  },
  {
    name: 'a ref moves only from where the change expects it',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'), object('two'))
      const [one, two] = [idOf('one'), idOf('two')]
      const move = (from: ContentId | null, to: ContentId | null) =>
        commit(soup, { expect: { refs: { main: from } }, refs: { main: to } })
      await assertRefuses(soup, () => move(one, two), 'SOUP_CONFLICT', 'a ref that is not there')
      await move(null, one)
      assertEqual(await soup.entry('ref:main'), { key: 'ref:main', type: 'ref', object: one, fields: {} }, 'its entry')
      await assertRefuses(soup, () => move(null, two), 'SOUP_CONFLICT', 'a ref that is there')
      await assertRefuses(soup, () => move(two, two), 'SOUP_CONFLICT', 'a ref that is elsewhere')
      await move(one, two)
      await move(two, null)
      assertEqual(await soup.entry('ref:main'), undefined, 'the removed ref')
    },
  },
  {
    name: 'of two changes that expect the same ref one wins',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'), object('two'))
      const outcomes = await Promise.allSettled(
        ['one', 'two'].map((text) => commit(soup, { expect: { refs: { main: null } }, refs: { main: idOf(text) } })),
      )
      assertEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'the outcomes')
    },
  },
  {
    name: 'a change that relies on an object which is not under charge is refused',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'))
      await commit(soup, { expect: { present: [idOf('one')] }, entries: { put: [named('a', 'one')] } })
      const expected = { expect: { present: [idOf('one'), idOf('two')] }, objects: { add: [object('two')] } }
      await assertRefuses(soup, () => commit(soup, expected), 'SOUP_NOT_PRESENT', 'an expectation')
      await assertRefuses(soup, () => put(soup, named('b', 'two')), 'SOUP_NOT_PRESENT', 'an entry')
      await assertRefuses(soup, () => commit(soup, { refs: { main: idOf('two') } }), 'SOUP_NOT_PRESENT', 'a ref')
      await assertRefuses(soup, () => add(soup, object('whole', 'two')), 'SOUP_NOT_PRESENT', 'a link')
      await commit(soup, {
        objects: { add: [object('whole', 'two', 'one'), object('two')] },
        refs: { main: idOf('two') },
      })
    },
  },
  {
    name: 'a change that relies on a condemned segment is refused',
    async run(store) {
      const soup = await activeSoup(store)
      await store.reclaim.condemn(['s1', 's2'])
      const rely = (segment: string) =>
        commit(soup, { expect: { segments: ['s0', segment] }, objects: { add: [object('one')] } })
      await assertRefuses(soup, () => rely('s2'), 'SOUP_CONDEMNED', 'a condemned segment')
      assertEqual((await rely('s3')).added, 1, 'objects added')
    },
  },
  {
    name: 'a refusal at the end of a change undoes its beginning',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, { key: 'r', type: 'release', fields: { version: '1.0.0' } })
      const change = {
        objects: { add: [object('one')] },
        refs: { main: idOf('one') },
        entries: { put: [named('a', 'one'), { key: 'r', type: 'release', fields: {} }] },
      }
      await assertRefuses(soup, () => commit(soup, change), 'SOUP_CONTRACT', 'the change')
    },
  },
  {
    name: 'an aborted call throws the reason and changes nothing',
    async run(store) {
      const soup = await activeSoup(store)
      const before = await everything(soup)
      const reason = new Error('stopped')
      const options = { signal: AbortSignal.abort(reason) }
      const caught: unknown = await soup.commit({ epoch: 0, objects: { add: [object('one')] } }, options).then(
        () => 'no error',
        (error: unknown) => error,
      )
      assertThat(caught === reason, 'the reason comes back unchanged')
      assertEqual(await everything(soup), before, 'the vault')
    },
  },
]
