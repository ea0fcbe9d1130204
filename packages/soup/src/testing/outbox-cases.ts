import type { Bytes } from '@vault/core'
import { utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects, assertThat } from '@vault/core/testing'
import { MAX_EVENT_LENGTH, MAX_EVENTS } from '../outbox.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'
import {
  activeSoup,
  assertEqual,
  assertRefuses,
  commit,
  everything,
  named,
  OTHER_VAULT,
  object,
  put,
  receivingSoup,
  VAULT,
} from './subject.ts'

const ACTIVE = { state: 'active', epoch: 0 } as const
const QUIESCED = { state: 'quiesced', epoch: 0 } as const

/** Events that are these texts. */
export function eventsOf(...texts: readonly string[]): readonly Bytes[] {
  return texts.map(utf8)
}

/** What waits, as `index text`. */
export async function waiting(soup: VaultSoup): Promise<readonly string[]> {
  const queued = await soup.queued({ limit: 10_000 })
  return queued.map(({ index, bytes }) => `${index} ${new TextDecoder().decode(bytes)}`)
}

async function quiescedSoup(store: SoupStore): Promise<VaultSoup> {
  const soup = await activeSoup(store)
  await store.tenures.transition(VAULT, ACTIVE, { ...QUIESCED, migration: 'm1' })
  return soup
}

export const outboxCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'audit events are queued with their change, in order, under indices of their own',
    async run(store) {
      const soup = await activeSoup(store)
      assertEqual(await waiting(soup), [], 'what waits at first')
      await commit(soup, { objects: { add: [object('one')] }, events: eventsOf('a', 'b') })
      await commit(soup, { entries: { put: [named('a', 'one')] }, events: eventsOf('c') })
      assertEqual(await waiting(soup), ['0 a', '1 b', '2 c'], 'what waits')
      const { sequence, events } = await soup.tenure()
      assertEqual({ sequence, events }, { sequence: 2, events: 3 }, 'the numbers')
      assertEqual((await soup.queued({ limit: 2 })).length, 2, 'the first two')
      const other = store.soup(OTHER_VAULT)
      await store.tenures.transition(OTHER_VAULT, { state: 'none', epoch: 0 }, ACTIVE)
      await commit(other, { events: eventsOf('x') })
      assertEqual(await waiting(other), ['0 x'], 'what waits for another vault')
    },
  },
  {
    name: 'a change of nothing but events and held blocks takes no number and is kept',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, { key: 'p', type: 'policy', fields: {} })
      const done = await commit(soup, { events: eventsOf('a'), hold: [object('payload')] })
      assertEqual(done, { sequence: 1, added: 0, released: 0 }, 'what it did')
      assertEqual(await soup.feed(), { oldest: 0, latest: 1 }, 'the feed')
      assertEqual(await waiting(soup), ['0 a'], 'what waits')
      assertEqual(await soup.holds([object('payload').id]), [true], 'what is held')
      assertEqual(await commit(soup, { events: eventsOf('a') }), done, 'an equal event again')
      assertEqual(await waiting(soup), ['0 a', '1 a'], 'which is another one')
    },
  },
  {
    name: 'of two that expect the same number of audit events one is heard',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, { events: eventsOf('a'), expect: { events: 0 } })
      await assertRejects(commit(soup, { events: eventsOf('b'), expect: { events: 0 } }), 'SOUP_CONFLICT', 'the second')
      assertEqual(await waiting(soup), ['0 a'], 'what waits')
      await commit(soup, { events: eventsOf('b'), expect: { events: 1 } })
      assertEqual(await waiting(soup), ['0 a', '1 b'], 'what waits then')
    },
  },
  {
    name: 'a refused change queues and holds nothing',
    async run(store) {
      const soup = await activeSoup(store)
      const brought = { events: eventsOf('a'), hold: [object('payload')] }
      const refused = () => commit(soup, { ...brought, entries: { put: [named('a', 'absent')] } })
      await assertRefuses(soup, refused, 'SOUP_NOT_PRESENT', 'a name for nothing')
      await assertRefuses(soup, () => soup.commit({ ...brought, epoch: 1 }), 'SOUP_EPOCH', 'another epoch')
      await store.reclaim.condemn(['s1'])
      const condemned = () => commit(soup, { ...brought, expect: { segments: ['s1'] } })
      await assertRefuses(soup, condemned, 'SOUP_CONDEMNED', 'a condemned segment')
    },
  },
  {
    name: 'events have 1 to 61,440 bytes, and a change at most 1,024',
    async run(store) {
      const soup = await activeSoup(store)
      const refuse = (what: string, events: readonly Uint8Array[]) =>
        assertRefuses(soup, () => commit(soup, { events, objects: { add: [object('one')] } }), 'SOUP_INVALID', what)
      await refuse('an empty event', [...eventsOf('a'), new Uint8Array(0)])
      await refuse('a long event', [new Uint8Array(MAX_EVENT_LENGTH + 1)])
      await refuse(
        'many events',
        Array.from({ length: MAX_EVENTS + 1 }, () => Uint8Array.of(1)),
      )
      await commit(soup, { events: [new Uint8Array(MAX_EVENT_LENGTH)] })
      await commit(soup, { events: Array.from({ length: MAX_EVENTS }, () => Uint8Array.of(1)) })
      assertEqual((await soup.tenure()).events, MAX_EVENTS + 1, 'events')
    },
  },
  {
    name: 'settled events are forgotten once and for all, and their indices go on',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, { events: eventsOf('a', 'b', 'c', 'd') })
      await soup.settled(0)
      assertEqual((await waiting(soup)).length, 4, 'what waits when nothing was settled')
      await soup.settled(2)
      assertEqual(await waiting(soup), ['2 c', '3 d'], 'what waits after two')
      for (const before of [2, 1, 0]) await soup.settled(before)
      assertEqual(await waiting(soup), ['2 c', '3 d'], 'what waits after what was settled before')
      for (const before of [5, -1, 0.5, Number.NaN, 2 ** 53]) {
        await assertRefuses(soup, () => soup.settled(before), 'SOUP_INVALID', `settling ${before}`)
      }
      await soup.settled(4)
      assertEqual(await waiting(soup), [], 'what waits after all')
      await commit(soup, { events: eventsOf('e') })
      assertEqual(await waiting(soup), ['4 e'], 'what waits next')
      assertEqual((await soup.tenure()).events, 5, 'events that there ever were')
      assertEqual(await Array.fromAsync(soup.check()), [], 'findings')
    },
  },
  {
    name: 'events and what is queued are copies, and a limit is one',
    async run(store) {
      const soup = await activeSoup(store)
      const [event] = eventsOf('a')
      await commit(soup, { events: [event as Bytes] })
      event?.fill(0)
      ;(await soup.queued({ limit: 1 }))[0]?.bytes.fill(0)
      assertEqual(await waiting(soup), ['0 a'], 'what waits')
      for (const limit of [0, -1, 0.5]) {
        const outcome: unknown = await soup.queued({ limit }).catch((error: unknown) => error)
        assertThat(outcome instanceof RangeError, `the limit ${limit}`)
      }
    },
  },
  {
    name: 'a frozen vault takes events and held blocks of its migration, and nothing else',
    async run(store) {
      const soup = await quiescedSoup(store)
      await commit(soup, { migration: 'm1', events: eventsOf('a'), hold: [object('payload')] })
      assertEqual(await waiting(soup), ['0 a'], 'what waits')
      assertEqual(await soup.holds([object('payload').id]), [true], 'what is held')
      const events = eventsOf('b')
      const refuse = (what: string, code: string, change: Parameters<typeof commit>[1]) =>
        assertRefuses(soup, () => commit(soup, { events, ...change }), code, what)
      await refuse('no migration', 'SOUP_NOT_ACTIVE', {})
      await refuse('another migration', 'SOUP_TENURE', { migration: 'm2' })
      await refuse('an object', 'SOUP_INVALID', { migration: 'm1', objects: { add: [object('one')] } })
      await refuse('an entry', 'SOUP_INVALID', { migration: 'm1', entries: { remove: ['a'] } })
      await refuse('a ref', 'SOUP_INVALID', { migration: 'm1', refs: { main: null } })
      const late = () => soup.commit({ epoch: 1, migration: 'm1', events })
      await assertRefuses(soup, late, 'SOUP_EPOCH', 'another epoch')
    },
  },
  {
    name: 'a vault that is not frozen takes no change for a migration',
    async run(store) {
      const soup = await activeSoup(store)
      const change = () => commit(soup, { migration: 'm1', events: eventsOf('a') })
      await assertRefuses(soup, change, 'SOUP_TENURE', 'an active vault')
      await store.tenures.transition(VAULT, ACTIVE, { ...QUIESCED, migration: 'm1' })
      await store.tenures.transition(VAULT, QUIESCED, ACTIVE)
      await assertRefuses(soup, change, 'SOUP_TENURE', 'a vault that is active again')
    },
  },
  {
    name: 'a vault that is received queues nothing',
    async run(store) {
      const soup = await receivingSoup(store)
      const change = { events: eventsOf('a') }
      await assertRefuses(soup, () => commit(soup, change), 'SOUP_NOT_ACTIVE', 'a change')
      await assertRefuses(soup, () => commit(soup, { ...change, migration: 'm1' }), 'SOUP_TENURE', 'for its migration')
    },
  },
  {
    name: 'a move queues its events and holds its blocks, where the log goes on',
    async run(store) {
      const soup = await activeSoup(store)
      const { tenures } = store
      const brought = { events: eventsOf('quiesced'), hold: [object('plan')] }
      await tenures.transition(VAULT, ACTIVE, { ...QUIESCED, migration: 'm1', ...brought })
      assertEqual(await waiting(soup), ['0 quiesced'], 'what waits')
      assertEqual(await soup.holds([object('plan').id]), [true], 'what is held')
      const before = await everything(soup)
      const events = eventsOf('more')
      const retire = { state: 'retired', epoch: 1, evidence: utf8('hand-off') } as const
      const from = { ...QUIESCED, events: 1 }
      await assertRejects(tenures.transition(VAULT, from, { ...retire, events }), 'SOUP_TENURE', 'a log handed off')
      const stale = { ...QUIESCED, events: 2 }
      await assertRejects(tenures.transition(VAULT, stale, ACTIVE), 'SOUP_TENURE', 'another number of events')
      const long = { ...ACTIVE, events: [new Uint8Array(MAX_EVENT_LENGTH + 1)] }
      await assertRejects(tenures.transition(VAULT, QUIESCED, long), 'SOUP_INVALID', 'a long event')
      assertEqual(await everything(soup), before, 'the vault')
      await tenures.transition(VAULT, from, { ...ACTIVE, events: eventsOf('resumed') })
      assertEqual(await waiting(soup), ['0 quiesced', '1 resumed'], 'what waits after two moves')
      assertEqual((await soup.tenure()).events, 2, 'events')
      const none = { state: 'none', epoch: 0 } as const
      await assertRejects(tenures.transition(VAULT, ACTIVE, { ...none, events }), 'SOUP_TENURE', 'a vault that goes')
    },
  },
]
