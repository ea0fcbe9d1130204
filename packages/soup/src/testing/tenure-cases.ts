import type { ContentId } from '@vault/core'
import { utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects } from '@vault/core/testing'
import type { SoupStore } from '../soup-store.ts'
import type { Tenure, TenureMove, TenureState } from '../tenures.ts'
import {
  activeSoup,
  add,
  assertEqual,
  assertRefuses,
  commit,
  everything,
  idOf,
  OTHER_VAULT,
  object,
  receivingSoup,
  VAULT,
} from './subject.ts'

/** How each state is reached from nothing, and where one may go from it in a higher epoch, empty as the vault is. */
const MOVES: Readonly<Record<TenureState, { path: readonly TenureState[]; next: readonly TenureState[] }>> = {
  none: { path: [], next: ['receiving', 'active'] },
  receiving: { path: ['receiving'], next: ['none', 'receiving', 'prepared', 'replica'] },
  prepared: { path: ['receiving', 'prepared'], next: ['none', 'receiving', 'active', 'replica'] },
  active: { path: ['active'], next: ['none', 'active', 'quiesced', 'replica', 'ended'] },
  quiesced: { path: ['active', 'quiesced'], next: ['active', 'retired'] },
  retired: { path: ['active', 'quiesced', 'retired'], next: ['none', 'receiving', 'active'] },
  replica: { path: ['receiving', 'replica'], next: ['none', 'receiving'] },
  ended: { path: ['active', 'ended'], next: [] },
}

/** What every move there is asks for, in an epoch that is higher unless it must not be. */
const STATES = Object.keys(MOVES) as readonly TenureState[]

function move(from: Tenure, state: TenureState, epoch: number): TenureMove {
  const stays = (from.state === 'quiesced' && state === 'active') || (from.state === 'active' && state === 'replica')
  const evidence = state === 'retired' ? { evidence: utf8('hand-off') } : {}
  return { state, epoch: stays ? from.epoch : epoch, migration: 'm1', ...evidence }
}

async function walk(store: SoupStore, path: readonly TenureState[], vault: ContentId = VAULT): Promise<Tenure> {
  for (const state of path) {
    const now = await store.tenures.read(vault)
    const handedOff = now.state === 'prepared' || state === 'retired'
    await store.tenures.transition(vault, now, move(now, state, handedOff ? now.epoch + 1 : now.epoch))
  }
  return await store.tenures.read(vault)
}

const moveCases = STATES.map(
  (from): ContractCase<SoupStore> => ({
    name: `a tenure goes from ${from} only where it may`,
    async run(store) {
      for (const state of STATES) {
        // One of its own: out of some states there is no way.
        const vault = idOf(`to ${state}`)
        const now = await walk(store, MOVES[from].path, vault)
        assertEqual(now.state, from, 'the state to start from')
        const to = move(now, state, 3)
        const outcome = store.tenures.transition(vault, now, to)
        if (MOVES[from].next.includes(state)) {
          await outcome
          const { state: after, epoch } = await store.tenures.read(vault)
          assertEqual({ after, epoch }, { after: state, epoch: state === 'none' ? 0 : to.epoch }, `to ${state}`)
        } else {
          await assertRejects(outcome, 'SOUP_TENURE', `to ${state}`)
          assertEqual(await store.tenures.read(vault), now, `the tenure after it did not go to ${state}`)
        }
      }
    },
  }),
)

export const tenureCases: readonly ContractCase<SoupStore>[] = [
  ...moveCases,
  ...STATES.filter((state) => state !== 'active').map(
    (state): ContractCase<SoupStore> => ({
      name: `a vault that is ${state} takes no ordinary change`,
      async run(store) {
        await walk(store, MOVES[state].path)
        await assertRejects(add(store.soup(VAULT), object('one')), 'SOUP_NOT_ACTIVE', 'a change')
      },
    }),
  ),
  {
    name: 'a tenure moves only from what it is said to be',
    async run(store) {
      await activeSoup(store)
      const to = { state: 'quiesced', epoch: 0, migration: 'm1' } as const
      const { tenures } = store
      await assertRejects(tenures.transition(VAULT, { state: 'none', epoch: 0 }, to), 'SOUP_TENURE', 'another state')
      await assertRejects(tenures.transition(VAULT, { state: 'active', epoch: 1 }, to), 'SOUP_TENURE', 'another epoch')
      const from = { state: 'active', epoch: 0 } as const
      await assertRejects(tenures.transition(VAULT, { ...from, sequence: 1 }, to), 'SOUP_TENURE', 'another sequence')
      await assertRejects(tenures.transition(VAULT, { ...from, migration: 'm1' }, to), 'SOUP_TENURE', 'no migration')
      const outcomes = await Promise.allSettled([
        tenures.transition(VAULT, from, to),
        tenures.transition(VAULT, from, to),
      ])
      assertEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'two at once')
    },
  },
  {
    name: 'an epoch never goes down, and a vault that was handed off is active again only in a higher one',
    async run(store) {
      const { tenures } = store
      await tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'active', epoch: 2 })
      const active = { state: 'active', epoch: 2 } as const
      for (const epoch of [1, -1, 2.5, Number.NaN]) {
        await assertRejects(
          tenures.transition(VAULT, active, { state: 'quiesced', epoch, migration: 'm1' }),
          'SOUP_TENURE',
          `epoch ${epoch}`,
        )
      }
      await tenures.transition(VAULT, active, { state: 'quiesced', epoch: 2, migration: 'm1' })
      const quiesced = { state: 'quiesced', epoch: 2, events: 0 } as const
      const evidence = utf8('hand-off')
      await assertRejects(
        tenures.transition(VAULT, quiesced, { state: 'retired', epoch: 2, evidence }),
        'SOUP_TENURE',
        'a hand-off in the same epoch',
      )
      await assertRejects(
        tenures.transition(VAULT, quiesced, { state: 'active', epoch: 3 }),
        'SOUP_TENURE',
        'a higher epoch without a hand-off',
      )
      await tenures.transition(VAULT, quiesced, { state: 'retired', epoch: 3, evidence })
      const retired = { state: 'retired', epoch: 3 } as const
      await assertRejects(
        tenures.transition(VAULT, retired, { state: 'active', epoch: 3 }),
        'SOUP_TENURE',
        'the same epoch',
      )
      await tenures.transition(VAULT, retired, { state: 'active', epoch: 4 })
    },
  },
  {
    name: 'an old copy becomes a replica in its own epoch, with its log whole, and is received again',
    async run(store) {
      const { tenures } = store
      const soup = await activeSoup(store)
      await commit(soup, { objects: { add: [object('one')] }, events: [utf8('event')] })
      const from = { state: 'active', epoch: 0 } as const
      const to = { state: 'replica', epoch: 0, migration: 'm1', evidence: utf8('found to be old') } as const
      await assertRejects(tenures.transition(VAULT, from, to), 'SOUP_TENURE', 'while an event waits')
      await soup.settled(1)
      await assertRejects(tenures.transition(VAULT, from, { ...to, epoch: 1 }), 'SOUP_TENURE', 'another epoch')
      await tenures.transition(VAULT, from, to)
      const replica = { vault: VAULT, state: 'replica', epoch: 0, sequence: 1, events: 1, migration: 'm1' } as const
      assertEqual(await tenures.read(VAULT), replica, 'the tenure')
      assertEqual(await tenures.evidence(VAULT), utf8('found to be old'), 'the evidence')
      await assertRejects(add(soup, object('two')), 'SOUP_NOT_ACTIVE', 'a change')
      await assertRejects(tenures.transition(VAULT, replica, { ...from, epoch: 1 }), 'SOUP_TENURE', 'active again')
      await tenures.transition(VAULT, replica, { state: 'receiving', epoch: 0, migration: 'm2' })
      assertEqual((await tenures.read(VAULT)).before?.state, 'replica', 'what it was before')
    },
  },
  {
    name: 'a vault ends with its last key events and its last audit events, and is read on',
    async run(store) {
      const { tenures } = store
      const soup = await activeSoup(store)
      await commit(soup, { objects: { add: [object('one')] }, events: [utf8('event')] })
      const limit = 10
      const before = await soup.members({ limit })
      const to = { state: 'ended', epoch: 0, keyEvents: [utf8('end')], events: [utf8('last')] } as const
      const stale = { state: 'active', epoch: 0, events: 0 } as const
      await assertRejects(tenures.transition(VAULT, stale, to), 'SOUP_TENURE', 'another number of events')
      await tenures.transition(VAULT, { ...stale, events: 1 }, to)
      const ended = { vault: VAULT, state: 'ended', epoch: 0, sequence: 1, events: 2 } as const
      assertEqual(await tenures.read(VAULT), ended, 'the tenure')
      assertEqual(await tenures.keyEvents(VAULT), [utf8('end')], 'its key events')
      assertEqual(
        (await soup.queued({ limit })).map(({ bytes }) => bytes),
        [utf8('event'), utf8('last')],
        'what waits for its log',
      )
      await soup.settled(2)
      assertEqual((await soup.queued({ limit: 1 })).length, 0, 'what waits once the log has it')
      assertEqual(await soup.members({ limit }), before, 'what it holds')
      const receive = () => soup.receive({ migration: 'm1', objects: { add: [object('two')] } })
      await assertRefuses(soup, receive, 'SOUP_TENURE', 'receiving over it')
      await assertRefuses(soup, () => add(soup, object('two')), 'SOUP_NOT_ACTIVE', 'a change')
    },
  },
  {
    name: 'an active vault with content does not vanish',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'))
      const before = await everything(soup)
      const vanish = () => store.tenures.transition(VAULT, { state: 'active', epoch: 0 }, { state: 'none', epoch: 0 })
      await assertRejects(vanish(), 'SOUP_TENURE', 'with an object')
      assertEqual(await everything(soup), before, 'the vault')
      await commit(soup, { objects: { release: [idOf('one')] } })
      await vanish()
      assertEqual(await store.tenures.list(), [], 'the vaults')
    },
  },
  {
    name: 'a vault that goes leaves nothing behind',
    async run(store) {
      const soup = await receivingSoup(store)
      await soup.receive({ migration: 'm1', objects: { add: [object('one', 'two')] } })
      const receiving = { state: 'receiving', epoch: 0 } as const
      await store.tenures.transition(VAULT, receiving, {
        state: 'receiving',
        epoch: 7,
        migration: 'm2',
        keyEvents: [utf8('event')],
      })
      await store.tenures.transition(VAULT, { state: 'receiving', epoch: 7 }, { state: 'none', epoch: 7 })
      assertEqual(await soup.tenure(), { vault: VAULT, state: 'none', epoch: 0, sequence: 0, events: 0 }, 'its tenure')
      assertEqual(await store.tenures.keyEvents(VAULT), [], 'its key events')
      const again = await activeSoup(store)
      assertEqual(await again.feed(), { oldest: 0, latest: 0 }, 'its feed')
      const added = await commit(again, { objects: { add: [object('two')] } })
      assertEqual(added, { sequence: 1, added: 1, released: 0 }, 'no member is left')
      const released = await commit(again, { objects: { release: [idOf('two')] } })
      assertEqual(released, { sequence: 2, added: 0, released: 1 }, 'no reference is left')
    },
  },
  {
    name: 'key events are kept until others come',
    async run(store) {
      const { tenures } = store
      const events = [utf8('first'), utf8('second')]
      const first = { state: 'active', epoch: 0 } as const
      await tenures.transition(VAULT, { state: 'none', epoch: 0 }, { ...first, keyEvents: events })
      events[0]?.fill(0)
      assertEqual(await tenures.keyEvents(VAULT), [utf8('first'), utf8('second')], 'the first ones')
      ;(await tenures.keyEvents(VAULT))[0]?.fill(0)
      await tenures.transition(VAULT, first, { state: 'quiesced', epoch: 0, migration: 'm1' })
      assertEqual(await tenures.keyEvents(VAULT), [utf8('first'), utf8('second')], 'those that stay')
      await tenures.transition(VAULT, { state: 'quiesced', epoch: 0 }, { ...first, keyEvents: [utf8('third')] })
      assertEqual(await tenures.keyEvents(VAULT), [utf8('third')], 'the new ones')
      assertEqual(await tenures.keyEvents(OTHER_VAULT), [], 'those of a vault that is not here')
    },
  },
  {
    name: 'receiving names its migration, and the name stays until there is another',
    async run(store) {
      const { tenures } = store
      const none = { state: 'none', epoch: 0 } as const
      await assertRejects(
        tenures.transition(VAULT, none, { state: 'receiving', epoch: 0 }),
        'SOUP_TENURE',
        'without a name',
      )
      await receivingSoup(store)
      await tenures.transition(VAULT, { state: 'receiving', epoch: 0 }, { state: 'replica', epoch: 0 })
      assertEqual((await tenures.read(VAULT)).migration, 'm1', 'the migration that wrote last')
      await tenures.transition(VAULT, { state: 'replica', epoch: 0 }, { state: 'receiving', epoch: 0, migration: 'm2' })
      assertEqual((await tenures.read(VAULT)).migration, 'm2', 'the migration that writes')
    },
  },
  ...(['replica', 'retired'] as const).map(
    (state): ContractCase<SoupStore> => ({
      name: `receiving over what is ${state} remembers it, can go back to it, and cannot take it away`,
      async run(store) {
        const { tenures } = store
        await walk(store, ['receiving'])
        await store.soup(VAULT).receive({ migration: 'm1', objects: { add: [object('one')] } })
        assertEqual((await tenures.read(VAULT)).before, { state: 'none', sequence: 0 }, 'before there was anything')
        const found = await walk(
          store,
          state === 'replica' ? ['replica'] : ['prepared', 'active', 'quiesced', 'retired'],
        )
        const { epoch } = found
        const standing = { vault: VAULT, state, epoch, sequence: 1, events: 0, migration: 'm1' }
        assertEqual(found, standing, 'what there is')

        const take = { state: 'receiving', epoch } as const
        for (const migration of ['m2', 'm3'])
          await tenures.transition(VAULT, await tenures.read(VAULT), { ...take, migration })
        const receiving = await tenures.read(VAULT)
        assertEqual(receiving.before, { state, sequence: 1, migration: 'm1' }, 'what there was before two migrations')
        const vanish = () => tenures.transition(VAULT, take, { state: 'none', epoch })
        await assertRejects(vanish(), 'SOUP_TENURE', 'taking it away')
        const back = { state, epoch, migration: 'm1' } as const
        const stale = { ...receiving, migration: 'm2' }
        await assertRejects(tenures.transition(VAULT, stale, back), 'SOUP_TENURE', 'the migration that was shut out')
        await tenures.transition(VAULT, receiving, back)
        assertEqual(await tenures.read(VAULT), found, 'what there is after going back')

        await tenures.transition(VAULT, found, { ...take, migration: 'm4' })
        await store.soup(VAULT).receive({ migration: 'm4', objects: { add: [object('two')] } })
        await assertRejects(vanish(), 'SOUP_TENURE', 'taking it away after a change')
        await assertRejects(tenures.transition(VAULT, receiving, back), 'SOUP_TENURE', 'another sequence')
        const retire = () => tenures.transition(VAULT, take, { state: 'retired', epoch })
        await assertRejects(retire(), 'SOUP_TENURE', 'retiring what was received')
        await tenures.transition(VAULT, take, { state: 'replica', epoch })
        const { before, sequence } = await tenures.read(VAULT)
        assertEqual({ before, sequence }, { before: undefined, sequence: 2 }, 'a replica looks back no more')
      },
    }),
  ),
  {
    name: 'the vaults of a place know nothing of each other',
    async run(store) {
      const soup = await activeSoup(store)
      await store.tenures.transition(OTHER_VAULT, { state: 'none', epoch: 0 }, { state: 'active', epoch: 5 })
      const other = store.soup(OTHER_VAULT)
      await add(soup, object('one'))
      await other.commit({ epoch: 5, objects: { add: [object('two')] } })
      await other.commit({ epoch: 5, refs: { main: idOf('two') } })
      assertEqual(await soup.charged([idOf('one'), idOf('two')]), [true, false], 'under charge in one')
      assertEqual(await other.charged([idOf('one'), idOf('two')]), [false, true], 'under charge in the other')
      assertEqual(await soup.entry('ref:main'), undefined, 'the ref of the other')
      assertEqual([(await soup.tenure()).sequence, (await other.tenure()).sequence], [1, 2], 'their numbers')
      const vaults = (await store.tenures.list()).map(({ vault }) => vault)
      assertEqual([...vaults].sort(), [VAULT, OTHER_VAULT].sort(), 'the vaults of the place')
    },
  },
]
