import type { ContentId } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import type { SoupStore } from '../soup-store.ts'
import {
  activeSoup,
  add,
  assertEqual,
  assertRefuses,
  commit,
  idOf,
  OTHER_VAULT,
  object,
  receivingSoup,
  VAULT,
} from './subject.ts'

const NONE = { state: 'none', epoch: 0 } as const
const ACTIVE = { state: 'active', epoch: 0 } as const

const listed = async (store: SoupStore) => (await Array.fromAsync(store.reclaim.list())).flat().sort()

export const reclaimCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'a mark counts for every vault of the place, for those that come later too, and for good',
    async run(store) {
      const soup = await activeSoup(store)
      await store.reclaim.condemn(['s1', 's2'])
      await store.reclaim.condemn(['s2'])
      assertEqual(await store.reclaim.condemned(['s0', 's1', 's2']), ['s1', 's2'], 'those that are marked')
      await store.tenures.transition(OTHER_VAULT, NONE, ACTIVE)
      const other = store.soup(OTHER_VAULT)
      for (const vault of [soup, other]) {
        const rely = () => commit(vault, { expect: { segments: ['s1'] }, objects: { add: [object('one')] } })
        await assertRefuses(vault, rely, 'SOUP_CONDEMNED', 'a change that relies on a marked segment')
      }
      await store.tenures.transition(VAULT, ACTIVE, NONE)
      assertEqual(await store.reclaim.condemned(['s1']), ['s1'], 'after a vault has gone')
    },
  },
  {
    name: 'what any vault has under charge or holds is needed, and nothing else',
    async run(store) {
      const soup = await activeSoup(store)
      await store.tenures.transition(OTHER_VAULT, NONE, ACTIVE)
      await add(soup, object('member'), object('released'))
      await commit(soup, { objects: { release: [idOf('released')] } })
      await add(store.soup(OTHER_VAULT), object('of the other'))
      const { id, size } = object('held')
      await commit(soup, { hold: [{ id, size }] })
      const asked = ['member', 'released', 'of the other', 'held', 'unknown'].map(idOf)
      assertEqual(await store.reclaim.needed(asked), [true, false, true, true, false], 'needed')
      assertEqual(await store.reclaim.needed([]), [], 'nothing asked')
      assertEqual(await listed(store), ['held', 'member', 'of the other'].map(idOf).sort(), 'all that is needed')
    },
  },
  {
    name: 'what a migration took from charge is needed as long as it can be given up',
    async run(store) {
      const soup = await receivingSoup(store)
      await soup.receive({ migration: 'm1', objects: { add: [object('old')] } })
      const receiving = { state: 'receiving', epoch: 0, migration: 'm1' } as const
      await store.tenures.transition(VAULT, receiving, { state: 'replica', epoch: 0 })
      await store.tenures.transition(VAULT, { state: 'replica', epoch: 0 }, { ...receiving, migration: 'm2' })
      await soup.receive({ migration: 'm2', objects: { add: [object('new')], remove: [idOf('old')] } })
      assertEqual(await soup.charged([idOf('old')]), [false], 'under charge')
      assertEqual(await store.reclaim.needed([idOf('old'), idOf('new')]), [true, true], 'while it is received')
      assertEqual(await listed(store), [idOf('old'), idOf('new')].sort(), 'all that is needed while it is received')
      await store.tenures.transition(VAULT, { ...receiving, migration: 'm2' }, { state: 'replica', epoch: 0 })
      assertEqual(await store.reclaim.needed([idOf('old'), idOf('new')]), [false, true], 'when it has arrived')
      assertEqual(await listed(store), [idOf('new')], 'all that is needed when it has arrived')
    },
  },
  {
    name: 'what giving up a migration puts back under charge while it is listed is among what is needed',
    async run(store) {
      const soup = await receivingSoup(store)
      await soup.receive({ migration: 'm1', objects: { add: [object('old')] } })
      const receiving = { state: 'receiving', epoch: 0, migration: 'm1' } as const
      await store.tenures.transition(VAULT, receiving, { state: 'replica', epoch: 0 })
      await store.tenures.transition(VAULT, { state: 'replica', epoch: 0 }, { ...receiving, migration: 'm2' })
      await soup.receive({ migration: 'm2', objects: { remove: [idOf('old')] } })
      const ids: ContentId[] = []
      for await (const page of store.reclaim.list()) {
        ids.push(...page)
        await soup.restore({ migration: 'm2', limit: 100 })
      }
      assertEqual(ids, [idOf('old')], 'all that is needed')
    },
  },
]
