import { join } from 'node:path'
import {
  drainQueue,
  type LogIdentity,
  openTrail,
  originOf,
  type Trail,
  type TrailErrorCode,
  type TrailReader,
  type VerifyStep,
  verifyTrail,
} from '@vault/audit-chain'
import { type AbortOptions, type Clock, VaultError, type VaultId } from '@vault/core'
import { KeyedQueue, keyStateAt, logKeysAt } from '@vault/migration'
import type { SoupStore } from '@vault/soup'
import { openFsLogStore } from '@vault/store-fs'
import { openHeldKey } from './keystore.ts'

/** Where the logs of a place lie, each in a folder that has the name of its vault. */
export const LOG_FOLDER = 'log'

// Milliseconds. An entry of its own costs seven flushes and a signature; changes that are made one after the other in this time
// share them. Nothing is at stake: what waits is durable with its change, and only readers of the log see it later.
const GATHER = 500

/** What the log of a vault needs. */
export interface VaultLogParts {
  readonly vault: VaultId
  /** The folder of the place. */
  readonly dir: string
  readonly soups: SoupStore
  readonly clock: Clock
  /** Whether the place was opened for writing. */
  readonly writable: boolean
  /** Called with the trail after everything that waited is in it. */
  readonly drained?: (trail: TrailReader) => Promise<void>
}

/** The audit log of a vault in a place: the queue of the soup on one side, the trail in files on the other. */
export class VaultLog {
  readonly dir: string
  readonly #parts: VaultLogParts
  #writer: Promise<{ readonly queue: KeyedQueue; readonly trail: Trail }> | undefined
  /** The drain that was begun, or is to begin, last. */
  #last: Promise<void> = Promise.resolve()
  /** The drain that has not begun yet. */
  #next: Promise<void> | undefined
  #gathering: ReturnType<typeof setTimeout> | undefined
  /** Whether something may wait for the log that this process has not seen there. */
  #pending = false

  constructor(parts: VaultLogParts) {
    this.#parts = parts
    this.dir = join(parts.dir, LOG_FOLDER, parts.vault)
  }

  /** The origin and every key that may have signed checkpoints, each up to where the log was handed on. Throws `KEY_EVENT_INVALID`. */
  async identity(options: AbortOptions = {}): Promise<LogIdentity> {
    const { vault, soups } = this.#parts
    return { origin: originOf(vault), keys: await logKeysAt({ store: soups }, vault, options) }
  }

  /** The trail as it is now. Writes nothing. Throws what `openTrail` of `@vault/audit-chain` throws. */
  async read(options: AbortOptions = {}): Promise<TrailReader> {
    const store = await openFsLogStore({ dir: this.dir, mode: 'read' }, options)
    return await openTrail({ ...(await this.identity(options)), store, clock: this.#parts.clock }, options)
  }

  /** Reads every file of the trail. See `verifyTrail` of `@vault/audit-chain`. */
  async *verify(options: AbortOptions = {}): AsyncGenerator<VerifyStep> {
    const { vault, soups } = this.#parts
    const log = await openFsLogStore({ dir: this.dir, mode: 'read' }, options)
    const { events: fixed } = await soups.soup(vault).tenure(options)
    yield* verifyTrail({ ...(await this.identity(options)), log, fixed, ...options })
  }

  /** Says that something waits: it is written with what comes in the next moment. What fails is tried again, and said, by {@link drain}. */
  wake(): void {
    this.#pending = true
    this.#gathering ??= setTimeout(() => {
      this.drain().catch(() => {})
    }, GATHER)
  }

  /**
   * Resolves when everything that was committed before the call is in the log, durably and signed. One is under way at a
   * time; calls that come meanwhile share the one after it. Throws what `drainQueue` of `@vault/audit-chain` throws,
   * `KEY_DAMAGED`, and `AUDIT_READ_ONLY` where the vault was opened for reading.
   */
  async drain(): Promise<void> {
    const begin = (): Promise<void> => {
      this.#next = undefined
      return this.#drain()
    }
    this.#next ??= this.#last.then(begin, begin)
    this.#last = this.#next
    await this.#next
  }

  /** Waits for what is under way, and writes what this process still knows to wait. */
  async close(): Promise<void> {
    await this.#last.catch(() => {})
    if (this.#pending) await this.drain()
  }

  async #drain(): Promise<void> {
    if (!this.#parts.writable) throw readOnly(this.dir)
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    this.#pending = false
    try {
      const soup = this.#parts.soups.soup(this.#parts.vault)
      if ((await soup.queued({ limit: 1 })).length === 0) return
      const trail = await this.#fill()
      await this.#parts.drained?.(trail)
    } catch (error) {
      this.#pending = true
      this.#writer = undefined
      throw error
    }
  }

  /** Writes what waits, under the log key of now: whoever replaces the keys may do so in another process, at any time. */
  async #fill(): Promise<Trail> {
    while (true) {
      this.#writer ??= this.#open()
      const { queue, trail } = await this.#writer
      try {
        await drainQueue(queue, trail)
        if (!(await queue.isOutdated())) return trail
      } catch (error) {
        // What the next log key signed is not opened with the keys before it.
        if (!(await queue.isOutdated())) throw error
      }
      this.#writer = undefined
    }
  }

  async #open(): Promise<{ readonly queue: KeyedQueue; readonly trail: Trail }> {
    const { dir, clock, soups, vault } = this.#parts
    const queue = await KeyedQueue.open(soups, vault)
    const { roles } = await keyStateAt({ store: soups }, vault)
    const signer = await openHeldKey({ dir, role: 'log', keys: roles.log.keys })
    const store = await openFsLogStore({ dir: this.dir, mode: 'write', clock })
    return { queue, trail: await openTrail({ ...(await this.identity()), store, signer, clock }) }
  }
}

function readOnly(dir: string): Error {
  return new VaultError<TrailErrorCode>({
    code: 'AUDIT_READ_ONLY',
    message: 'The vault was opened for reading: whoever opens it for writing next writes what waits for its log.',
    details: { dir },
  })
}
