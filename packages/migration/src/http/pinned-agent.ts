import { Agent } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import type { Clock, KeyId } from '@vault/core'
import { VaultError } from '@vault/core'
import { cut, noConnection } from './connection-failure.ts'
import type { HttpErrorCode } from './http-error.ts'
import type { ReverseConnections } from './http-options.ts'
import { type PeerCredentials, peerKeyAt, readPeer } from './peer-certificate.ts'

/** Where an agent connects to, and whom it expects there. */
export interface PinnedPeer {
  readonly host: string
  readonly port: number
  readonly key: KeyId
  /** Where connections come from that the other place opens. Default: this end opens them. */
  readonly reverse?: ReverseConnections | undefined
  readonly clock: Clock
  readonly connections: number
  /** Milliseconds until a connection stands; asked for with every connection. */
  readonly connectMs: () => number
  /** Asked for with every connection. */
  readonly credentials: () => PeerCredentials
}

/**
 * Keeps connections to one place, TLS 1.3 only. Whether it is the one whose key was named is known before a connection is used, and
 * so before a byte is sent to it.
 */
export class PinnedAgent extends Agent {
  readonly #peer: PinnedPeer
  /** Connections that do not stand yet, of which the agent does not know. */
  readonly #opening = new Set<TLSSocket>()
  readonly #ending = new AbortController()

  constructor(peer: PinnedPeer) {
    super({ keepAlive: true, maxSockets: peer.connections, maxCachedSessions: 0 })
    this.#peer = peer
  }

  override createConnection(_: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    const { host, port, key, reverse, connectMs } = this.#peer
    const ms = connectMs()
    if (reverse === undefined) {
      this.#secure({ host, port }, { ms, name: `${host}:${port}` }, done)
      return undefined
    }
    const began = performance.now()
    const signal = AbortSignal.any([AbortSignal.timeout(Math.ceil(ms)), this.#ending.signal])
    reverse.take({ signal }).then(
      (socket) =>
        this.#secure(
          { socket: socket as Duplex },
          { ms: Math.max(0, ms - (performance.now() - began)), name: key },
          done,
        ),
      () => done?.(noConnection(key, ms), undefined as never),
    )
    return undefined
  }

  #secure(
    to: { readonly socket: Duplex } | { readonly host: string; readonly port: number },
    { ms, name }: { readonly ms: number; readonly name: string },
    done?: (error: Error | null, stream: Duplex) => void,
  ): void {
    // A place is known by its key and by nothing else, so no authority has a say.
    const trust = { rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const
    const socket = connect({ ...to, ...trust, ...this.#peer.credentials(), ALPNProtocols: ['http/1.1'] })
    const end = (error: Error | null) => {
      clearTimeout(timer)
      this.#opening.delete(socket)
      socket.off('error', end)
      if (error !== null) socket.on('error', () => {}).destroy()
      done?.(error, socket)
    }
    this.#opening.add(socket)
    const timer = setTimeout(() => end(noConnection(name, ms)), ms)
    socket.once('error', end)
    socket.once('secureConnect', () => end(this.#refusal(socket)))
    if (this.#ending.signal.aborted) socket.destroy(cut())
  }

  /** Ends all, also those that do not stand yet. */
  override destroy(): void {
    this.#ending.abort(cut())
    for (const socket of this.#opening) socket.destroy(cut())
    super.destroy()
  }

  /** Ends the connections that are kept and not used just now. */
  dropIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
  }

  #refusal(socket: TLSSocket): Error | null {
    const { key: expected, clock } = this.#peer
    try {
      const key = peerKeyAt(readPeer(socket.getPeerX509Certificate()?.raw), clock())
      return key === expected ? null : wrongKey(key, expected)
    } catch (error) {
      return error as Error
    }
  }
}

function wrongKey(key: KeyId, expected: KeyId): VaultError<HttpErrorCode> {
  return new VaultError({
    code: 'HTTP_PEER_KEY',
    message: `The server has the key ${key}, not ${expected}: it is another place, or somebody in between. Nothing was sent to it.`,
    details: { key, expected },
  })
}
