import { once } from 'node:events'
import type { ContentId } from '@vault/core'
import { HttpClient } from './http-client.ts'
import type { Connection, HttpOptions } from './http-options.ts'
import { pause } from './pause.ts'

// As many as the other end uses at a time, and one that is there when one of these ends.
const OFFERED = 5
const AGAIN_MS = 100

/** What is offered to whom. */
export interface Offer extends Omit<HttpOptions, 'connections'> {
  /** The vault there that is to come here. */
  readonly vault: ContentId
  /** Answers what is asked on a connection, which is TLS as far as the other end is concerned. */
  readonly answer: (connection: Connection) => void
}

/**
 * Opens connections to a server that cannot open them itself, so that it can ask this place over them, and others where they end. Goes on
 * until the signal is aborted, and resolves then. Throws `HTTP_NOT_ALLOWED`, `HTTP_UNREACHABLE` and what else ends connections for good.
 */
export async function offerConnections(
  url: string,
  { vault, answer, ...options }: Offer,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const client = new HttpClient(url, { ...options, connections: OFFERED })
  const failing = new AbortController()
  const either = AbortSignal.any([signal, failing.signal])
  const offer = async () => {
    while (!either.aborted) {
      const connection = await client.reversed(vault, { signal: either })
      try {
        connection.on('error', () => {})
        answer(connection)
        await once(connection, 'close', { signal: either })
      } finally {
        connection.destroy()
      }
      await pause(AGAIN_MS, { signal: either })
    }
  }
  try {
    await Promise.all(Array.from({ length: OFFERED }, offer))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    failing.abort(new Error('No connections are offered any more.'))
    client.close()
  }
}
