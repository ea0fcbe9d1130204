import { Agent } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import type { Clock, KeyId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { HttpErrorCode } from './http-error.ts'
import { type PeerCredentials, peerKeyOf } from './peer-certificate.ts'

/** Where an agent connects to, and whom it expects there. */
export interface PinnedPeer {
  readonly host: string
  readonly port: number
  readonly key: KeyId
  readonly clock: Clock
  readonly connections: number
  /** Milliseconds until a connection stands. */
  readonly connectMs: number
  /** Asked for with every connection. */
  readonly credentials: () => PeerCredentials
}

/**
 * Keeps connections to one place, TLS 1.3 only. Whether it is the one whose key was named is known before a connection is used, and
 * so before a byte is sent to it.
 */
export class PinnedAgent extends Agent {
  readonly #peer: PinnedPeer

  constructor(peer: PinnedPeer) {
    super({ keepAlive: true, maxSockets: peer.connections, maxCachedSessions: 0 })
    this.#peer = peer
  }

  override createConnection(_: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    const { host, port, credentials, connectMs } = this.#peer
    // A place is known by its key and by nothing else, so no authority has a say.
    const trust = { rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const
    const socket = connect({ host, port, ...trust, ...credentials(), ALPNProtocols: ['http/1.1'] })
    const end = (error: Error | null) => {
      clearTimeout(timer)
      socket.off('error', end)
      if (error !== null) socket.on('error', () => {}).destroy()
      done?.(error, socket)
    }
    const timer = setTimeout(() => end(connectTimeout(host, port, connectMs)), connectMs)
    socket.once('error', end)
    socket.once('secureConnect', () => end(this.#refusal(socket)))
    return undefined
  }

  #refusal(socket: TLSSocket): Error | null {
    const { key: expected, clock } = this.#peer
    try {
      const key = peerKeyOf(socket.getPeerX509Certificate()?.raw, clock())
      return key === expected ? null : wrongKey(key, expected)
    } catch (error) {
      return error as Error
    }
  }
}

function connectTimeout(host: string, port: number, ms: number): Error {
  return Object.assign(new Error(`No connection to ${host}:${port} within ${ms} ms`), { code: 'ETIMEDOUT' })
}

function wrongKey(key: KeyId, expected: KeyId): VaultError<HttpErrorCode> {
  return new VaultError({
    code: 'HTTP_PEER_KEY',
    message: `The server has the key ${key}, not ${expected}: it is another place, or somebody in between. Nothing was sent to it.`,
    details: { key, expected },
  })
}
