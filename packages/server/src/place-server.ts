import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Authorize, Clock, KeyId, Random, Signer } from '@vault/core'
import { systemClock, systemRandom } from '@vault/core'
import { ClientAuthority, openOrCreatePlace, type SeatOptions } from '@vault/embedded'
import { createPeerCredentials, Rate } from '@vault/migration/http'
import { LeaveDesk } from './leave-desk.ts'
import { DEFAULT_LIMITS, MAX_HEADER_BYTES, MAX_HEADERS, type ServerLimits } from './limits.ts'
import type { MoveDestination } from './move-destination.ts'
import { networkOf } from './network-of.ts'
import { OfferDesk } from './offer-desk.ts'
import { RequestHandler } from './request-handler.ts'
import { ServedPlace } from './served-place.ts'

/** What is served, to whom, and how much of it, however connections come about. */
export interface PlaceServerOptions {
  /** The place; made in this folder where there is none. */
  readonly dir: string
  /**
   * Asked with every request: for `write` where the place is the target of a migration of this vault, for `migrate` where it is the
   * source; and for `receive-part`, too, where a part of another vault comes into an active one, and for `move-away` where the server is to
   * move a vault to another one. The signer is the key that the client has shown.
   */
  readonly authorize: Authorize
  /**
   * Lets in, too, whom certificates grant it: those of a vault for what is done with it here, and those of the place, or of the keys that
   * it trusts, for bringing vaults. Default: only `authorize` counts.
   */
  readonly certificates?: { readonly trust?: readonly KeyId[] }
  /** How the place takes part in hand-offs. */
  readonly seat?: SeatOptions
  /**
   * The places to which this server moves vaults where it is asked to: others that it connects to, and, with a key alone, those that come
   * for a vault over connections of their own. It connects to nobody else. Default: none.
   */
  readonly moveTo?: readonly MoveDestination[]
  readonly limits?: Partial<ServerLimits>
  /** Bytes in a second, of all requests and answers together, and again of each move to another server. Default: as many as go. */
  readonly bytesPerSecond?: number
  /** Is told what failed that no client is told. */
  readonly failed?: (error: unknown) => void
  readonly clock?: Clock
  readonly random?: Random
}

/** A place that answers whoever is connected to `server`. */
export interface PlaceServer extends AsyncDisposable {
  readonly server: Server
  readonly served: ServedPlace
  /** Aborted when it ends. */
  readonly signal: AbortSignal
  /** Is told what no client is told. */
  readonly failed: (error: unknown) => void
  /** Lets requests that are worked on end, then `last`, and everything go. */
  close(last?: Promise<unknown>): Promise<void>
}

const RENEW_MS: number = 24 * 3_600_000
// Whoever offers a connection opens it anew before it is given up here.
const WAIT_MS = 60_000

/** Opens a place to be served, over TLS 1.3, both ends known by their keys. Throws what opening it throws. */
export async function openPlaceServer(options: PlaceServerOptions): Promise<PlaceServer> {
  const { dir, clock = systemClock, random = systemRandom, failed = () => {} } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const { bytesPerSecond } = options
  const paced = bytesPerSecond === undefined ? {} : { rate: new Rate(bytesPerSecond) }
  const place = await openOrCreatePlace(dir)
  try {
    const { seat = {}, moveTo = [] } = options
    const served = await ServedPlace.open(place, { limits, clock, random, seat, moveTo, bytesPerSecond })
    const { place: signer } = served.seat
    const stopping = new AbortController()
    const { authorize, certificates: wanted } = options
    const certificates = wanted && new ClientAuthority(place, { ...wanted, clock, random })
    const { signal } = stopping
    const leave = new LeaveDesk({ authorize, certificates, clock, signal })
    const handler = new RequestHandler(served, { limits, leave, clock, failed, signal, ...paced })
    const offers = new OfferDesk(served, { leave, clock, waitMs: WAIT_MS, failed, signal })
    const server = createServer(
      { ...(await tlsOptions(signer, { clock, random })), maxHeaderSize: MAX_HEADER_BYTES, ...timeoutsOf(limits) },
      (request, response) => void handler.handle(request, response),
    )
    bound(server, limits)
    server.on('upgrade', (request, socket, head) => void offers.take(request, socket, head))
    const renewal = setInterval(() => void renew(server, signer, { clock, random }).catch(failed), RENEW_MS)
    renewal.unref()
    const close = async (last?: Promise<unknown>) => {
      clearInterval(renewal)
      stopping.abort(new Error('The server ends.'))
      server.closeIdleConnections()
      const ended = new Promise<void>((resolve) => server.close(() => resolve()))
      served.views.closeAll()
      await handler.idle()
      await last
      await served.close()
      server.closeAllConnections()
      served.reversed.close()
      await ended
      await place[Symbol.asyncDispose]()
    }
    return { server, served, signal, failed, close, [Symbol.asyncDispose]: () => close() }
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}

async function tlsOptions(signer: Signer, parts: { readonly clock: Clock; readonly random: Random }) {
  return {
    ...(await createPeerCredentials(signer, parts)),
    minVersion: 'TLSv1.3',
    // Whoever has no certificate is told so; which ones are good is for the handler to say, and no authority has a say.
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  } as const
}

async function renew(server: Server, signer: Signer, parts: { readonly clock: Clock; readonly random: Random }) {
  server.setSecureContext(await tlsOptions(signer, parts))
}

function timeoutsOf({ headerMs, requestMs, idleMs }: ServerLimits) {
  return {
    handshakeTimeout: headerMs,
    headersTimeout: headerMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(1_000, headerMs),
  }
}

function bound(server: Server, { connections, perAddress, idleMs }: ServerLimits): void {
  server.maxConnections = connections
  server.maxHeadersCount = MAX_HEADERS
  boundAddresses(server, perAddress)
  server.setTimeout(idleMs)
  // What is no TLS, or no HTTP, ends its connection and nothing else.
  server.on('tlsClientError', (_, socket: TLSSocket) => void socket.destroy())
  server.on('clientError', (_, socket) => void socket.destroy())
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response)
  })
}

/** One address, or one network of IPv6, does not take all connections: what is beyond its share is closed before its keys are looked at. */
function boundAddresses(server: Server, perAddress: number): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '')
    const count = (open.get(network) ?? 0) + 1
    if (count > perAddress) return void socket.destroy()
    open.set(network, count)
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1
      if (left > 0) open.set(network, left)
      else open.delete(network)
    })
  })
}
