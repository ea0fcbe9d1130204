import type { ContractCase } from '@vault/core/testing'
import type { Member } from '../soup.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'
import { activeSoup, add, assertEqual, commit, idOf, named, object, receivingSoup, VAULT } from './subject.ts'

const CHAIN = 3000

async function charged(soup: VaultSoup, ...texts: readonly string[]): Promise<string> {
  const under = await soup.charged(texts.map(idOf))
  return texts.filter((_, i) => under[i]).join(' ')
}

async function release(soup: VaultSoup, ...texts: readonly string[]): Promise<number> {
  return (await commit(soup, { objects: { release: texts.map(idOf) } })).released
}

export const releaseCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'an object that two names have stays until both are gone',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, {
        objects: { add: [object('one')] },
        entries: { put: [named('a', 'one'), named('b', 'one')] },
      })
      const first = await commit(soup, { entries: { remove: ['path:a'] }, objects: { release: [idOf('one')] } })
      assertEqual(first.released, 0, 'released with the first name')
      assertEqual(await soup.entry('path:b'), named('b', 'one'), 'the other name')
      const second = await commit(soup, { entries: { remove: ['path:b'] }, objects: { release: [idOf('one')] } })
      assertEqual(second.released, 1, 'released with the second name')
      assertEqual(await soup.view(async ({ counts }) => counts), { objects: 0, bytes: 0, entries: 0 }, 'what is left')
    },
  },
  {
    name: 'an overwritten name lets go of its object',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'), object('two'))
      await commit(soup, { entries: { put: [named('a', 'one')] } })
      await commit(soup, { entries: { put: [named('a', 'two')] } })
      assertEqual(await release(soup, 'one', 'two'), 1, 'released')
      assertEqual(await charged(soup, 'one', 'two'), 'two', 'under charge')
    },
  },
  {
    name: 'nothing leaves charge unasked',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, { objects: { add: [object('one')] }, entries: { put: [named('a', 'one')] } })
      await commit(soup, { entries: { remove: ['path:a'] } })
      assertEqual(await charged(soup, 'one'), 'one', 'under charge')
    },
  },
  {
    name: 'what is released takes with it what only it linked to',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('a'), object('b'), object('shared'), object('named'), object('inner', 'b'))
      await add(soup, object('whole', 'a', 'inner', 'shared', 'named'), object('other', 'shared'))
      await commit(soup, { entries: { put: [named('n', 'named')] } })
      assertEqual(await release(soup, 'inner', 'a'), 0, 'released below what stays')
      assertEqual(await release(soup, 'whole'), 4, 'released with the whole')
      const left = await charged(soup, 'whole', 'inner', 'a', 'b', 'shared', 'named', 'other')
      assertEqual(left, 'shared named other', 'under charge')
    },
  },
  {
    name: 'an object at the end of two ways leaves with the last of them',
    async run(store) {
      const soup = await activeSoup(store)
      await add(
        soup,
        object('end'),
        object('left', 'end', 'end'),
        object('right', 'end'),
        object('top', 'left', 'right'),
      )
      assertEqual(await release(soup, 'end'), 0, 'released with two ways')
      assertEqual(await release(soup, 'end', 'top', 'left'), 4, 'released')
    },
  },
  {
    name: 'a long chain of links leaves as a whole',
    async run(store) {
      const soup = await activeSoup(store)
      const members: Member[] = Array.from({ length: CHAIN }, (_, i) =>
        i === 0 ? object('link 0') : object(`link ${i}`, `link ${i - 1}`),
      )
      await add(soup, ...members)
      assertEqual(await release(soup, `link ${CHAIN - 1}`), CHAIN, 'released')
    },
  },
  {
    name: 'members that claim to link in a circle stay, and asking to release them ends',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('x', 'y'), object('y', 'z'), object('z', 'x'), object('self', 'self'), object('free', 'x'))
      assertEqual(await release(soup, 'x', 'y', 'z', 'self', 'free'), 1, 'released')
      assertEqual(await charged(soup, 'x', 'y', 'z', 'self', 'free'), 'x y z self', 'under charge')
    },
  },
  {
    name: 'a change never releases what it adds or expects present, named or below what goes',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('added'), object('expected'), object('gone'), object('old', 'added', 'expected', 'gone'))
      const committed = await commit(soup, {
        expect: { present: [idOf('expected')] },
        objects: {
          add: [object('added'), object('fresh')],
          release: ['old', 'added', 'expected', 'fresh'].map(idOf),
        },
      })
      assertEqual(committed, { sequence: 2, added: 1, released: 2 }, 'what it did')
      assertEqual(
        await charged(soup, 'added', 'expected', 'fresh', 'old', 'gone'),
        'added expected fresh',
        'under charge',
      )
      assertEqual(await release(soup, 'added', 'expected', 'fresh'), 3, 'released by a later change')
    },
  },
  {
    name: 'a released object comes back like a new one',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('part'), object('whole', 'part'))
      await release(soup, 'whole')
      assertEqual((await add(soup, object('part'), object('whole', 'part'))).added, 2, 'added again')
      assertEqual(await release(soup, 'part'), 0, 'released below the whole')
    },
  },
  {
    name: 'what a migration wrote is counted when it is released later',
    async run(store) {
      const soup = await receivingSoup(store)
      await soup.receive({ migration: 'm1', objects: { add: [object('whole', 'part'), object('other')] } })
      await soup.receive({ migration: 'm1', objects: { add: [object('part')], remove: [idOf('other')] } })
      await store.tenures.transition(VAULT, { state: 'receiving', epoch: 0 }, { state: 'prepared', epoch: 0 })
      await store.tenures.transition(VAULT, { state: 'prepared', epoch: 0 }, { state: 'active', epoch: 1 })
      const released = (text: string) => soup.commit({ epoch: 1, objects: { release: [idOf(text)] } })
      assertEqual((await released('part')).released, 0, 'released below the whole')
      assertEqual((await released('whole')).released, 2, 'released with the whole')
    },
  },
]
