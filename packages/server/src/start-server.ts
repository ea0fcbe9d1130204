import type { AddressInfo } from 'node:net'
import type { KeyId } from '@vault/core'
import { checkAddress, listen } from './listen.ts'
import { endPassedMoves } from './passed-moves.ts'
import { openPlaceServer, type PlaceServerOptions } from './place-server.ts'

/** What is served, where, to whom, and how much of it. */
export interface ServerOptions extends PlaceServerOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default 0: any that is free. */
  readonly port?: number
}

/** A server that runs. */
export interface VaultServer extends AsyncDisposable {
  readonly url: string
  /** The key of the place, by which clients know it. */
  readonly key: KeyId
  /** Lets requests that are worked on end, and everything go. */
  close(): Promise<void>
}

/**
 * Serves a place over HTTPS: TLS 1.3, both ends known by their keys. Throws `SERVER_CANNOT_LISTEN`, before a place is made, and what opening the place
 * throws.
 */
export async function startServer(options: ServerOptions): Promise<VaultServer> {
  const { host = '127.0.0.1', port = 0 } = options
  await checkAddress({ host, port })
  const opened = await openPlaceServer(options)
  try {
    const { server, served, signal, failed } = opened
    await listen(server, { host, port })
    const passed = endPassedMoves(served, { failed, signal })
    const close = () => opened.close(passed)
    const { port: chosen } = server.address() as AddressInfo
    const name = host.includes(':') ? `[${host}]` : host
    return { url: `https://${name}:${chosen}`, key: served.seat.place.key, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await opened.close()
    throw error
  }
}
