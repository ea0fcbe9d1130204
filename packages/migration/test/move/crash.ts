import type { LogStore } from '@vault/audit-chain'
import type { ContentStore } from '@vault/cas'
import type { ContentId } from '@vault/core'
import type { SoupStore, VaultSoup } from '@vault/soup'
import type { Seat } from '../../src/move/seat.ts'
import type { MemoryPlace } from './seats.ts'
import { unflushedStore } from './unflushed-store.ts'

/** A process dies: at its n-th durable operation, before it or behind it. */
export class Crash extends Error {
  override readonly name: string = 'Crash'
}

/** What ends with a process: that alone, or with what it has written and not flushed. */
export type End = 'process' | 'power'

/** Counts the durable operations of one process over all places, and kills it at one of them. */
export class Fate {
  readonly end: End
  readonly #at: number
  readonly #when: 'before' | 'after'
  #count = 0
  #dead = false
  readonly operations: string[] = []

  constructor(at: number = Number.POSITIVE_INFINITY, when: 'before' | 'after' = 'before', end: End = 'process') {
    this.end = end
    this.#at = at
    this.#when = when
  }

  get count(): number {
    return this.#count
  }

  /** What a dead process asks for does not happen. */
  alive(): void {
    if (this.#dead) throw new Crash('this process is dead')
  }

  async perform<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.alive()
    const here = this.#count++ === this.#at
    this.operations.push(name)
    if (here && this.#when === 'before') this.die()
    const result = await work()
    if (here) this.die()
    // Another one may have died meanwhile.
    this.alive()
    return result
  }

  die(): never {
    this.#dead = true
    throw new Crash(`at ${this.operations.at(-1)}`)
  }
}

/** The seat at a place, as one process has it. */
export function seatOf(place: MemoryPlace, fate: Fate): Seat {
  const { seat, label } = place
  const perform = <T>(what: string, work: () => Promise<T>) => fate.perform(`${label}: ${what}`, work)
  return {
    ...seat,
    objects: crashingObjects(seat.objects, perform),
    store: crashingStore(fate.end === 'power' ? unflushedStore(seat.store) : seat.store, perform),
    log: async (vault) => crashingLog(await seat.log(vault), perform),
  }
}

type Perform = <T>(what: string, work: () => Promise<T>) => Promise<T>

function crashingObjects(objects: ContentStore, perform: Perform): ContentStore {
  return {
    get: (id, o) => objects.get(id, o),
    has: (id, o) => objects.has(id, o),
    hasMany: (ids, o) => objects.hasMany(ids, o),
    list: (o) => objects.list(o),
    getMany: (batches, o) => objects.getMany(batches, o),
    put: (bytes, o) => perform('put', () => objects.put(bytes, o)),
    async *putMany(batches, o) {
      const acks = objects.putMany(batches, o)[Symbol.asyncIterator]()
      while (true) {
        const ack = await perform('put many', () => acks.next())
        if (ack.done) return
        yield ack.value
      }
    },
  }
}

function crashingStore(store: SoupStore, perform: Perform): SoupStore {
  const { tenures, records } = store
  return {
    ...store,
    tenures: {
      ...tenures,
      transition: (vault, from, to, o) =>
        perform(`tenure ${from.state} → ${to.state}`, () => tenures.transition(vault, from, to, o)),
    },
    records: {
      ...records,
      swap: (key, version, next, o) =>
        perform(`record ${key.split('/').at(-1)}`, () => records.swap(key, version, next, o)),
    },
    soup: (vault: ContentId) => crashingSoup(store.soup(vault), perform),
  }
}

function crashingSoup(soup: VaultSoup, perform: Perform): VaultSoup {
  return {
    ...soup,
    commit: (change, o) => perform('commit', () => soup.commit(change, o)),
    receive: (batch, o) => perform('receive', () => soup.receive(batch, o)),
    restore: (request, o) => perform('restore', () => soup.restore(request, o)),
    settled: (before, o) => perform('settle', () => soup.settled(before, o)),
  }
}

function crashingLog(log: LogStore, perform: Perform): LogStore {
  return {
    read: (name, o) => log.read(name, o),
    head: (o) => log.head(o),
    list: (folder, o) => log.list(folder, o),
    write: (files, o) => perform('log write', () => log.write(files, o)),
    remove: (names, o) => perform('log remove', () => log.remove(names, o)),
    swapHead: (expected, next, size, o) => perform('log head', () => log.swapHead(expected, next, size, o)),
  }
}
