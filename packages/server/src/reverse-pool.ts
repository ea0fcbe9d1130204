import type { Socket } from 'node:net'
import type { AbortOptions, KeyId } from '@vault/core'
import type { ReverseConnections } from '@vault/migration/http'

// More than one end uses at a time.
const MAX_WAITING = 8

/** Connections that other places have opened to be asked over them, until they are used: of each place a few. */
export class ReversePool {
  readonly #waiting = new Map<KeyId, Socket[]>()
  readonly #takers = new Map<KeyId, ((connection: Socket) => void)[]>()
  readonly #all = new Set<Socket>()
  #isClosed = false

  /** Keeps a connection until it is taken, or has waited for so many milliseconds. Where too many wait, the oldest one ends: it is the likeliest to be dead. */
  add(key: KeyId, connection: Socket, { waitMs }: { readonly waitMs: number }): void {
    if (this.#isClosed) return void connection.destroy()
    this.#all.add(connection)
    connection.setTimeout(waitMs)
    for (const event of UNUSABLE) connection.on(event, end)
    connection.resume()
    connection.once('close', () => {
      this.#all.delete(connection)
      this.#remove(key, connection)
    })
    const [taker, ...others] = this.#takers.get(key) ?? []
    if (taker === undefined) {
      const waiting = [...(this.#waiting.get(key) ?? []), connection]
      this.#waiting.set(key, waiting)
      if (waiting.length > MAX_WAITING) waiting[0]?.destroy()
    } else {
      this.#takers.set(key, others)
      taker(begin(connection))
    }
  }

  /** Those of one place. The latest one is taken first: it is the likeliest to be still there. */
  of(key: KeyId): ReverseConnections {
    return { take: (options) => this.#take(key, options) }
  }

  /** Ends all, also those that are used, and those that come from here on. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#all) connection.destroy()
  }

  async #take(key: KeyId, { signal }: AbortOptions): Promise<Socket> {
    signal?.throwIfAborted()
    const latest = this.#waiting.get(key)?.at(-1)
    if (latest !== undefined) {
      this.#remove(key, latest)
      return begin(latest)
    }
    return await new Promise((resolve, reject) => {
      const taker = (connection: Socket) => {
        signal?.removeEventListener('abort', leave)
        resolve(connection)
      }
      const leave = () => {
        this.#takers.set(
          key,
          (this.#takers.get(key) ?? []).filter((each) => each !== taker),
        )
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#takers.set(key, [...(this.#takers.get(key) ?? []), taker])
    })
  }

  #remove(key: KeyId, connection: Socket): void {
    const left = (this.#waiting.get(key) ?? []).filter((each) => each !== connection)
    if (left.length > 0) this.#waiting.set(key, left)
    else this.#waiting.delete(key)
  }
}

// Nothing comes on a connection before it is used.
const UNUSABLE = ['data', 'end', 'timeout'] as const

function end(this: Socket): void {
  this.destroy()
}

/** A connection that is used from here on. */
function begin(connection: Socket): Socket {
  for (const event of UNUSABLE) connection.off(event, end)
  connection.pause()
  connection.setTimeout(0)
  return connection
}
