import type { AbortOptions, Bytes, Clock } from '@vault/core'
import { equalBytes } from '@vault/core'
import { proveConsistency, proveInclusion } from '@vault/merkle'
import { openCheckpoint } from './checkpoint.ts'
import { decodeEntry, eventOf } from './entry.ts'
import type { LogStore } from './log-store.ts'
import { checkpointName } from './log-store.ts'
import type { NoteSigner } from './note-key.ts'
import { createNoteSigner } from './note-key.ts'
import type { AuditQuery } from './query.ts'
import { compileQuery } from './query.ts'
import { TILE_WIDTH } from './tile.ts'
import { encodeTlogProof } from './tlog-proof.ts'
import type { EntryRange, Head, IndexedEntry, QueryOptions, Trail, TrailOptions } from './trail.ts'
import { invalidEntry, missing, tampered, trailError } from './trail-error.ts'
import type { LogIdentity, TrailHead } from './trail-head.ts'
import { loadHead } from './trail-head.ts'
import { TrailWriter } from './trail-writer.ts'

/** A trail over a store. */
export class StoredTrail implements Trail {
  readonly origin: string
  readonly #store: LogStore
  readonly #identity: LogIdentity
  readonly #clock: Clock
  readonly #writer: TrailWriter | undefined
  #head: TrailHead
  #last: Promise<unknown> = Promise.resolve()

  private constructor(
    store: LogStore,
    identity: LogIdentity,
    clock: Clock,
    signer: NoteSigner | undefined,
    head: TrailHead,
  ) {
    this.origin = identity.origin
    this.#store = store
    this.#identity = identity
    this.#clock = clock
    this.#head = head
    this.#writer = signer === undefined ? undefined : new TrailWriter(store, identity.origin, signer)
  }

  static async open(
    { origin, store, keys, signer, clock }: TrailOptions,
    options?: AbortOptions,
  ): Promise<StoredTrail> {
    const noteSigner = signer === undefined ? undefined : createNoteSigner({ name: origin, signer })
    const identity = { origin, keys: noteSigner === undefined ? keys : [...keys, noteSigner.key] }
    const trail = new StoredTrail(
      store,
      identity,
      clock,
      noteSigner,
      await loadHead(store, identity, undefined, options),
    )
    await trail.#writer?.sweep(trail.size, options)
    return trail
  }

  get size(): number {
    return this.#head.tiles.size
  }

  get root(): Bytes {
    return this.#head.tiles.root.slice()
  }

  get checkpoint(): Bytes | undefined {
    return this.#head.note?.slice()
  }

  async refresh(options?: AbortOptions): Promise<Head> {
    return await this.#exclusively(async () => {
      await this.#reload(options)
      return this.#now()
    })
  }

  async extend(from: number, events: readonly Uint8Array[], options?: AbortOptions): Promise<Head> {
    if (!Number.isSafeInteger(from) || from < 0) throw new RangeError(`No entry has the index ${from}.`)
    return await this.#exclusively(() => this.#extend(from, events, options))
  }

  async *entries({
    from = 0,
    to = this.size,
    reverse = false,
    signal,
  }: EntryRange = {}): AsyncGenerator<readonly IndexedEntry[]> {
    const { tiles } = this.#head
    const end = Math.min(to, tiles.size)
    const first = Math.floor(Math.max(0, from) / TILE_WIDTH)
    const count = Math.ceil(end / TILE_WIDTH) - first
    for (let i = 0; i < count; i++) {
      signal?.throwIfAborted()
      const number = reverse ? first + count - 1 - i : first + i
      const { entries, hashes } = await tiles.bundle(number, { signal })
      const page: IndexedEntry[] = []
      for (const [position, bytes] of entries.entries()) {
        const index = number * TILE_WIDTH + position
        if (index < from || index >= end) continue
        page.push({ index, hash: hashes[position] as Bytes, bytes, entry: decodeAt(index, bytes) })
      }
      if (page.length > 0) yield reverse ? page.reverse() : page
    }
  }

  async *query(
    query: AuditQuery,
    { limit = Number.POSITIVE_INFINITY, reverse = false, signal }: QueryOptions = {},
  ): AsyncGenerator<readonly IndexedEntry[]> {
    const { matches, from, to } = compileQuery(query, this.#clock())
    let left = limit
    if (left <= 0) return
    for await (const page of this.entries({ from, to, reverse, signal })) {
      const found = page.filter(({ entry }) => matches(entry)).slice(0, left)
      if (found.length > 0) yield found
      left -= found.length
      if (left <= 0) return
    }
  }

  async prove(index: number, size: number = this.size, options?: AbortOptions): Promise<Bytes> {
    const { tiles } = this.#head
    const checkpoint = await this.checkpointAt(size, options)
    const proof = await proveInclusion(tiles, { index, size }, options)
    if (checkpoint === undefined) throw missing(checkpointName(size))
    return encodeTlogProof({ index, proof, checkpoint })
  }

  async consistency(from: number, to: number = this.size, options?: AbortOptions): Promise<readonly Bytes[]> {
    return await proveConsistency(this.#head.tiles, { from, to }, options)
  }

  async rootAt(size: number, options?: AbortOptions): Promise<Bytes> {
    return await this.#head.tiles.rootAt(size, options)
  }

  async checkpointAt(size: number, options?: AbortOptions): Promise<Bytes | undefined> {
    const { tiles, note: latest } = this.#head
    if (size === tiles.size) return latest?.slice()
    const root = await tiles.rootAt(size, options)
    const name = checkpointName(size)
    const note = await this.#store.read(name, options)
    if (note === undefined) return undefined
    const { checkpoint } = openCheckpoint(note, this.#identity)
    if (checkpoint.size !== size || !equalBytes(checkpoint.root, root))
      throw tampered(name, 'its size or root is another')
    return note
  }

  async #extend(from: number, events: readonly Uint8Array[], options?: AbortOptions): Promise<Head> {
    // After a failed append the head may be either one, and with nothing known of it nothing may be signed.
    if (this.#writer?.unsure) await this.#reload(options)
    if (from > this.size) await this.#reload(options)
    if (from > this.size) {
      const message = `The trail ends at ${this.size}: events from index ${from} on would leave a gap. Give those before them too.`
      throw trailError('AUDIT_GAP', message, { from, size: this.size })
    }
    for (;;) {
      options?.signal?.throwIfAborted()
      await this.#compare(from, events.slice(0, this.size - from), options)
      const rest = events.slice(this.size - from)
      if (rest.length === 0) return this.#now()
      if (this.#writer === undefined) {
        throw trailError('AUDIT_READ_ONLY', 'The trail was opened without a signer: open it with one to append.')
      }
      const head = await this.#writer.append(this.#head, rest, options)
      if (head !== undefined) {
        this.#head = head
        return this.#now()
      }
      await this.#reload(options)
    }
  }

  /** Throws `AUDIT_FORK` unless the entries from `from` on are these events. */
  async #compare(from: number, events: readonly Uint8Array[], options?: AbortOptions): Promise<void> {
    if (events.length === 0) return
    for await (const page of this.entries({ from, to: from + events.length, signal: options?.signal })) {
      for (const { index, entry } of page) {
        if (equalBytes(eventOf(entry), events[index - from] as Uint8Array)) continue
        const message = `Entry ${index} of the trail is another event than the one to be written there. Someone else has extended the trail, or the queue has changed.`
        throw trailError('AUDIT_FORK', message, { index })
      }
    }
  }

  async #reload(options?: AbortOptions): Promise<void> {
    this.#head = await loadHead(this.#store, this.#identity, this.#head, options)
    this.#writer?.forget()
  }

  #now(): Head {
    return { size: this.size, root: this.root, checkpoint: this.checkpoint }
  }

  #exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(run, run)
    this.#last = result.catch(() => {})
    return result
  }
}

function decodeAt(index: number, bytes: Uint8Array): IndexedEntry['entry'] {
  const entry = decodeEntry(bytes)
  if (entry.seq !== index) throw invalidEntry(`the one at index ${index} says that it is ${entry.seq}`)
  return entry
}
