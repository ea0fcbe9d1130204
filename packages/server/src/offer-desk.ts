import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock, VaultError } from '@vault/core'
import { peerKeyAt, REVERSE, REVERSE_PROTOCOL, readPeer, refusalText, statusOf } from '@vault/migration/http'
import type { LeaveDesk } from './leave-desk.ts'
import { networkOf } from './network-of.ts'
import { refusal } from './refusal.ts'
import { refusalFor } from './refusal-for.ts'
import { routeOf } from './route.ts'
import type { ServedPlace } from './served-place.ts'

interface Parts {
  readonly leave: LeaveDesk
  readonly clock: Clock
  /** Milliseconds for which a connection waits here that nobody uses. */
  readonly waitMs: number
  readonly failed: (error: unknown) => void
  /** Aborted when the server ends. */
  readonly signal: AbortSignal
}

/** Takes connections that places offer, so that a vault can move to them: from whoever may have it moved, where the operator has named them. */
export class OfferDesk {
  readonly #served: ServedPlace
  readonly #parts: Parts

  constructor(served: ServedPlace, parts: Parts) {
    this.#served = served
    this.#parts = parts
  }

  /** Never rejects. `head`: what has come behind the request, which is to be nothing. */
  async take(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    socket.on('error', () => {})
    try {
      await this.#take(request, socket as TLSSocket, head)
    } catch (error) {
      if (socket.destroyed) return
      const refused = refusalFor(error, this.#parts)
      // Read, so that its end is noticed; and not waited for long.
      socket.resume()
      socket.end(refusalAnswer(refused), () => setTimeout(() => socket.destroy(), LINGER_MS).unref())
    }
  }

  async #take(request: IncomingMessage, socket: TLSSocket, head: Uint8Array): Promise<void> {
    const { leave, clock, waitMs } = this.#parts
    const { reversed, away } = this.#served
    const key = peerKeyAt(readPeer(socket.getPeerX509Certificate()?.raw), clock())
    const { vault, side, name } = routeOf(request)
    if (side !== 'source' || name !== REVERSE || request.headers.upgrade !== REVERSE_PROTOCOL || head.length > 0) {
      throw refusal(
        'HTTP_REQUEST_INVALID',
        `A connection becomes ${REVERSE_PROTOCOL}, where it is offered, and nothing else.`,
      )
    }
    const client = { vault, key, network: networkOf(socket.remoteAddress ?? '') }
    for (const action of ['migrate', 'move-away']) await leave.require(action, client)
    away.named(client, { key })
    if (socket.destroyed) return
    socket.write(ACCEPTED)
    reversed.add(key, socket, { waitMs })
  }
}

// For a client to read why it is refused.
const LINGER_MS = 1_000
const ACCEPTED = `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${REVERSE_PROTOCOL}\r\n\r\n`

function refusalAnswer(refused: VaultError): string {
  const text = refusalText(refused)
  const length = Buffer.byteLength(text)
  return `HTTP/1.1 ${statusOf(refused.code)} Refused\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${text}`
}
