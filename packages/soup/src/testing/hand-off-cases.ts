import { utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects } from '@vault/core/testing'
import { MAX_EVIDENCE_LENGTH } from '../check-move.ts'
import type { SoupStore } from '../soup-store.ts'
import type { TenureMove } from '../tenures.ts'
import { eventsOf, waiting } from './outbox-cases.ts'
import {
  activeSoup,
  add,
  all,
  assertEqual,
  commit,
  everything,
  idOf,
  OTHER_VAULT,
  object,
  put,
  receivingSoup,
  tableOf,
  VAULT,
} from './subject.ts'

const ACTIVE = { state: 'active', epoch: 0 } as const
const QUIESCED = { state: 'quiesced', epoch: 0 } as const
const RECEIVING = { state: 'receiving', epoch: 0 } as const
const PREPARED = { state: 'prepared', epoch: 0 } as const
const EVIDENCE = utf8('hand-off')

/** A vault with two changes and what it received, about to be handed off to. */
async function preparedSoup(store: SoupStore): Promise<void> {
  const soup = await receivingSoup(store)
  await soup.receive({ migration: 'm1', objects: { add: [object('one')] } })
  await soup.receive({ migration: 'm1', objects: { add: [object('two')] } })
  await store.tenures.transition(VAULT, RECEIVING, PREPARED)
}

export const handOffCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'quiescing names its migration',
    async run(store) {
      await activeSoup(store)
      const quiesce = (to: TenureMove) => store.tenures.transition(VAULT, ACTIVE, to)
      await assertRejects(quiesce(QUIESCED), 'SOUP_TENURE', 'without a name')
      await assertRejects(quiesce({ ...QUIESCED, migration: '' }), 'SOUP_TENURE', 'with an empty one')
      await quiesce({ ...QUIESCED, migration: 'm1' })
      assertEqual((await store.tenures.read(VAULT)).migration, 'm1', 'its name')
    },
  },
  {
    name: 'a vault is retired with a document, and once its log is whole',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, { events: eventsOf('a', 'b') })
      const { tenures } = store
      await tenures.transition(VAULT, ACTIVE, { ...QUIESCED, migration: 'm1' })
      const retired = { state: 'retired', epoch: 1, evidence: EVIDENCE } as const
      const from = { ...QUIESCED, events: 2 }
      const before = await everything(soup)
      const refuse = async (what: string, act: Promise<void>) => {
        await assertRejects(act, 'SOUP_TENURE', what)
        assertEqual(await everything(soup), before, `${what}: nothing has changed`)
      }
      await refuse('a log that is not whole', tenures.transition(VAULT, from, retired))
      await soup.settled(1)
      Object.assign(before as object, await everything(soup))
      await refuse('a log that is not whole yet', tenures.transition(VAULT, from, retired))
      await soup.settled(2)
      Object.assign(before as object, await everything(soup))
      await refuse('no document', tenures.transition(VAULT, from, { state: 'retired', epoch: 1 }))
      await refuse('the same epoch', tenures.transition(VAULT, from, { ...retired, epoch: 0 }))
      await refuse('no number of events', tenures.transition(VAULT, QUIESCED, retired))
      await refuse('another number of events', tenures.transition(VAULT, { ...from, events: 1 }, retired))
      await tenures.transition(VAULT, from, retired)
      const { state, epoch, events } = await tenures.read(VAULT)
      assertEqual({ state, epoch, events }, { state: 'retired', epoch: 1, events: 2 }, 'the tenure')
    },
  },
  {
    name: 'the document of a move is kept until another one comes',
    async run(store) {
      await activeSoup(store)
      const { tenures } = store
      assertEqual(await tenures.evidence(VAULT), undefined, 'at first')
      assertEqual(await tenures.evidence(OTHER_VAULT), undefined, 'of a vault that is not here')
      await tenures.transition(VAULT, ACTIVE, { ...QUIESCED, migration: 'm1' })
      const document = utf8('hand-off')
      const retired = { state: 'retired', epoch: 1 } as const
      await tenures.transition(VAULT, { ...QUIESCED, events: 0 }, { ...retired, evidence: document })
      document.fill(0)
      ;(await tenures.evidence(VAULT))?.fill(0)
      assertEqual(await tenures.evidence(VAULT), EVIDENCE, 'the first one')
      await tenures.transition(VAULT, retired, { state: 'receiving', epoch: 1, migration: 'm2' })
      assertEqual(await tenures.evidence(VAULT), EVIDENCE, 'after a move without one')
      const second = new Uint8Array(MAX_EVIDENCE_LENGTH)
      const back = { state: 'receiving', epoch: 1 } as const
      for (const evidence of [new Uint8Array(0), new Uint8Array(MAX_EVIDENCE_LENGTH + 1)]) {
        await assertRejects(
          tenures.transition(VAULT, back, { ...retired, evidence }),
          'SOUP_INVALID',
          `one of ${evidence.length} bytes`,
        )
      }
      await tenures.transition(VAULT, back, { ...retired, evidence: second })
      assertEqual((await tenures.evidence(VAULT))?.length, second.length, 'the second one')
      await tenures.transition(VAULT, retired, { state: 'none', epoch: 1 })
      await activeSoup(store)
      assertEqual(await tenures.evidence(VAULT), undefined, 'after the vault was gone')
    },
  },
  {
    name: 'what was prepared goes on with the numbers of the other place, in a higher epoch',
    async run(store) {
      await preparedSoup(store)
      const { tenures } = store
      const soup = store.soup(VAULT)
      const table = () => soup.view((view) => tableOf(view, 'objects'))
      const content = await table()
      const active = { state: 'active', epoch: 1, sequence: 40, log: 7, evidence: EVIDENCE } as const
      await assertRejects(tenures.transition(VAULT, PREPARED, { ...active, epoch: 0 }), 'SOUP_TENURE', 'the same epoch')
      await tenures.transition(VAULT, PREPARED, { ...active, events: eventsOf('received', 'activated') })
      const { sequence, events } = await soup.tenure()
      assertEqual({ sequence, events }, { sequence: 40, events: 9 }, 'the numbers')
      assertEqual(await waiting(soup), ['7 received', '8 activated'], 'what waits')
      assertEqual(await soup.feed(), { oldest: 40, latest: 40 }, 'the feed')
      await assertRejects(all(soup.changes(2)), 'SOUP_FEED_EXPIRED', 'a number of the time of receiving')
      assertEqual(await all(soup.changes(40)), [], 'what comes after it')
      assertEqual(await table(), content, 'the objects')
      const added = await soup.commit({ epoch: 1, objects: { add: [object('three')] }, events: eventsOf('added') })
      assertEqual(added, { sequence: 41, added: 1, released: 0 }, 'the next change')
      assertEqual(
        (await all(soup.changes(40))).map(({ subject }) => subject),
        [idOf('three')],
        'the feed after it',
      )
      await soup.settled(7)
      assertEqual((await waiting(soup)).length, 3, 'nothing before the log was queued here')
      await soup.settled(10)
      assertEqual(await Array.fromAsync(soup.check()), [], 'findings')
    },
  },
  {
    name: 'numbers never go back, whatever the other place says',
    async run(store) {
      await preparedSoup(store)
      const { tenures } = store
      await tenures.transition(VAULT, PREPARED, { state: 'active', epoch: 1, sequence: 1, log: 0 })
      const soup = store.soup(VAULT)
      assertEqual((await soup.tenure()).sequence, 2, 'the sequence')
      assertEqual(await soup.feed(), { oldest: 2, latest: 2 }, 'the feed')
      await soup.commit({ epoch: 1, events: eventsOf('a', 'b') })
      await soup.settled(2)
      const active = { state: 'active', epoch: 1 } as const
      const quiesced = { state: 'quiesced', epoch: 1 } as const
      await tenures.transition(VAULT, active, { ...quiesced, migration: 'm2' })
      const retired = { state: 'retired', epoch: 2 } as const
      await tenures.transition(VAULT, { ...quiesced, events: 2 }, { ...retired, evidence: EVIDENCE })
      await tenures.transition(VAULT, retired, { state: 'receiving', epoch: 2, migration: 'm3' })
      const prepared = { state: 'prepared', epoch: 2 } as const
      await tenures.transition(VAULT, { state: 'receiving', epoch: 2 }, prepared)
      const back = { state: 'active', epoch: 3 } as const
      await assertRejects(tenures.transition(VAULT, prepared, { ...back, log: 1 }), 'SOUP_TENURE', 'a shorter log')
      await tenures.transition(VAULT, prepared, { ...back, log: 5 })
      assertEqual((await soup.tenure()).events, 5, 'events')
    },
  },
  {
    name: 'only what was prepared takes numbers, and numbers are numbers',
    async run(store) {
      await preparedSoup(store)
      const { tenures } = store
      const before = await tenures.read(VAULT)
      const active = { state: 'active', epoch: 1 } as const
      for (const number of [-1, 0.5, Number.NaN, 2 ** 53]) {
        for (const field of ['sequence', 'log', 'driver']) {
          const move = tenures.transition(VAULT, PREPARED, { ...active, [field]: number })
          await assertRejects(move, 'SOUP_INVALID', `${field} ${number}`)
        }
      }
      await assertRejects(
        tenures.transition(VAULT, PREPARED, { ...RECEIVING, migration: 'm1', sequence: 5 }),
        'SOUP_TENURE',
        'receiving',
      )
      await assertRejects(
        tenures.transition(VAULT, PREPARED, { state: 'replica', epoch: 0, log: 5 }),
        'SOUP_TENURE',
        'a replica',
      )
      assertEqual(await tenures.read(VAULT), before, 'the tenure')
      await tenures.transition(VAULT, PREPARED, active)
      await assertRejects(
        tenures.transition(VAULT, active, { ...active, sequence: 9 }),
        'SOUP_TENURE',
        'active already',
      )
    },
  },
  {
    name: 'a driver shuts out those with lower numbers',
    async run(store) {
      const { tenures } = store
      const take = { ...RECEIVING, migration: 'm1' }
      await tenures.transition(VAULT, { state: 'none', epoch: 0 }, { ...take, driver: 3 })
      const soup = store.soup(VAULT)
      assertEqual((await soup.tenure()).driver, 3, 'the driver that began')
      const batch = { migration: 'm1', objects: { add: [object('one')] } }
      for (const driver of [2, 4])
        await assertRejects(soup.receive({ ...batch, driver }), 'SOUP_TENURE', `driver ${driver}`)
      await assertRejects(soup.receive(batch), 'SOUP_TENURE', 'no driver')
      await assertRejects(soup.restore({ migration: 'm1', driver: 2, limit: 1 }), 'SOUP_TENURE', 'restoring')
      assertEqual((await soup.receive({ ...batch, driver: 3 })).added, 1, 'the driver')
      await assertRejects(tenures.transition(VAULT, RECEIVING, { ...take, driver: 2 }), 'SOUP_TENURE', 'a lower one')
      await assertRejects(
        tenures.transition(VAULT, { ...RECEIVING, driver: 2 }, take),
        'SOUP_TENURE',
        'another one expected',
      )
      await tenures.transition(VAULT, RECEIVING, { ...take, driver: 4 })
      await assertRejects(soup.receive({ ...batch, driver: 3 }), 'SOUP_TENURE', 'the driver that was shut out')
      await tenures.transition(VAULT, RECEIVING, take)
      assertEqual((await soup.tenure()).driver, 4, 'the driver after a move that names none')
      await assertRejects(tenures.transition(VAULT, RECEIVING, { ...PREPARED, driver: 3 }), 'SOUP_TENURE', 'preparing')
      await tenures.transition(VAULT, RECEIVING, { ...PREPARED, driver: 4 })
      assertEqual((await soup.tenure()).driver, 4, 'the driver in prepared')
      const active = { state: 'active', epoch: 1 } as const
      await assertRejects(tenures.transition(VAULT, PREPARED, { ...active, driver: 3 }), 'SOUP_TENURE', 'activating')
      await assertRejects(
        tenures.transition(VAULT, PREPARED, { state: 'none', epoch: 0, driver: 3 }),
        'SOUP_TENURE',
        'giving up',
      )
      await tenures.transition(VAULT, PREPARED, { ...active, driver: 5 })
      assertEqual((await soup.tenure()).driver, undefined, 'the driver of an active vault')
    },
  },
  {
    name: 'another migration has its own drivers',
    async run(store) {
      const { tenures } = store
      await tenures.transition(VAULT, { state: 'none', epoch: 0 }, { ...RECEIVING, migration: 'm1', driver: 3 })
      await tenures.transition(VAULT, RECEIVING, { ...RECEIVING, migration: 'm2', driver: 1 })
      assertEqual((await tenures.read(VAULT)).driver, 1, 'its driver')
      await tenures.transition(VAULT, RECEIVING, { ...RECEIVING, migration: 'm3' })
      assertEqual((await tenures.read(VAULT)).driver, undefined, 'the driver of one that has none')
      const soup = store.soup(VAULT)
      const driven = soup.receive({ migration: 'm3', driver: 1 })
      await assertRejects(driven, 'SOUP_TENURE', 'a driver where there is none')
      await soup.receive({ migration: 'm3' })
    },
  },
  {
    name: 'a frozen vault that is active again has lost nothing',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'))
      await store.tenures.transition(VAULT, ACTIVE, { ...QUIESCED, migration: 'm1' })
      await store.tenures.transition(VAULT, QUIESCED, ACTIVE)
      const done = await put(soup, { key: 'p', type: 'policy', fields: {} })
      assertEqual(done.sequence, 2, 'the next change')
    },
  },
]
